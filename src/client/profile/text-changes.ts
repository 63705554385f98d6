/** Applies edits and withdrawals of both sides to the stored texts. Runs inside a transaction. */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { KIND, STATE } from "../disk/schema.ts";
import { MESSAGE_COLUMNS, messageOf, type MessageRow, type StoredMessage } from "./stored-message.ts";

export class TextChanges {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
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
    if (row !== null) return messageOf(row);
    // If the text arrives later, on an older link, this row makes it a duplicate.
    if (!outgoing) {
      this.#database.run(
        `INSERT INTO messages (contact, outgoing, id, text, received_at, state, kind, printed, withdrawn_at)
         VALUES (?, 0, ?, '', ?, ${STATE.received}, ${KIND.deleted}, 1, ?) ON CONFLICT DO NOTHING`,
        [contact.id, target, now, now],
      );
    }
    return undefined;
  }
}
