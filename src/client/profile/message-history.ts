/** Reads the stored texts: conversations page by page, unread messages, and single messages. */
import type { Database } from "bun:sqlite";

import { CONSENT, STATE } from "../disk/schema.ts";
import { lightly } from "../disk/write-ahead-log.ts";
import type { Contact } from "./contacts.ts";
import { MESSAGE_COLUMNS, messageOf, type MessageRow, type StoredMessage } from "./stored-message.ts";

/** A page of a conversation, oldest first; `isMore`: older messages are stored. */
export type MessagePage = { readonly messages: readonly StoredMessage[]; readonly isMore: boolean };

export class MessageHistory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The conversation with a contact, oldest first, from after `seq` on. @param limit messages, at least 1 */
  after(contact: Contact, seq: number, limit: number): StoredMessage[] {
    return this.#texts("contact = ? AND seq > ? ORDER BY seq LIMIT ?", contact.id, seq, limit);
  }

  /**
   * The page of the conversation before `seq`; undefined: the newest page.
   * @param limit messages, at least 1
   */
  before(contact: Contact, seq: number | undefined, limit: number): MessagePage {
    // One more than requested, to see whether there are older ones.
    const newest = this.#texts(
      "contact = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
      contact.id,
      seq ?? Number.MAX_SAFE_INTEGER,
      limit + 1,
    );
    return { messages: newest.slice(0, limit).reverse(), isMore: newest.length > limit };
  }

  /**
   * The lowest `seq` of the texts of a contact from a time on: ours were written then, theirs arrived.
   * @param time ms since 1970 @returns undefined: there is none
   */
  firstSince(contact: Contact, time: number): number | undefined {
    return this.#seq(
      "AND CASE outgoing WHEN 1 THEN sent_at ELSE received_at END >= ? ORDER BY seq LIMIT 1",
      contact.id,
      time,
    );
  }

  /** The `seq` of the oldest of the newest `count` texts, at least 1; undefined: there are fewer. */
  firstOfLast(contact: Contact, count: number): number | undefined {
    return this.#seq("ORDER BY seq DESC LIMIT 1 OFFSET ?", contact.id, count - 1);
  }

  #seq(condition: string, ...values: number[]): number | undefined {
    return this.#database
      .query<{ seq: number }, number[]>(
        `SELECT seq FROM messages WHERE kind = 0 AND contact = ? ${condition}`,
      )
      .get(...values)?.seq;
  }

  /** When a contact was last heard of: a text of theirs arrived, or they took or read one. ms since 1970; undefined: never */
  lastHeard(contact: Contact): number | undefined {
    const newest = (columns: string, condition: string) =>
      `SELECT * FROM (SELECT ${columns} FROM messages WHERE kind = 0 AND contact = ?1 AND ${condition} ORDER BY seq DESC LIMIT 1)`;
    return (
      this.#database
        .query<{ time: number | null }, [number]>(
          `SELECT max(time) AS time FROM (
             ${newest("received_at AS time", "outgoing = 0")}
             UNION ALL ${newest("received_at", `outgoing = 1 AND state >= ${STATE.received}`)}
             UNION ALL SELECT read_at FROM messages
               WHERE seq = (SELECT read_by_peer FROM contacts WHERE id = ?1))`,
        )
        .get(contact.id)?.time ?? undefined
    );
  }

  /** The text of this id, ours or theirs; of two with the same id, ours. */
  find(contact: Pick<Contact, "id">, id: string): StoredMessage | undefined {
    const oursFirst = "contact = ? AND outgoing IN (0, 1) AND id = ? ORDER BY outgoing DESC LIMIT 1";
    return this.#texts(oursFirst, contact.id, id)[0];
  }

  bySeq(seq: number): StoredMessage | undefined {
    return this.#texts("seq = ?", seq)[0];
  }

  /** The texts of all conversations after `seq` but those of requests, oldest first. @param limit messages, at least 1 */
  since(seq: number, limit: number): StoredMessage[] {
    return this.#texts("seq > ? AND printed < 2 ORDER BY seq LIMIT ?", seq, limit);
  }

  /** Incoming messages that were not printed yet, oldest first; those of requests are left out. */
  unprinted(limit: number): StoredMessage[] {
    return this.#texts("outgoing = 0 AND printed = 0 ORDER BY seq LIMIT ?", limit);
  }

  /** As `unprinted`, of one contact. */
  unprintedOf(contact: Contact, limit: number): StoredMessage[] {
    return this.#texts(
      "contact = ? AND outgoing = 0 AND printed = 0 ORDER BY seq LIMIT ?",
      contact.id,
      limit,
    );
  }

  /**
   * Incoming messages after the number `seq`, oldest first: up to the number `stored` only those not printed yet.
   * @param bytes most of their texts; the first one comes in any case
   */
  arrived(seq: number, stored: number, limit: number, bytes: number): StoredMessage[] {
    const within = "outgoing = 0 AND seq > ? AND (printed = 0 OR printed = 1 AND seq > ?)";
    const sizes = this.#database
      .query<{ seq: number; bytes: number }, number[]>(
        `SELECT seq, octet_length(text) AS bytes FROM messages WHERE kind = 0 AND ${within} ORDER BY seq LIMIT ?`,
      )
      .all(seq, stored, limit);
    let total = 0;
    const over = sizes.findIndex((each) => (total += each.bytes) > bytes);
    const last = sizes.at(over === -1 ? -1 : Math.max(0, over - 1));
    return last === undefined
      ? []
      : this.#texts(`${within} AND seq <= ? ORDER BY seq`, seq, stored, last.seq);
  }

  #texts(condition: string, ...values: (number | string)[]): StoredMessage[] {
    return this.#database
      .query<MessageRow, (number | string)[]>(
        `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE kind = 0 AND ${condition}`,
      )
      .all(...values)
      .map(messageOf);
  }

  /** How many messages of each contact (row number) were not printed yet; contacts without any are left out, and so is whoever was declined or blocked. Who has waited longest is first. */
  unreadCounts(): Map<number, number> {
    // Without the hint SQLite scans every message, by an index that is sorted by contact.
    const rows = this.#database
      .query<{ contact: number; count: number }, []>(
        `SELECT contact, count(*) AS count FROM messages INDEXED BY unprinted
         WHERE outgoing = 0 AND printed = 0 AND kind = 0 AND contact NOT IN (
           SELECT id FROM contacts
           WHERE is_blocked = 1 OR (consent = ${CONSENT.stranger} AND declined_until IS NOT NULL)
         ) GROUP BY contact ORDER BY min(seq)`,
      )
      .all();
    return new Map(rows.map(({ contact, count }) => [contact, count]));
  }

  /** The lowest `seq` of a contact's messages that were not printed yet; undefined: all were. */
  unreadFrom(contact: Contact): number | undefined {
    return this.#database
      .query<{ seq: number }, [number]>(
        `SELECT seq FROM messages INDEXED BY unprinted
         WHERE contact = ? AND outgoing = 0 AND printed = 0 AND kind = 0 ORDER BY seq LIMIT 1`,
      )
      .get(contact.id)?.seq;
  }

  markPrinted(sequences: readonly number[]): void {
    const mark = this.#database.query("UPDATE messages SET printed = 1 WHERE seq = ?");
    const markAll = this.#database.transaction(() => {
      for (const seq of sequences) mark.run(seq);
    });
    lightly(this.#database, markAll);
  }
}
