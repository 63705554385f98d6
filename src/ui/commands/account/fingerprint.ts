/** `fingerprint [USER] [--accept]`: what two people compare; needs no network. */
import { withArchive, withReadableArchive } from "../../../client/archive.ts";
import { isDamage, isStorageFailure } from "../../../client/errors.ts";
import type { SafetyNumber, SafetyNumbers } from "../../../client/safety-numbers.ts";
import { showFingerprint } from "../../../identity/fingerprint.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedName } from "../../../protocol/quoted-text.ts";
import { EXIT, failure, systemMessage, typedName, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalAccount, type CommandContext } from "../online-account.ts";

/** The numbers with a person, which are about to be shown. What is shown is shown too where that cannot be noted. */
function numbersToShow(safetyNumbers: SafetyNumbers, user: string, { config, output }: CommandContext) {
  try {
    return safetyNumbers.with(user, { markShown: true });
  } catch (error) {
    if (isDamage(error) || !isStorageFailure(error)) throw error;
    output.notice(textsIn(config.language).numberNotNoted(systemMessage(error)));
    return safetyNumbers.with(user, { markShown: false });
  }
}

export async function fingerprint(context: CommandContext): Promise<ExitCode> {
  const { config, args, output } = context;
  const texts = textsIn(config.language);
  const [user] = args;
  if (user === undefined && config.accept) throw new UsageError(texts.acceptNeedsUser);
  const withStored = config.accept ? withArchive : withReadableArchive;
  return withStored(config, async (archive) => {
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
    const { username, numbers } = config.accept
      ? safetyNumbers.with(user, { markShown: false })
      : numbersToShow(safetyNumbers, user, context);
    if (numbers.length === 0) {
      return output.failure(failure("other", "no_known_key", texts.noKnownKey(shown)));
    }
    const show = ({ number, fingerprint, pending, verified }: SafetyNumber) => {
      const title = pending ? texts.pendingSafetyNumber(shown) : texts.safetyNumber(shown);
      output.event(
        { event: "safety_number", username, safety_number: number, fingerprint, pending, verified },
        `${title}\n  ${number}${verified ? `\n  ${texts.verifiedMark}` : ""}`,
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
      case "verification_needed": {
        const sentence = texts.acceptNeedsVerification(shown, typedName(username, texts));
        return output.failure(failure("notProven", "verification_needed", sentence));
      }
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
