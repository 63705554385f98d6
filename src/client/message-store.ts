/**
 * Messages on this disk: the outbox (outgoing ones that nobody acknowledged yet) and the history.
 * Every method that takes a list commits once.
 */
import type { Database, Statement } from "bun:sqlite";

import type { Contact } from "./contact-store.ts";

export type MessageState = "queued" | "sent" | "received";
const STATES: readonly MessageState[] = ["queued", "sent", "received"];
const QUEUED = 0;
const SENT = 1;
const RECEIVED = 2;

export type OutboxMessage = {
  readonly seq: number;
  readonly id: string;
  readonly text: string;
  /** ms since 1970 */
  readonly sentAt: number;
  readonly replyTo: string | undefined;
};

export type NewOutgoing = {
  readonly contact: Contact;
  readonly id: string;
  readonly text: string;
  readonly sentAt: number;
  readonly replyTo: string | undefined;
};

export type NewIncoming = {
  readonly id: string;
  readonly text: string;
  readonly sentAt: number | undefined;
  readonly replyTo: string | undefined;
};

export type LinkRead = {
  readonly incoming: readonly NewIncoming[];
  /** Ids that the peer says are on its disk. */
  readonly acknowledged: readonly string[];
  /** `seq` up to which this side has written; 0: nothing new. */
  readonly sentUpTo: number;
};
export type CommittedRead = {
  /** For each incoming message its `seq`, undefined for a duplicate. */
  readonly stored: readonly (number | undefined)[];
  /** The ids whose state this changed. */
  readonly acknowledged: readonly string[];
};

export type StoredMessage = {
  readonly seq: number;
  readonly contact: number;
  readonly outgoing: boolean;
  readonly id: string;
  readonly text: string;
  readonly replyTo: string | undefined;
  /** ms since 1970; undefined when the sender said none that can be true. */
  readonly sentAt: number | undefined;
  readonly receivedAt: number | undefined;
  readonly state: MessageState;
};

/** A page of a conversation, oldest first; `isMore`: older messages are stored. */
export type MessagePage = { readonly messages: readonly StoredMessage[]; readonly isMore: boolean };

type MessageRow = {
  seq: number;
  contact: number;
  outgoing: number;
  id: string;
  text: string;
  reply_to: string | null;
  sent_at: number | null;
  received_at: number | null;
  state: number;
};

const COLUMNS = "seq, contact, outgoing, id, text, reply_to, sent_at, received_at, state";

function messageOf(row: MessageRow): StoredMessage {
  return {
    seq: row.seq,
    contact: row.contact,
    outgoing: row.outgoing === 1,
    id: row.id,
    text: row.text,
    replyTo: row.reply_to ?? undefined,
    sentAt: row.sent_at ?? undefined,
    receivedAt: row.received_at ?? undefined,
    state: STATES[row.state] ?? "queued",
  };
}

