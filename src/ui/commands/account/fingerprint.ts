/** `fingerprint [USER] [--accept]`: what two people compare; needs no network. */
import { ownFingerprint } from "../../../client/safety-numbers.ts";
import { showFingerprint } from "../../../identity/fingerprint.ts";
import { acceptPendingKey, safetyNumbers, type SafetyNumber } from "../../../client/safety-numbers.ts";
import { UsageError } from "../../../protocol/options.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import type { CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalProfile } from "../local-profile.ts";

export async function fingerprint({ config, args, output }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user] = args;
  if (user === undefined && config.accept) throw new UsageError(texts.acceptNeedsUser);
  return withLocalProfile(config, (profile) => {
    if (user === undefined) {
      const own = ownFingerprint(profile);
      const { username } = profile;
      output.event(
        { event: "fingerprint", username, fingerprint: own },
        `${texts.ownFingerprint(visibleText(username))}\n${showFingerprint(own)}`,
      );
      return EXIT.done;
    }
    const shown = visibleText(user);
    const known = safetyNumbers(profile, user, { markShown: !config.accept });
    if (known.numbers.length === 0) {
      output.failure({ code: "no_known_key", sentence: texts.noKnownKey(shown) });
      return EXIT.other;
    }
    const show = ({ number, fingerprint, pending }: SafetyNumber) => {
      const { username } = known;
      const title = pending ? texts.pendingSafetyNumber(shown) : texts.safetyNumber(shown);
      output.event(
        { event: "safety_number", username, safety_number: number, fingerprint, pending },
        `${title}\n  ${number}`,
      );
    };
    if (!config.accept) {
      known.numbers.forEach(show);
      return EXIT.done;
    }
    const acceptance = acceptPendingKey(profile, user, Date.now(), { mustBeShown: false });
    switch (acceptance.result) {
      case "accepted":
        show(acceptance.number);
        output.tell(texts.keyAccepted(shown));
        return EXIT.done;
      case "none":
        output.failure({ code: "no_pending_key", sentence: texts.noPendingKey(shown) });
        return EXIT.other;
      case "changed_again":
      case "not_shown": {
        output.failure({ code: "key_changed_again", sentence: texts.keyChangedAgain(shown) });
        const { numbers } = safetyNumbers(profile, user, { markShown: true });
        numbers.filter(({ pending }) => pending).forEach(show);
        return EXIT.notProven;
      }
      default:
        return acceptance satisfies never;
    }
  });
}
