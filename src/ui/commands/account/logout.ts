/** `logout`: ends the stored session, here in any case and at the server where it can be reached. */
import { isTransient } from "../../../client/rendezvous/session.ts";
import { describeFailure, EXIT, type ExitCode } from "../../failures.ts";
import { closeAccount, openAccount, untilAborted, type CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";

export async function logout(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  const account = await untilAborted(
    signal,
    openAccount(context, "logout", () => undefined),
  );
  const { profile, rendezvous } = account.messenger;
  try {
    if (profile.sessionToken === undefined) {
      output.tell(texts.notLoggedIn);
      return EXIT.done;
    }
    try {
      await untilAborted(signal, rendezvous.resume());
      await untilAborted(signal, rendezvous.logOut());
    } catch (error) {
      if (!isTransient(error)) throw error;
      profile.forgetToken();
      const failure = describeFailure(error, config);
      output.failure(failure);
      output.tell(texts.loggedOutHere);
      return failure.exit;
    }
    output.event({ event: "logged_out", username: account.messenger.username }, texts.loggedOut);
    return EXIT.done;
  } finally {
    await closeAccount(context, account);
  }
}
