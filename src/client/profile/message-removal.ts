/**
 * Deletes messages on this side. Their ids stay for ever, so that a deleted message is recognized as a duplicate if
 * it is sent again; their texts are removed from the file.
 */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { KIND } from "../disk/schema.ts";

/** Messages deleted in one commit: to remove the words of one from the index takes about 0.5 ms. */
const BATCH = 50;

/** Deletes a row's content, but not its id, state and number. */
const FORGET = `kind = ${KIND.deleted}, text = '', reply_to = NULL, target = NULL, printed = 1`;
/** Messages in the outbox are not deleted: those are cancelled or withdrawn. */
const IS_SETTLED = "NOT (outgoing = 1 AND state < 2 AND withdrawn_at IS NULL)";

export class MessageRemoval {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Removes a message that was not tried yet from the outbox. @returns false: there is no such message */
  cancel(contact: Contact, id: string): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET ${FORGET}
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND state = 0 AND tried = 0`,
      [contact.id, id],
    );
    return changes > 0;
  }

  /** Changes the text of a message in the outbox that was not tried yet. @returns false: there is no such message */
  rewrite(contact: Contact, id: string, text: string, now: number): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET text = ?, edited_at = ?
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND state = 0 AND tried = 0`,
      [text, now, contact.id, id],
    );
    return changes > 0;
  }

  /**
   * Deletes one text. If an edit of it is in the outbox, the edit is still sent, and deleted once it is acknowledged.
   * @returns false: there is no such text, or it is in the outbox
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
   * Deletes the next messages of a conversation up to `lastSeq`, except those in the outbox.
   * @returns how many, and whether there may be more
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

  /** Removes deleted texts from the write-ahead log, unless another process is reading it. */
  wipeLog(): void {
    this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}
