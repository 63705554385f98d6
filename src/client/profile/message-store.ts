/**
 * Stores messages: the outbox (outgoing messages that are not acknowledged yet) and incoming messages. Every
 * method that takes a list makes one commit.
 *
 * A message of ours that is not marked as `tried` was never written on a link, so it can be changed or cancelled
 * on this side alone. It is marked before it is written, in the commit that stores it or that claims it from the
 * outbox. A marked message may have arrived, even if it was not sent before a crash, and must be withdrawn on the
 * other side too.
 *
 * On the disk are a `claim`, and what was queued with an action, as soon as the method returns. What else is committed here
 * is there after the next sync (`durability.ts`).
 */
import type { Database, Statement } from "bun:sqlite";

import type { FileControl } from "../../protocol/peer-messages.ts";
import type { OpenFile } from "../../net/open-file.ts";
import type { FreeSpace } from "../disk/free-space.ts";
import { lightly } from "../disk/write-ahead-log.ts";
import { ConsentStore } from "./consents.ts";
import type { Contact } from "./contacts.ts";
import { ReadMarks } from "./read-marks.ts";
import { KIND, MESSAGE_STATES, STATE, type MessageState } from "../disk/schema.ts";
import {
  IN_OUTBOX,
  type NewIncoming,
  type NewOutgoing,
  type OutboxMessage,
  type StoredMessage,
} from "./stored-message.ts";
import { TextChanges, UNKNOWN } from "./text-changes.ts";
import { TransferStore, type Transfer } from "./transfers.ts";

type Transaction<Args extends unknown[], Result> = ((...args: Args) => Result) & {
  immediate(...args: Args): Result;
};

/** An id that the peer has acknowledged. `leftAt`: when it was first written on a link, if that is not stored yet. */
type Acknowledged = { readonly id: string; readonly leftAt: number | undefined };

export type LinkRead = {
  readonly incoming: readonly NewIncoming[];
  readonly acknowledged: readonly Acknowledged[];
  /** The id of our message up to which the peer has read; undefined: nothing new. */
  readonly readUpTo: string | undefined;
};
export type CommittedRead = {
  /**
   * For each incoming message: the `seq` of a new text, the text that an action has changed, or undefined for a
   * duplicate and for an action that changed nothing.
   */
  readonly stored: readonly (number | StoredMessage | undefined)[];
  /** The ids that were in the outbox, in the given order. */
  readonly acknowledged: readonly string[];
  /** The ids of the texts that have become read, in their order. */
  readonly read: readonly string[];
  /** The transfers that have changed, and those of their offers that were refused. */
  readonly transfers: readonly Transfer[];
  readonly refused: readonly string[];
};

/** How many of each kind are in the outbox for one contact. */
export type OutboxCounts = {
  readonly text: number;
  readonly edit: number;
  readonly withdraw: number;
  readonly control: number;
};

/** Whether it makes its reader a contact: a text, or the offer of a file. */
function isWriting(message: NewOutgoing): boolean {
  return message.kind === "text" || (message.kind === "control" && message.control.action === "file_offer");
}

type OutboxRow = {
  seq: number;
  id: string;
  text: string;
  sent_at: number;
  reply_to: string | null;
  kind: number;
  target: string | null;
  state: number;
};

function outboxMessageOf(row: OutboxRow): OutboxMessage {
  const { id, text } = row;
  const common = { seq: row.seq, id, sentAt: row.sent_at, wasSent: row.state === STATE.sent };
  const target = row.target ?? "";
  switch (row.kind) {
    case KIND.edit:
      return { kind: "edit", target, text, ...common };
    case KIND.withdraw:
      return { kind: "withdraw", target, ...common };
    case KIND.control:
      return { kind: "control", control: JSON.parse(text) as FileControl, ...common };
    default:
      return { kind: "text", text, replyTo: row.reply_to ?? undefined, ...common };
  }
}

export class MessageStore {
  readonly #database: Database;
  readonly #file: Pick<OpenFile, "check">;
  readonly #space: Pick<FreeSpace, "check">;
  // Made once, because making one takes about 4 µs: as long as storing a message.
  readonly #queueAll: Transaction<[readonly NewOutgoing[], ReadonlySet<Contact>], number[]>;
  readonly #storeRead: Transaction<[Contact, LinkRead, number], CommittedRead>;
  readonly #texts: TextChanges;
  readonly #transfers: TransferStore;
  readonly #consents: ConsentStore;
  readonly #marks: ReadMarks;
  readonly #insertText: Statement<unknown, (string | number | null)[]>;
  readonly #insertAction: Statement<unknown, (string | number | null)[]>;
  readonly #acknowledgeText: Statement<unknown, (string | number | null)[]>;
  readonly #acknowledgeAction: Statement<unknown, (string | number | null)[]>;

