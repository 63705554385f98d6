/** `register`: creates the account and its profile; does not log in. */
import { registerAccount } from "../../../client/accounts.ts";
import { PasswordNeededError } from "../../../client/errors.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedName } from "../../../protocol/quoted-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { authorityPrompt, obtainPassword } from "../password.ts";
import { serverOptions, untilAborted, type CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";

export async function register(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  if (config.user === undefined) throw new UsageError(texts.userNeeded);
  const username = config.user;
  const password = await untilAborted(signal, obtainPassword(context, username, true));
  if (password === undefined) throw new PasswordNeededError(false);
  const account = { username, password, email: config.email };
  await untilAborted(
    signal,
    registerAccount(
      { ...serverOptions(config, authorityPrompt(context), signal), relay: config.relay },
      account,
    ),
  );
  output.event({ event: "registered", username }, texts.registered(quotedName(username)));
  return EXIT.done;
}
