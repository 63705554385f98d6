/** Applies edits and withdrawals of both sides to the stored texts. Runs inside a transaction. */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { KIND, STATE } from "../disk/schema.ts";
import { MESSAGE_COLUMNS, messageOf, type MessageRow, type StoredMessage } from "./stored-message.ts";
import { TransferStore } from "./transfers.ts";

/** Stands for the target of a peer's action that no message here has as its id. */
export const UNKNOWN = "";
/** Rows kept for a peer's actions on unknown texts: anybody could make any number of them. */
export const MAX_UNKNOWN = 1_000;

export class TextChanges {
  readonly #database: Database;
  readonly #transfers: TransferStore;

  constructor(database: Database) {
    this.#database = database;
    this.#transfers = new TransferStore(database);
  }

  /** Whether the contact has sent a message of this id, which may be deleted by now. */
  isKnown(contact: Contact, id: string): boolean {
    return (
      this.#database
        .query("SELECT 1 FROM messages WHERE contact = ? AND outgoing = 0 AND id = ?")
        .get(contact.id, id) !== null
    );
  }

  /** Forgets the oldest actions of the contact on unknown texts, so that one more finds its place. */
  limitUnknown(contact: Contact): void {
    this.#database
      .query(
        `DELETE FROM messages WHERE seq IN (
           SELECT seq FROM messages WHERE contact = ? AND target = '${UNKNOWN}'
           ORDER BY seq DESC LIMIT -1 OFFSET ${MAX_UNKNOWN})`,
      )
      .run(contact.id);
  }

  /** Edits a text, unless it was withdrawn or deleted. */
  change(
    contact: Contact,
    outgoing: boolean,
    target: string,
    text: string,
    now: number,
  ): StoredMessage | undefined {
    const row = this.#database
      .query<MessageRow, (string | number)[]>(
        `UPDATE messages SET text = ?, edited_at = ?
         WHERE contact = ? AND outgoing = ? AND id = ? AND kind = ${KIND.text} AND withdrawn_at IS NULL
         RETURNING ${MESSAGE_COLUMNS}`,
      )
      .get(text, now, contact.id, outgoing ? 1 : 0, target);
    return row === null ? undefined : messageOf(row);
  }

  /** Withdraws a text: its content and its edits are deleted, also those in the outbox. */
  withdraw(contact: Contact, outgoing: boolean, target: string, now: number): StoredMessage | undefined {
    const side = outgoing ? 1 : 0;
    this.#database
      .query(
        `UPDATE messages SET kind = ${KIND.deleted}, text = ''
         WHERE contact = ? AND target = ? AND outgoing = ? AND kind = ${KIND.edit}`,
      )
      .run(contact.id, target, side);
    const row = this.#database
      .query<MessageRow, (string | number)[]>(
        `UPDATE messages SET text = '', reply_to = NULL, withdrawn_at = ?, printed = 1
         WHERE contact = ? AND outgoing = ? AND id = ? AND kind = ${KIND.text} AND withdrawn_at IS NULL
         RETURNING ${MESSAGE_COLUMNS}`,
      )
      .get(now, contact.id, side, target);
    if (row !== null) {
      this.#transfers.withdrawn(contact, target);
      return messageOf(row);
    }
    // If the text arrives later, on an older link, this row makes it a duplicate.
    if (!outgoing) {
      this.#database.run(
        `INSERT INTO messages (contact, outgoing, id, text, received_at, state, kind, printed, withdrawn_at, target)
         VALUES (?, 0, ?, '', ?, ${STATE.received}, ${KIND.deleted}, 1, ?, '${UNKNOWN}') ON CONFLICT DO NOTHING`,
        [contact.id, target, now, now],
      );
    }
    return undefined;
  }
}
