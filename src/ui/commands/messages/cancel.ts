/**
 * `cancel USER [ID]`: takes a message out of the outbox before it leaves; without ID all of them. It
 * needs no lock: what may be on a wire is marked in the store, and stays.
 */
import type { Contact } from "../../../client/profile/contacts.ts";
import { ActionError, cancelMessage } from "../../../client/conversation/message-actions.ts";
import type { Profile } from "../../../client/profile/profile.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import type { CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalProfile } from "../local-profile.ts";

/** Messages looked at at a time. */
const PAGE = 1_000;

export function cancel({ config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user = "", id] = args;
  return withLocalProfile(config, (profile) => {
    const contact = profile.contacts.find(user);
    const to = contact?.username ?? user;
    if (id !== undefined) {
      if (contact === undefined) throw new ActionError("unknown_message");
      cancelMessage(profile, contact, id);
      output.event({ event: "cancelled", to, id }, texts.cancelled(visibleText(to)));
      return EXIT.done;
    }
    let count = 0;
    for (const waiting of contact === undefined ? [] : waitingTo(profile, contact)) {
      signal.throwIfAborted();
      if (!profile.removal.cancel(contact as Contact, waiting)) continue;
      count++;
      output.event({ event: "cancelled", to, id: waiting }, undefined);
    }
    output.tell(
      count === 0 ? texts.nothingToCancel(visibleText(to)) : texts.cancelledMany(count, visibleText(to)),
    );
    const left = contact === undefined ? 0 : profile.messages.outboxCounts(contact).text;
    if (left > 0) output.tell(texts.perhapsLeft(left));
    return EXIT.done;
  });
}

/** The ids of the texts in the outbox to a contact, oldest first; they stand near the conversation's end. */
function waitingTo({ messages, history }: Profile, contact: Contact): string[] {
  const count = messages.outboxCounts(contact).text;
  const ids: string[] = [];
  let seq: number | undefined;
  while (ids.length < count) {
    const page = history.before(contact, seq, PAGE);
    for (const { outgoing, state, withdrawnAt, id } of page.messages.toReversed()) {
      const isWaiting = outgoing && (state === "queued" || state === "sent") && withdrawnAt === undefined;
      if (isWaiting) ids.push(id);
    }
    seq = page.messages[0]?.seq;
    if (!page.isMore) break;
  }
  return ids.reverse();
}
