/** What becomes of what was written in a group and never signed, when its author leaves or is removed. */
import { KIND } from "../../disk/schema.ts";
import type { Contact } from "../../profile/contacts.ts";
import type { Profile } from "../../profile/profile.ts";
import { IN_OUTBOX } from "../../profile/stored-message.ts";
import type { Term } from "../sync/membership.ts";

/**
 * Texts that are not signed are never sent any more: they go into the draft of the input line, one below the other, behind
 * what stands there. @returns their ids, oldest first
 * @throws SQLiteError
 */
export function setAside(
  { database, drafts, messages, removal, transfers }: Profile,
  contact: Contact,
): string[] {
  const move = database.transaction(() => {
    const isFile = (id: string) => transfers.find(id) !== undefined;
    const texts = messages
      .unclaimed(contact, Number.MAX_SAFE_INTEGER)
      .flatMap((each) => (each.kind === "text" && !isFile(each.id) ? [each.text] : []));
    if (texts.length === 0) return removal.cancelAll(contact);
    const parts = drafts.of(contact);
    // Parts were typed and pasted in turn.
    const isTypedLast = parts.length % 2 === 1;
    const before = isTypedLast ? [parts.at(-1) ?? ""] : [];
    drafts.save(contact, [...parts.slice(0, parts.length - before.length), [...before, ...texts].join("\n")]);
    return removal.cancelAll(contact);
  });
  return move.immediate();
}

/**
 * Texts that were signed before one learnt that the term had ended, and so count for nobody, are as if they were not.
 * @throws SQLiteError
 */
export function unsign({ database }: Profile, { id }: Contact, { feed, cutT }: Term): void {
  database.run(
    `UPDATE messages SET tried = 0, feed = NULL, number = NULL
     WHERE contact = ?1 AND ${IN_OUTBOX} AND kind = ${KIND.text} AND number > ?3
       AND feed = (SELECT id FROM group_feeds WHERE contact = ?1 AND feed = ?2)`,
    [id, feed, cutT],
  );
}

/** Edits and withdrawals that are not signed are never told to the others any more. @throws SQLiteError */
export function forgetChanges({ database }: Profile, { id }: Contact): void {
  database.run(
    `UPDATE messages SET kind = ${KIND.deleted}, text = '', target = NULL
     WHERE contact = ? AND ${IN_OUTBOX} AND kind IN (${KIND.edit}, ${KIND.withdraw}) AND tried = 0`,
    [id],
  );
}
