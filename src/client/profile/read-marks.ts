/** How far the peer has read, and which of our messages are therefore read. Runs inside a transaction. */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { KIND, STATE } from "../disk/schema.ts";
import { IN_OUTBOX } from "./stored-message.ts";

export class ReadMarks {
  readonly #database: Database;
  /** Results of `beforeAcknowledged` by contact; only this class changes them. */
  readonly #before = new Map<number, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** The `seq` up to which the peer has read, if a message before it is not acknowledged; else 0. */
  beforeAcknowledged(contact: Contact): number {
    // Kept in memory, because every commit with an acknowledgement asks.
    const known = this.#before.get(contact.id);
    if (known !== undefined) return known;
    const { mark, first } = this.#database
      .query<{ mark: number; first: number | null }, number[]>(
        `SELECT (SELECT read_by_peer FROM contacts WHERE id = ?) AS mark,
                (SELECT seq FROM messages WHERE contact = ? AND ${IN_OUTBOX} ORDER BY seq LIMIT 1) AS first`,
      )
      .get(contact.id, contact.id) ?? { mark: 0, first: null };
    const found = first !== null && first <= mark ? mark : 0;
    this.#before.set(contact.id, found);
    return found;
  }

  /**
   * Marks messages that are acknowledged after they were read, because the first acknowledgement was lost.
   * @returns those of `ids` that have become read
   */
  markLate(contact: Contact, ids: readonly string[], mark: number, now: number): string[] {
    this.#before.delete(contact.id);
    const update = this.#database.query(
      `UPDATE messages SET state = ${STATE.read}, read_at = ?
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND withdrawn_at IS NULL
         AND state = ${STATE.received} AND seq <= ?`,
    );
    return ids.filter((id) => update.run(now, contact.id, id, mark).changes > 0);
  }

  /** The peer has read up to the message of this id. @returns the ids that have become read, in their order */
  mark(contact: Contact, id: string, now: number): string[] {
    const target = this.#database
      .query<{ seq: number; mark: number }, [number, string]>(
        `SELECT seq, read_by_peer AS mark FROM messages JOIN contacts ON contacts.id = contact
         WHERE contact = ? AND outgoing = 1 AND messages.id = ?`,
      )
      .get(contact.id, id);
    if (target === null || target.seq <= target.mark) return [];
    this.#before.delete(contact.id);
    this.#database.run("UPDATE contacts SET read_by_peer = ? WHERE id = ?", [target.seq, contact.id]);
    return this.#database
      .query<{ seq: number; id: string }, number[]>(
        `UPDATE messages SET state = ${STATE.read}, read_at = ?
         WHERE contact = ? AND kind = ${KIND.text} AND seq > ? AND seq <= ? AND outgoing = 1 AND state = ${STATE.received}
           AND withdrawn_at IS NULL
         RETURNING seq, id`,
      )
      .all(now, contact.id, target.mark, target.seq)
      .sort((a, b) => a.seq - b.seq)
      .map((row) => row.id);
  }
}
