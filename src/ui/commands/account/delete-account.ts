/** `delete-account`: deletes the account at the server. What is stored on this machine stays. */
import { PasswordNeededError } from "../../../client/errors.ts";
import { isSamePerson } from "../../../identity/names.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedName, quotedText } from "../../../protocol/quoted-text.ts";
import { EXIT, failure, type ExitCode } from "../../failures.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";
import { askText, canAsk, obtainPassword } from "../password.ts";

export function deleteAccount(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  if (!config.yes && !canAsk(context.process)) throw new UsageError(texts.accountDeletionNeedsYes);
  let obtained: Promise<string | undefined> | undefined;
  // A login that needs a password takes the same one.
  const password = (username: string) => (obtained ??= obtainPassword(context, username, false));
  return withAccount(
    context,
    "delete-account",
    async (account) => {
      const { username, folder } = account;
      const user = quotedName(username);
      if (!config.yes) {
        const typed = await untilAborted(signal, askText(context, texts.accountDeletionQuestion(user)));
        if (!isSamePerson(typed.trim(), username))
          return output.failure(failure("other", "declined", texts.accountDeletionDeclined));
      }
      const given = await untilAborted(signal, password(username));
      if (given === undefined) throw new PasswordNeededError(false);
      await untilAborted(signal, account.request("delete_account", { password: given }));
      const deleted = { event: "account_deleted", username, folder };
      output.event(deleted, texts.accountDeleted(user, quotedText(folder)));
      return EXIT.done;
    },
    () => undefined,
    password,
  );
}
