/**
 * Deleting messages on this side. Their ids stay for ever, so that a deleted message is still a duplicate when it
 * is sent again; nothing of the texts is left in the file.
 */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { KIND } from "../disk/schema.ts";

/** Messages deleted in one commit: removing the words of one from the index takes about 0.5 ms. */
const BATCH = 50;

/** Deletes a row's content; its id, state and place stay. */
const FORGET = `kind = ${KIND.deleted}, text = '', reply_to = NULL, target = NULL, printed = 1`;
/** Messages in the outbox are not deleted: those are cancelled or withdrawn. */
const IS_SETTLED = "NOT (outgoing = 1 AND state < 2 AND withdrawn_at IS NULL)";

export class MessageRemoval {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Removes a message from the outbox that was not tried yet; false: there is none. */
  cancel(contact: Contact, id: string): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET ${FORGET}
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND state = 0 AND tried = 0`,
      [contact.id, id],
    );
    return changes > 0;
  }

  /** Changes the text of a message in the outbox that was not tried yet; false: there is none. */
  rewrite(contact: Contact, id: string, text: string, now: number): boolean {
    const { changes } = this.#database.run(
      `UPDATE messages SET text = ?, edited_at = ?
       WHERE contact = ? AND outgoing = 1 AND id = ? AND kind = ${KIND.text} AND state = 0 AND tried = 0`,
      [text, now, contact.id, id],
    );
    return changes > 0;
  }

  /**
   * Deletes one text here; false: there is none, or it is in the outbox. An edit of it in the outbox is still
   * sent, and its wording is deleted once it is acknowledged.
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
   * Deletes the next of a conversation's messages up to `lastSeq`, but not those in the outbox.
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

  /** Removes deleted texts from the write-ahead log too, unless another process is reading. */
  wipeLog(): void {
    this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}
