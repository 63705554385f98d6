/**
 * Taking messages away on this side. Ids stay for ever, so that what was deleted here is still a
 * duplicate when it is sent again; of the texts nothing is left in the file.
 */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { KIND } from "../disk/schema.ts";

/** Messages deleted in one commit: wiping their words from the index takes about half a millisecond each. */
const BATCH = 50;

/** What deleting does to a row: the id, its state and its place stay. */
const FORGET = `kind = ${KIND.deleted}, text = '', reply_to = NULL, target = NULL, printed = 1`;
/** Not deleted: what still waits to leave, which is cancelled or withdrawn instead. */
const IS_SETTLED = "NOT (outgoing = 1 AND state < 2 AND withdrawn_at IS NULL)";

export class MessageRemoval {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Takes a message out of the outbox that is on no wire yet; false: there is none, or it may be on one. */
  cancel(contact: Contact, id: string): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET ${FORGET}
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND state = 0 AND tried = 0`,
      [contact.id, id],
    );
    return changes > 0;
  }

  /** Gives another text to a message that is on no wire yet; false: there is none, or it may be on one. */
  rewrite(contact: Contact, id: string, text: string, now: number): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET text = ?, edited_at = ?
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND state = 0 AND tried = 0`,
      [text, now, contact.id, id],
    );
    return changes > 0;
  }

  /**
   * Deletes one text here; false: there is none, or it still waits to leave. An edit of it that waits
   * still leaves, and takes its wording along once it is acknowledged.
   */
  delete(contact: Contact, id: string, outgoing: boolean): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET ${FORGET}
       WHERE contact = ? AND outgoing = ? AND id = ? AND kind = ${KIND.text} AND ${IS_SETTLED}`,
      [contact.id, outgoing ? 1 : 0, id],
    );
    return changes > 0;
  }

  /**
   * Deletes the next of a conversation's messages up to `lastSeq`; what waits to leave stays.
   * @returns how many, and whether there may be more.
   */
  deleteSome(contact: Contact, lastSeq: number): { deleted: number; isMore: boolean } {
    const { changes: deleted } = this.#database.run(
      `UPDATE messages SET ${FORGET} WHERE seq IN (
         SELECT seq FROM messages WHERE contact = ? AND seq <= ? AND kind = ${KIND.text} AND ${IS_SETTLED}
         ORDER BY seq LIMIT ${BATCH})`,
      [contact.id, lastSeq],
    );
    return { deleted, isMore: deleted === BATCH };
  }

  /** Leaves nothing of deleted texts in the log beside the file either, unless another process reads there. */
  wipeLog(): void {
    this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}
