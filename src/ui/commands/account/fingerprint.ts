/** `fingerprint [USER] [--accept]`: what two people compare; needs no network. */
import { withArchive } from "../../../client/archive.ts";
import type { SafetyNumber } from "../../../client/safety-numbers.ts";
import { showFingerprint } from "../../../identity/fingerprint.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedName } from "../../../protocol/quoted-text.ts";
import { EXIT, failure, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalAccount, type CommandContext } from "../online-account.ts";

export async function fingerprint(context: CommandContext): Promise<ExitCode> {
  const { config, args, output } = context;
  const texts = textsIn(config.language);
  const [user] = args;
  if (user === undefined && config.accept) throw new UsageError(texts.acceptNeedsUser);
  return withArchive(config, async (archive) => {
    const { username: own, safetyNumbers } = archive;
    if (user === undefined) {
      const { ownFingerprint } = safetyNumbers;
      output.event(
        { event: "fingerprint", username: own, fingerprint: ownFingerprint },
        `${texts.ownFingerprint(quotedName(own))}\n${showFingerprint(ownFingerprint)}`,
      );
      return EXIT.done;
    }
    const shown = shownName(namesKnownTo(archive, [user]).book, user);
    const { username, numbers } = safetyNumbers.with(user, { markShown: !config.accept });
    if (numbers.length === 0) {
      return output.failure(failure("other", "no_known_key", texts.noKnownKey(shown)));
    }
    const show = ({ number, fingerprint, pending }: SafetyNumber) => {
      const title = pending ? texts.pendingSafetyNumber(shown) : texts.safetyNumber(shown);
      output.event(
        { event: "safety_number", username, safety_number: number, fingerprint, pending },
        `${title}\n  ${number}`,
      );
    };
    if (!config.accept) {
      numbers.forEach(show);
      return EXIT.done;
    }
    const acceptance = await withLocalAccount(context, "fingerprint", (account) =>
      account.request("accept_key", { username: user }),
    );
    switch (acceptance.result) {
      case "accepted":
        show(acceptance.number);
        output.notice(texts.keyAccepted(shown));
        return EXIT.done;
      case "none":
        return output.failure(failure("other", "no_pending_key", texts.noPendingKey(shown)));
      case "changed_again":
      case "not_shown": {
        const isFirst = acceptance.result === "not_shown";
        const exit = output.failure(
          isFirst
            ? failure("notProven", "key_not_shown", texts.keyNotShown(shown))
            : failure("notProven", "key_changed_again", texts.keyChangedAgain(shown)),
        );
        const known = safetyNumbers.with(user, { markShown: true });
        known.numbers.filter(({ pending }) => pending).forEach(show);
        return exit;
      }
      default:
        return acceptance satisfies never;
    }
  });
}
