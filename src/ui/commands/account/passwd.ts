/** `passwd`: changes the password; every other session of the account ends. */
import { RefusedError } from "../../../client/errors.ts";
import { EXIT, failure, type ExitCode } from "../../failures.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";
import { obtainBothPasswords, type BothPasswords } from "../password.ts";

export function passwd(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  let obtained: Promise<BothPasswords> | undefined;
  // A login that needs a password takes the current one, too.
  const both = () => (obtained ??= obtainBothPasswords(context));
  return withAccount(
    context,
    "passwd",
    async (account) => {
      const { current, next } = await untilAborted(signal, both());
      const change = account.request("change_password", { password: current, new_password: next });
      try {
        await untilAborted(signal, change);
      } catch (error) {
        const isWrong = error instanceof RefusedError && error.code === "invalid_credentials";
        if (!isWrong) throw error;
        return output.failure(failure("refused", error.code, texts.passwordWrong));
      }
      output.event({ event: "password_changed", username: account.username }, texts.passwordChanged);
      return EXIT.done;
    },
    () => undefined,
    async () => (await both()).current,
  );
}
