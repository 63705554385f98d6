/** The texts of this account in a group that are signed, and how far the others have them. */
import type { Database } from "bun:sqlite";

import type { GroupCounts } from "../../conversation/events.ts";
import { KIND } from "../../disk/schema.ts";
import type { Contact } from "../../profile/contacts.ts";
import {
  MESSAGE_COLUMNS,
  messageOf,
  type MessageRow,
  type StoredMessage,
} from "../../profile/stored-message.ts";
import { people } from "../sync/members.ts";
import type { Membership } from "../sync/membership.ts";

/** Up to which number of a feed somebody has the texts, and has read them. */
export type Progress = { readonly received: number; readonly read: number };

/** Every method throws SQLiteError when the disk fails. */
export class OwnTexts {
  readonly #database: Database;
  readonly #contact: Contact;

  constructor(database: Database, contact: Contact) {
    this.#database = database;
    this.#contact = contact;
  }

  /** What is stored of the others, by term. */
  progress(feed: string): Map<string, Progress> {
    const rows = this.#database
      .query<{ term: string; received: number; read: number }, [number, string]>(
        `SELECT term.feed AS term, received, group_peers.read AS read
         FROM group_peers JOIN group_feeds AS own ON own.id = group_peers.own
         JOIN group_feeds AS term ON term.id = group_peers.term WHERE own.contact = ? AND own.feed = ?`,
      )
      .all(this.#contact.id, feed);
    return new Map(rows.map(({ term, received, read }) => [term, { received, read }]));
  }

  /** Up to which number the texts of each feed were read here. */
  readHere(): readonly { readonly feed: string; readonly read: number }[] {
    return this.#database
      .query<{ feed: string; read: number }, [number]>(
        "SELECT feed, read FROM group_feeds WHERE contact = ? AND read > 0 AND is_own = 0",
      )
      .all(this.#contact.id);
  }

  /** Those of these numbers, both included, that are not withdrawn, and the edits and withdrawals among them. */
  between(feed: string, from: number, to: number): StoredMessage[] {
    return this.#database
      .query<MessageRow, [number, string, number, number]>(
        `SELECT ${MESSAGE_COLUMNS} FROM messages
         WHERE feed = (SELECT id FROM group_feeds WHERE contact = ? AND feed = ?) AND number BETWEEN ? AND ?
           AND kind IN (${KIND.text}, ${KIND.edit}, ${KIND.withdraw}) AND withdrawn_at IS NULL ORDER BY number`,
      )
      .all(this.#contact.id, feed, from, to)
      .map(messageOf);
  }
}

/** How many people have a text of this number, and have read it. @param own the label of its author */
export function countsOf(
  membership: Membership,
  progress: ReadonlyMap<string, Progress>,
  number: number,
  own: string,
): GroupCounts {
  const others = people(membership).filter(({ label, state }) => label !== own && state === "member");
  const count = (has: (progress: Progress) => number) =>
    others.filter(({ terms }) =>
      terms.some(({ feed }) => {
        const known = progress.get(feed);
        return known !== undefined && has(known) >= number;
      }),
    ).length;
  return { received: count(({ received }) => received), read: count(({ read }) => read), of: others.length };
}
