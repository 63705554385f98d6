/** `logout`: deletes the stored session here, and ends it at the server if that can be reached. */
import { describeFailure, EXIT, type ExitCode } from "../../failures.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";

export function logout(context: CommandContext): Promise<ExitCode> {
  const { config, output, signal } = context;
  const texts = textsIn(config.language);
  return withAccount(context, "logout", async (account) => {
    if (!account.hasSession) {
      output.event({ event: "logged_out", username: account.username }, undefined);
      output.notice(texts.notLoggedIn);
      return EXIT.done;
    }
    const failure = await untilAborted(signal, account.logOut());
    if (failure !== undefined) {
      const exit = output.failure(describeFailure(failure, config));
      output.notice(texts.loggedOutHere);
      return exit;
    }
    output.event({ event: "logged_out", username: account.username }, texts.loggedOut);
    return EXIT.done;
  });
}
