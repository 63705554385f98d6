/** `fingerprint [USER] [--accept]`: what two people compare; needs no network. */
import { openLocalProfile } from "../../client/accounts.ts";
import type { ContactKey } from "../../client/contact-store.ts";
import { ownFingerprint, safetyNumberWith, showFingerprint } from "../../client/fingerprints.ts";
import { UsageError } from "../../protocol/options.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import type { CommandContext } from "../session.ts";
import { textsIn } from "../texts.ts";

export async function fingerprint({ config, args, output }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user] = args;
  if (user === undefined && config.accept) throw new UsageError(texts.acceptNeedsUser);
  const profile = openLocalProfile(config);
  try {
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
    const contact = profile.contacts.find(user);
    const pending = contact === undefined ? undefined : profile.contacts.pendingKey(contact);
    const pins = contact === undefined ? [] : profile.contacts.pins(contact);
    if (contact === undefined || (pins.length === 0 && pending === undefined)) {
      output.failure("no_known_key", texts.noKnownKey(shown));
      return EXIT.other;
    }
    const show = (key: ContactKey, isPending: boolean) => {
      const number = safetyNumberWith(profile, contact, key);
      const title = isPending ? texts.pendingSafetyNumber(shown) : texts.safetyNumber(shown);
      output.event(
        {
          event: "safety_number",
          username: contact.username,
          safety_number: number,
          fingerprint: key.fingerprint,
          pending: isPending,
        },
        `${title}\n  ${number}`,
      );
    };
    if (!config.accept) {
      for (const pin of pins) show(pin, false);
      if (pending !== undefined) {
        show(pending, true);
        profile.contacts.markShown(contact, pending.fingerprint);
      }
      return EXIT.done;
    }
    if (pending === undefined) {
      output.failure("no_pending_key", texts.noPendingKey(shown));
      return EXIT.other;
    }
    if (pending.shown !== undefined && pending.shown !== pending.fingerprint) {
      // What the person compared is not what would be accepted.
      output.failure("key_changed_again", texts.keyChangedAgain(shown));
      show(pending, true);
      profile.contacts.markShown(contact, pending.fingerprint);
      return EXIT.notProven;
    }
    profile.contacts.pin(contact, pending, Date.now());
    show(pending, false);
    output.tell(texts.keyAccepted(shown));
    return EXIT.done;
  } finally {
    profile.close();
  }
}
