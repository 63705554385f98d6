/**
 * Deletes messages on this side. Their ids stay for ever, so that a deleted message is recognized as a duplicate if
 * it is sent again; their texts are removed from the file, their last traces by `TextWipe`.
 */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";
import { CLEAR_WORDS, KIND } from "../disk/schema.ts";
import { IN_OUTBOX } from "./stored-message.ts";
import { canShrink } from "../disk/vacuum.ts";
import { TransferStore } from "./transfers.ts";

/** Messages, and about so many bytes of them, deleted in one commit, which takes about 10 ms. */
const BATCH = 500;
const BATCH_BYTES = 512 * 1024;
/** As `BATCH`, of messages in the index of words: to remove those of one from it takes 0.5 ms and more. */
const INDEXED_BATCH = 25;
/** As many left to delete that the index of words is sooner made anew, in the background. */
const MANY = 1_000;

/** Deletes a row's content, but not its id, state and number. */
const FORGET = `kind = ${KIND.deleted}, text = '', reply_to = NULL, target = NULL, printed = 1`;
/** Messages in the outbox are not deleted: those are cancelled or withdrawn. */
const IS_SETTLED = "NOT (outgoing = 1 AND state < 2 AND withdrawn_at IS NULL)";

export class MessageRemoval {
  readonly #database: Database;
  readonly #transfers: TransferStore;

  constructor(database: Database) {
    this.#database = database;
    this.#transfers = new TransferStore(database);
  }

  /** Removes a message that was not tried yet from the outbox. @returns false: there is no such message */
  cancel(contact: Contact, id: string): boolean {
    return this.#cancel(contact, "", "id = ?", id).length > 0;
  }

  /** As `cancel`, for all of them at once. @returns their ids, oldest first */
  cancelAll(contact: Contact): string[] {
    return this.#cancel(contact, "INDEXED BY outbox", "TRUE");
  }

  #cancel(contact: Contact, index: string, condition: string, ...values: string[]): string[] {
    const cancel = this.#database.transaction(() => {
      const cancelled = this.#database
        .query<{ seq: number; id: string }, (string | number)[]>(
          `UPDATE messages ${index} SET ${FORGET}
           WHERE contact = ? AND ${IN_OUTBOX} AND kind = ${KIND.text} AND state = 0 AND tried = 0 AND ${condition}
           RETURNING seq, id`,
        )
        .all(contact.id, ...values)
        .sort((one, other) => one.seq - other.seq)
        .map(({ id }) => id);
      for (const id of cancelled) this.#transfers.withdrawn(contact, id);
      return cancelled;
    });
    return cancel.immediate();
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
   * @returns how many, and whether there are more
   */
  deleteSome(contact: Contact, lastSeq: number): { deleted: number; isMore: boolean } {
    return this.#deleteSome(`contact = ? AND seq <= ? AND ${IS_SETTLED}`, contact.id, lastSeq);
  }

  /** Deletes the next messages that a contact has sent after `afterSeq`. @returns as `deleteSome` */
  deleteReceived(contact: Pick<Contact, "id">, afterSeq: number): { deleted: number; isMore: boolean } {
    return this.#deleteSome("contact = ? AND seq > ? AND outgoing = 0", contact.id, afterSeq);
  }

  /** Deletes the next texts of a feed of a group below a number. @param feed its row number @returns as `deleteSome` */
  deleteEntries(feed: number, below: number): { deleted: number; isMore: boolean } {
    return this.#deleteSome("feed = ? AND number < ?", feed, below);
  }

  #deleteSome(condition: string, whose: number, edge: number): { deleted: number; isMore: boolean } {
    const settled = `FROM messages WHERE kind = ${KIND.text} AND ${condition} ORDER BY seq`;
    const next = this.#database
      .query<{ bytes: number; isIndexed: number }, [number, number]>(
        `SELECT octet_length(text) AS bytes, seq <= (SELECT seq FROM search_progress) AS isIndexed
         ${settled} LIMIT ${MANY}`,
      )
      .all(whose, edge);
    const isIndexed = next[0]?.isIndexed === 1;
    // Again and again, because another process or a search may have begun to make it anew.
    const isCleared = isIndexed && next.length === MANY;
    if (isCleared) this.#clearWords();
    const most = Math.min(next.length, isIndexed && !isCleared ? INDEXED_BATCH : BATCH);
    let count = 0;
    for (let bytes = 0; count < most && bytes < BATCH_BYTES; count++) bytes += next[count]?.bytes ?? 0;
    const { changes: deleted } = this.#database.run(
      `UPDATE messages SET ${FORGET} WHERE seq IN (SELECT seq ${settled} LIMIT ?)`,
      [whose, edge, count],
    );
    return { deleted, isMore: next.length > count };
  }

  #clearWords(): void {
    // Pages that are given back need not be overwritten first, which takes 0.3 s for a million messages.
    if (canShrink(this.#database)) this.#database.run("PRAGMA secure_delete=FAST");
    try {
      this.#database.transaction(() => CLEAR_WORDS.forEach((sql) => this.#database.run(sql))).immediate();
    } finally {
      this.#database.run("PRAGMA secure_delete=ON");
    }
  }
}