  /**
   * @param file of the database; its check throws if nobody would find again what is stored
   * @param space of its disk; its check throws if nothing of other people is to be stored
   */
  constructor(database: Database, file: Pick<OpenFile, "check">, space: Pick<FreeSpace, "check">) {
    this.#database = database;
    this.#file = file;
    this.#space = space;
    this.#queueAll = database.transaction((messages, linked) => {
      const written = messages.filter(isWriting);
      for (const contact of new Set(written.map((each) => each.contact))) this.#consents.wroteTo(contact);
      return messages.map((message) => this.#insertOutgoing(message, linked.has(message.contact)));
    });
    this.#storeRead = database.transaction((contact, read, now) => this.#store(contact, read, now));
    this.#texts = new TextChanges(database);
    this.#transfers = new TransferStore(database);
    this.#consents = new ConsentStore(database);
    this.#marks = new ReadMarks(database);
    this.#insertText = database.prepare(
      `INSERT INTO messages (contact, outgoing, id, text, reply_to, sent_at, received_at, state, tried)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#insertAction = database.prepare(
      `INSERT INTO messages (contact, outgoing, id, text, sent_at, received_at, state, tried, kind, target, printed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`,
    );
    const received = `state = ${STATE.received}, received_at = ?, left_at = coalesce(left_at, ?)`;
    const waits = `contact = ? AND id = ? AND ${IN_OUTBOX}`;
    this.#acknowledgeText = database.prepare(
      `UPDATE messages SET ${received} WHERE ${waits} AND kind IN (${KIND.text}, ${KIND.control})`,
    );
    // The edited text itself contains these words now; a copy here would survive its deletion.
    this.#acknowledgeAction = database.prepare(
      `UPDATE messages SET ${received}, text = '' WHERE ${waits} AND kind IN (${KIND.edit}, ${KIND.withdraw})`,
    );
  }

  /** @throws FileMovedError if the profile was deleted, moved or replaced while it is open; system errors */
  checkInPlace(): void {
    this.#file.check();
  }

  /**
   * Commits messages to the outbox, and applies actions to their texts on this disk. A text accepts its reader.
   * @param linked contacts with a link: a message to them may be written as soon as it is stored
   * @returns the `seq` of each message, in the given order
   * @throws SQLiteError, FileMovedError; then nothing is stored
   */
  queue(messages: readonly NewOutgoing[], linked: ReadonlySet<Contact> = new Set()): number[] {
    this.#file.check();
    const areTexts = messages.every(({ kind }) => kind === "text");
    if (!areTexts) return this.#queueAll(messages, linked);
    return lightly(this.#database, () => this.#queueAll(messages, linked));
  }

  /** The state of a message or change of ours; `at`: ms since 1970. Undefined: none has this id. */
  stateOf(contact: Contact, id: string): { readonly state: MessageState; readonly at: number } | undefined {
    const row = this.#database
      .query<{ state: number; at: number | null }, [number, string]>(
        `SELECT state, coalesce(read_at, CASE WHEN state >= ${STATE.received} THEN received_at END, left_at, sent_at) AS at
         FROM messages WHERE contact = ? AND outgoing = 1 AND id = ?`,
      )
      .get(contact.id, id);
    return row === null ? undefined : { state: MESSAGE_STATES[row.state] ?? "queued", at: row.at ?? 0 };
  }

  /** @returns its `seq` */
  #insertOutgoing(message: NewOutgoing, isTried: boolean): number {
    const { contact, id, sentAt } = message;
    const tried = isTried ? 1 : 0;
    if (message.kind === "text") {
      const { text, replyTo = null } = message;
      const { lastInsertRowid } = this.#insertText.run(
        contact.id,
        1,
        id,
        text,
        replyTo,
        sentAt,
        null,
        STATE.queued,
        tried,
      );
      return Number(lastInsertRowid);
    }
    let text = "";
    const target = message.kind === "control" ? null : message.target;
    switch (message.kind) {
      case "edit":
        text = message.text;
        this.#texts.change(contact, true, message.target, text, sentAt);
        break;
      case "withdraw":
        this.#texts.withdraw(contact, true, message.target, sentAt);
        break;
      case "control":
        text = JSON.stringify(message.control);
        break;
      default:
        message satisfies never;
    }
    const { lastInsertRowid } = this.#insertAction.run(
      contact.id,
      1,
      id,
      text,
      sentAt,
      null,
      STATE.queued,
      tried,
      KIND[message.kind],
      target,
    );
    return Number(lastInsertRowid);
  }

  /**
   * Claims the next unacknowledged messages to a contact after `seq`, in the order in which they were typed. They
   * may be written on a link afterwards.
   * @param bytes of text after which no further message is claimed
   */
  claim(contact: Contact, seq: number, limit: number, bytes = Infinity): OutboxMessage[] {
    const { last, isMarked } = this.#endOfClaim(contact, seq, limit, bytes);
    const range = [contact.id, seq, last];
    const within = `contact = ? AND ${IN_OUTBOX} AND seq > ? AND seq <= ?`;
    const read = () => this.#outboxMessages("", contact.id, seq, last, limit);
    if (isMarked) return last === seq ? [] : read();
    // Another process may change or cancel a message until it is marked.
    return this.#database
      .transaction(() => {
        this.#database.query(`UPDATE messages SET tried = 1 WHERE ${within} AND tried = 0`).run(...range);
        return read();
      })
      .immediate();
  }

  /** The next messages to a contact that are not claimed, in the order in which they were typed. */
  unclaimed(contact: Contact, limit: number): OutboxMessage[] {
    return this.#outboxMessages("AND tried = 0", contact.id, 0, Number.MAX_SAFE_INTEGER, limit);
  }

  #outboxMessages(condition: string, ...values: [contact: number, after: number, to: number, limit: number]) {
    return this.#database
      .query<OutboxRow, number[]>(
        `SELECT seq, id, text, sent_at, reply_to, kind, target, state FROM messages
         WHERE contact = ? AND ${IN_OUTBOX} AND seq > ? AND seq <= ? ${condition} ORDER BY seq LIMIT ?`,
      )
      .all(...values)
      .map(outboxMessageOf);
  }

  /**
   * Claims the first of the messages that `claim` would give, which is on the disk with the next sync. Nothing of them may
   * be written before.
   * @returns the `seq` of each that was not claimed yet
   */
  claimFirst(contact: Contact, limit: number, bytes: number): number[] {
    const { last, isMarked } = this.#endOfClaim(contact, 0, limit, bytes);
    if (isMarked) return [];
    const mark = this.#database.query<{ seq: number }, number[]>(
      `UPDATE messages SET tried = 1 WHERE contact = ? AND ${IN_OUTBOX} AND seq <= ? AND tried = 0 RETURNING seq`,
    );
    return lightly(this.#database, () => mark.all(contact.id, last)).map(({ seq }) => seq);
  }

  /** Takes claims back of which nothing was written. @param seqs as `claimFirst` gave them */
  unclaim(contact: Contact, seqs: readonly number[]): void {
    const unmark = this.#database.query(
      `UPDATE messages SET tried = 0 WHERE contact = ? AND ${IN_OUTBOX} AND seq = ?`,
    );
    const unmarkAll = this.#database.transaction(() => {
      for (const seq of seqs) unmark.run(contact.id, seq);
    });
    lightly(this.#database, unmarkAll);
  }

  /** The `seq` of the last message of a claim; `isMarked`: all of it is marked already, or it is empty. */
  #endOfClaim(
    contact: Contact,
    seq: number,
    limit: number,
    bytes: number,
  ): { readonly last: number; readonly isMarked: boolean } {
    const sizes = this.#database.query<{ seq: number; bytes: number; tried: number }, number[]>(
      `SELECT seq, octet_length(text) AS bytes, tried FROM messages
       WHERE contact = ? AND ${IN_OUTBOX} AND seq > ? ORDER BY seq LIMIT ?`,
    );
    let total = 0;
    let last = seq;
    let isMarked = true;
    for (const row of sizes.all(contact.id, seq, limit)) {
      if (total > bytes) break;
      total += row.bytes;
      last = row.seq;
      isMarked &&= row.tried === 1;
    }
    return { last, isMarked };
  }

  /** Whether a text or an action of theirs with this id is stored, or was. */
  isStored(contact: Contact, id: string): boolean {
    return this.#texts.isKnown(contact, id);
  }

  outboxCounts(contact: Contact): OutboxCounts {
    const rows = this.#database
      .query<{ kind: number; count: number }, [number]>(
        `SELECT kind, count(*) AS count FROM messages INDEXED BY outbox WHERE contact = ? AND ${IN_OUTBOX} GROUP BY kind`,
      )
      .all(contact.id);
    const of = (kind: number) => rows.find((row) => row.kind === kind)?.count ?? 0;
    return {
      text: of(KIND.text),
      edit: of(KIND.edit),
      withdraw: of(KIND.withdraw),
      control: of(KIND.control),
    };
  }

  /** The `seq` of the newest message; 0: there is none. */
  lastSeq(): number {
    return (
      this.#database.query<{ last: number | null }, []>("SELECT max(seq) AS last FROM messages").get()
        ?.last ?? 0
    );
  }

  /** Row numbers of the people with messages in the outbox. What waits in groups is sent in another way. */
  contactsWithOutbox(): number[] {
    return this.#database
      .query<{ contact: number }, []>(
        `SELECT DISTINCT contact FROM messages WHERE ${IN_OUTBOX} AND contact NOT IN (SELECT contact FROM groups)`,
      )
      .all()
      .map((row) => row.contact);
  }

  /** Marks messages as written on a link. @param left when each was written, ms since 1970 by id */
  saveSent(contact: Contact, left: ReadonlyMap<string, number>): void {
    const mark = this.#database.query(
      `UPDATE messages SET state = ${STATE.sent}, left_at = ?
       WHERE contact = ? AND outgoing = 1 AND id = ? AND state = ${STATE.queued}`,
    );
    const markAll = this.#database.transaction(() => {
      for (const [id, at] of left) mark.run(at, contact.id, id);
    });
    lightly(this.#database, markAll);
  }

  /**
   * Commits everything that one read of a link contained: texts and actions, acknowledgements, and how far the
   * peer has read.
   * @throws as `queue`; LowDiskError if it contained texts or actions
   */
  commitRead(contact: Contact, read: LinkRead, now: number): CommittedRead {
    this.#file.check();
    if (read.incoming.length > 0) this.#space.check();
    return lightly(this.#database, () => this.#storeRead.immediate(contact, read, now));
  }

  #store(contact: Contact, read: LinkRead, now: number): CommittedRead {
    const transfers: Transfer[] = [];
    const refused: string[] = [];
    const stored = read.incoming.map((message) => {
      if (message.kind !== "control") return this.#receive(contact, message, now);
      const taken = this.#takeControl(contact, message, now);
      if (taken === "refused") refused.push(message.id);
      else if (taken !== undefined) transfers.push(taken);
      return undefined;
    });
    const late = read.acknowledged.length > 0 ? this.#marks.beforeAcknowledged(contact) : 0;
    const acknowledged: string[] = [];
    for (const { id, leftAt } of read.acknowledged) {
      if (this.#acknowledge(contact, id, leftAt ?? null, now)) acknowledged.push(id);
    }
    const readNow = late === 0 ? [] : this.#marks.markLate(contact, acknowledged, late, now);
    if (read.readUpTo !== undefined) readNow.push(...this.#marks.mark(contact, read.readUpTo, now));
    return { stored, acknowledged, read: readNow, transfers, refused };
  }

  /** Each of their messages about a transfer counts once. @returns as `TransferStore.take` */
  #takeControl(
    contact: Contact,
    { id, message, key }: NewIncoming & { readonly kind: "control" },
    now: number,
  ): Transfer | "refused" | undefined {
    const values = [contact.id, 0, id, "", null, now, STATE.received, 0, KIND.control, null];
    const { changes } = this.#insertAction.run(...values);
    return changes === 0 ? undefined : this.#transfers.take(contact, message, key, now);
  }

  /** @returns whether it was in the outbox. */
  #acknowledge(contact: Contact, id: string, leftAt: number | null, now: number): boolean {
    return (
      this.#acknowledgeText.run(now, leftAt, contact.id, id).changes > 0 ||
      this.#acknowledgeAction.run(now, leftAt, contact.id, id).changes > 0
    );
  }

  #receive(
    contact: Contact,
    message: Exclude<NewIncoming, { readonly kind: "control" }>,
    now: number,
  ): number | StoredMessage | undefined {
    if (message.kind === "text") {
      const { id, text, replyTo = null, sentAt = null } = message;
      const result = this.#insertText.run(contact.id, 0, id, text, replyTo, sentAt, now, STATE.received, 0);
      return result.changes === 0 ? undefined : Number(result.lastInsertRowid);
    }
    const { id, kind, target } = message;
    const isKnown = this.#texts.isKnown(contact, target);
    const { changes } = this.#insertAction.run(
      contact.id,
      0,
      id,
      "",
      null,
      now,
      STATE.received,
      0,
      KIND[kind],
      isKnown ? target : UNKNOWN,
    );
    if (changes === 0) return undefined;
    if (!isKnown) this.#texts.limitUnknown(contact);
    return kind === "edit"
      ? this.#texts.change(contact, false, target, message.text, now)
      : this.#texts.withdraw(contact, false, target, now);
  }
}