export class MessageStore {
  readonly #database: Database;
  readonly #insert: Statement<unknown, (string | number | null)[]>;
  readonly #acknowledge: Statement<unknown, [number, number, string]>;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO messages (contact, outgoing, id, text, reply_to, sent_at, received_at, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#acknowledge = database.prepare(
      `UPDATE messages SET state = ${RECEIVED}, received_at = ?
       WHERE contact = ? AND outgoing = 1 AND id = ? AND state < ${RECEIVED}`,
    );
  }

  /** Commits messages to the outbox; gives the `seq` of each, in the order given. */
  queue(messages: readonly NewOutgoing[]): number[] {
    return this.#database.transaction(() =>
      messages.map((message) =>
        Number(
          this.#insert.run(
            message.contact.id,
            1,
            message.id,
            message.text,
            message.replyTo ?? null,
            message.sentAt,
            null,
            QUEUED,
          ).lastInsertRowid,
        ),
      ),
    )();
  }

  /** The next unacknowledged messages to a contact after `seq`, in the order in which they were written. */
  outboxAfter(contact: Contact, seq: number, limit: number): OutboxMessage[] {
    return this.#database
      .query<{ seq: number; id: string; text: string; sent_at: number; reply_to: string | null }, number[]>(
        `SELECT seq, id, text, sent_at, reply_to FROM messages
         WHERE contact = ? AND outgoing = 1 AND state < ${RECEIVED} AND seq > ? ORDER BY seq LIMIT ?`,
      )
      .all(contact.id, seq, limit)
      .map((row) => ({
        seq: row.seq,
        id: row.id,
        text: row.text,
        sentAt: row.sent_at,
        replyTo: row.reply_to ?? undefined,
      }));
  }

  outboxCount(contact: Contact): number {
    return (
      this.#database
        .query<{ count: number }, [number]>(
          `SELECT count(*) AS count FROM messages INDEXED BY outbox WHERE contact = ? AND outgoing = 1 AND state < ${RECEIVED}`,
        )
        .get(contact.id)?.count ?? 0
    );
  }

  /** The `seq` of the newest message; 0 when there is none. */
  lastSeq(): number {
    return (
      this.#database.query<{ last: number | null }, []>("SELECT max(seq) AS last FROM messages").get()
        ?.last ?? 0
    );
  }

  /** Row numbers of the contacts for whom something waits. */
  contactsWithOutbox(): number[] {
    return this.#database
      .query<{ contact: number }, []>(
        `SELECT DISTINCT contact FROM messages WHERE outgoing = 1 AND state < ${RECEIVED}`,
      )
      .all()
      .map((row) => row.contact);
  }

  /** Marks what was written on the wire, up to `seq`. */
  markSent(contact: Contact, seq: number): void {
    this.#database.run(
      `UPDATE messages SET state = ${SENT}
       WHERE contact = ? AND outgoing = 1 AND state = ${QUEUED} AND state < ${RECEIVED} AND seq <= ?`,
      [contact.id, seq],
    );
  }

  /**
   * Commits what one read of a link brought, in one transaction: texts that arrived, acknowledgements,
   * and how far this side has written.
   */
  commitRead(contact: Contact, read: LinkRead, now: number): CommittedRead {
    return this.#database.transaction(() => {
      const committed = {
        stored: read.incoming.map((message) => this.#receive(contact, message, now)),
        acknowledged: read.acknowledged.filter(
          (id) => this.#acknowledge.run(now, contact.id, id).changes > 0,
        ),
      };
      // After the acknowledgements: what they name needs no other mark.
      if (read.sentUpTo > 0) this.markSent(contact, read.sentUpTo);
      return committed;
    })();
  }

  #receive(contact: Contact, message: NewIncoming, now: number): number | undefined {
    const { id, text, replyTo = null, sentAt = null } = message;
    const result = this.#insert.run(contact.id, 0, id, text, replyTo, sentAt, now, RECEIVED);
    return result.changes === 0 ? undefined : Number(result.lastInsertRowid);
  }

  /** Incoming messages that were never printed, oldest first. */
  unprinted(limit: number): StoredMessage[] {
    return this.#database
      .query<MessageRow, [number]>(
        `SELECT ${COLUMNS} FROM messages WHERE outgoing = 0 AND printed = 0 ORDER BY seq LIMIT ?`,
      )
      .all(limit)
      .map(messageOf);
  }

  /** For each contact (row number) how many of their messages were never printed; who has none is not named. */
  unreadCounts(): Map<number, number> {
    // Without the hint every stored message is looked at, since another index has the contacts in order.
    const rows = this.#database
      .query<{ contact: number; count: number }, []>(
        `SELECT contact, count(*) AS count FROM messages INDEXED BY unprinted
         WHERE outgoing = 0 AND printed = 0 GROUP BY contact`,
      )
      .all();
    return new Map(rows.map(({ contact, count }) => [contact, count]));
  }

  /** The lowest `seq` of a contact's messages that were never printed; undefined when there is none. */
  unreadFrom(contact: Contact): number | undefined {
    return (
      this.#database
        .query<{ seq: number }, [number]>(
          `SELECT seq FROM messages INDEXED BY unprinted
           WHERE contact = ? AND outgoing = 0 AND printed = 0 ORDER BY seq LIMIT 1`,
        )
        .get(contact.id)?.seq ?? undefined
    );
  }

  markPrinted(sequences: readonly number[]): void {
    const mark = this.#database.query("UPDATE messages SET printed = 1 WHERE seq = ?");
    this.#database.transaction(() => {
      for (const seq of sequences) mark.run(seq);
    })();
  }

  /** The conversation with a contact, oldest first, from after `seq` on. */
  history(contact: Contact, afterSeq: number, limit: number): StoredMessage[] {
    return this.#database
      .query<MessageRow, number[]>(
        `SELECT ${COLUMNS} FROM messages WHERE contact = ? AND seq > ? ORDER BY seq LIMIT ?`,
      )
      .all(contact.id, afterSeq, limit)
      .map(messageOf);
  }

  /**
   * The page of the conversation before `seq`; undefined: the newest page.
   * @param limit messages, at least 1
   */
  before(contact: Contact, seq: number | undefined, limit: number): MessagePage {
    const rows = this.#database
      .query<MessageRow, number[]>(
        `SELECT ${COLUMNS} FROM messages WHERE contact = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
      )
      // One more than is shown says whether there are older ones.
      .all(contact.id, seq ?? Number.MAX_SAFE_INTEGER, limit + 1);
    return { messages: rows.slice(0, limit).reverse().map(messageOf), isMore: rows.length > limit };
  }
}
