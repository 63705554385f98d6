/**
 * Exactly once, in order, to one person (PROTOCOL 5).
 *
 * - A message stays in the outbox until `delivered` names it, and everything unacknowledged is sent again,
 *   in order, whenever the current link changes.
 * - What arrives is committed, then acknowledged, then shown; all of one read in one commit.
 * - Edits and withdrawals are messages of their own; a peer that does not know them is not sent any.
 *
 * This class knows the store and the link that is written on; `dialling.ts` decides when to dial.
 */
import { MAX_DELIVERED_IDS } from "../../protocol/peer-messages.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { ConversationMessage, PeerLink } from "../peer/link.ts";
import type { MessageStore } from "../profile/message-store.ts";
import {
  arrivedMessage,
  type NewIncoming,
  type OutboxMessage,
  type StoredMessage,
} from "../profile/stored-message.ts";
import { Arrivals } from "./arrivals.ts";
import type { MessengerEvent } from "./events.ts";

/** Bytes queued to a link above which nothing more is written on it. */
const WINDOW = 256 * 1024;
/** Messages read from the outbox at a time. */
const BATCH = 256;
/** Ticks after a failed write until the outbox is read again. */
const RETRY_AFTER_TICKS = 30;

/** What delivery needs of a link. */
export type DeliveryLink = Pick<PeerLink, "send" | "flush" | "queuedBytes" | "isOpen" | "features">;

export type DeliveryOptions = {
  readonly record: Pick<ContactRecord, "contact" | "features">;
  readonly messages: MessageStore;
  readonly emit: (event: MessengerEvent) => void;
  /** ms since 1970 */
  readonly now: () => number;
};

/** The link that is written on. */
type Writing = {
  readonly link: DeliveryLink;
  /** `seq` of the last message written on it. */
  last: number;
  /** Whether the outbox holds nothing behind `last`. */
  isCaughtUp: boolean;
};

export class Delivery {
  readonly #record: Pick<ContactRecord, "contact" | "features">;
  readonly #messages: MessageStore;
  readonly #emit: (event: MessengerEvent) => void;
  readonly #now: () => number;
  /** Undefined: there is no link. */
  #writing: Writing | undefined;
  /** Ticks until the outbox is tried again; undefined: no write has failed. */
  #retryIn: number | undefined;
  /** When each message was sent that is not marked so on the disk, ms since 1970 by id. */
  readonly #left = new Map<string, number>();
  #unacknowledged = 0;
  /** Of these, actions that their client does not support. */
  #held = 0;
  /** Of the read under way. */
  #arrivals = new Arrivals();

  constructor({ record, messages, emit, now }: DeliveryOptions) {
    this.#record = record;
    this.#messages = messages;
    this.#emit = emit;
    this.#now = now;
    this.recount();
  }

  /** Messages that can be sent and are not acknowledged. */
  get waiting(): number {
    return Math.max(0, this.#unacknowledged - this.#held);
  }

  /** Counts the outbox again: something was taken out, or what their client supports has changed. */
  recount(): void {
    const { text, edit, withdraw } = this.#messages.outboxCounts(this.#record.contact);
    const features = this.#writing?.link.features ?? this.#record.features;
    const isHeld = (action: string) => features !== undefined && !features.includes(action);
    this.#unacknowledged = text + edit + withdraw;
    this.#held = (isHeld("edit") ? edit : 0) + (isHeld("withdraw") ? withdraw : 0);
  }

  /** This is the current link from now on: everything unacknowledged is sent on it, in order. */
  writeOn(link: DeliveryLink | undefined): void {
    this.#writing = link && { link, last: 0, isCaughtUp: false };
    if (this.#unacknowledged > 0) this.recount();
    this.pump();
  }

  /** New messages are on this disk, in the order of `seq`. */
  committed(messages: readonly OutboxMessage[]): void {
    // An action may have taken others out of the outbox.
    if (messages.some(({ kind }) => kind !== "text")) this.recount();
    else this.#unacknowledged += messages.length;
    const writing = this.#writing;
    if (writing === undefined) return;
    const first = messages[0]?.seq ?? 0;
    // Another process may have queued something before them.
    if (writing.isCaughtUp && this.#messages.hasOutboxBetween(this.#record.contact, writing.last, first)) {
      this.recount();
      writing.isCaughtUp = false;
    }
    if (!writing.isCaughtUp) {
      this.pump();
      return;
    }
    for (const message of messages) if (!this.#write(message, writing)) return;
    writing.link.flush();
  }

  /**
   * Sends what another process has put into the outbox.
   * @param known the newest message before that. @returns whether there is anything.
   */
  reload(known: number): boolean {
    this.recount();
    const isMore = this.#messages.hasOutboxBetween(this.#record.contact, known);
    if (isMore && this.#writing !== undefined) {
      this.#writing.last = Math.min(this.#writing.last, known);
      this.#writing.isCaughtUp = false;
      this.pump();
    }
    return isMore;
  }

  /** Writes from the outbox until the link takes no more or nothing is left. */
  pump(): void {
    const writing = this.#writing;
    if (writing === undefined) return;
    // A link mostly comes up with nothing to send: that needs no query.
    if (this.#unacknowledged === 0) writing.isCaughtUp = true;
    try {
      while (!writing.isCaughtUp && this.#writing === writing) {
        const batch = this.#messages.claim(this.#record.contact, writing.last, BATCH);
        if (batch.length === 0) {
          writing.isCaughtUp = true;
          return;
        }
        for (const message of batch) if (!this.#write(message, writing)) return;
        writing.link.flush();
      }
    } catch (error) {
      // What cannot be marked as tried is not sent; nothing is lost, and it is tried again.
      if (!isStorageFailure(error)) throw error;
      this.#retryIn = RETRY_AFTER_TICKS;
      this.#emit({ name: "storageFailed", error });
    }
  }

  /** @returns false when the link is full or gone; `pump` goes on from here. */
  #write(message: OutboxMessage, writing: Writing): boolean {
    const { link } = writing;
    // What is written on a link that is ending would be reported as sent, and is not.
    if (this.#writing !== writing || !link.isOpen) {
      writing.isCaughtUp = false;
      return false;
    }
    if (link.queuedBytes > WINDOW) {
      link.flush();
      if (this.#writing !== writing) return false;
      if (link.queuedBytes > WINDOW) {
        writing.isCaughtUp = false;
        return false;
      }
    }
    // A link that drains in `flush` calls `pump`, which then has written this message already.
    if (message.seq <= writing.last) return true;
    writing.last = message.seq;
    const { id } = message;
    switch (message.kind) {
      case "text":
        link.send({
          message: message.text,
          id,
          sent_at: new Date(message.sentAt).toISOString(),
          reply_to: message.replyTo,
        });
        break;
      case "edit":
        if (!link.features.includes("edit")) return true;
        link.send({ action: "edit", id, target: message.target, text: message.text });
        break;
      case "withdraw":
        if (!link.features.includes("withdraw")) return true;
        link.send({ action: "withdraw", id, target: message.target });
        break;
      default:
        return message satisfies never;
    }
    if (this.#left.has(id) || message.wasSent === true) return true;
    const at = this.#now();
    this.#left.set(id, at);
    this.#emit({ name: "delivery", to: this.#record.contact.username, id, state: "sent", at });
    return true;
  }

  /** Handles one message of `link`; what has to be stored waits for the end of the read. */
  take(message: ConversationMessage, link: Pick<PeerLink, "send">): void {
    switch (message.action) {
      case "chat":
      case "edit":
      case "withdraw":
        this.#arrivals.take(message, this.#now());
        return;
      case "delivered":
        this.#arrivals.acknowledged.push(...message.ids);
        return;
      case "read":
        this.#arrivals.readUpTo = message.id;
        return;
      case "ping":
        link.send({ action: "pong" });
        return;
      case "typing":
        this.#emit({ name: "typing", username: this.#record.contact.username, active: message.active });
        return;
      case "error":
        this.#emit({ name: "peerError", username: this.#record.contact.username, code: message.code });
        return;
      case "pong":
        return;
      default:
        message satisfies never;
    }
  }

  /**
   * Commits what this read brought, acknowledges it on `link`, then shows it.
   * @returns whether there was anything.
   * @throws SQLiteError: then nothing is acknowledged, shown or kept.
   */
  commitRead(link: DeliveryLink): boolean {
    const arrivals = this.#arrivals;
    if (arrivals.isEmpty) return false;
    this.dropRead();
    const { incoming, readUpTo } = arrivals;
    const { contact } = this.#record;
    const now = this.#now();
    const acknowledged = arrivals.acknowledged.map((id) => ({ id, leftAt: this.#left.get(id) }));
    const committed = this.#messages.commitRead(contact, { incoming, acknowledged, readUpTo }, now);
    this.#acknowledge(arrivals.toAcknowledge, link);
    for (const { id } of acknowledged) this.#left.delete(id);
    this.#unacknowledged -= committed.acknowledged.length;
    const to = contact.username;
    for (const id of committed.acknowledged) {
      this.#emit({ name: "delivery", to, id, state: "received", at: now });
    }
    for (const id of committed.read) this.#emit({ name: "delivery", to, id, state: "read", at: now });
    this.#show(incoming, committed.stored, now);
    return true;
  }

  #acknowledge(ids: readonly string[], link: DeliveryLink): void {
    for (let start = 0; start < ids.length; start += MAX_DELIVERED_IDS) {
      link.send({ action: "delivered", ids: ids.slice(start, start + MAX_DELIVERED_IDS) });
    }
    if (ids.length > 0) link.flush();
  }

  /** A text that was changed in the read that brought it is shown as it became, or not at all. */
  #show(
    incoming: readonly NewIncoming[],
    stored: readonly (number | StoredMessage | undefined)[],
    now: number,
  ): void {
    const { id: contact, username } = this.#record.contact;
    const changes = stored.filter((each) => typeof each === "object");
    const changed = new Map(changes.map((message) => [message.seq, message]));
    const arrived = new Set(changes.length === 0 ? [] : stored.filter((each) => typeof each === "number"));
    stored.forEach((each, index) => {
      const content = incoming[index];
      if (typeof each === "object") {
        if (!arrived.has(each.seq)) {
          this.#emit({ name: "changed", username, message: each, action: undefined });
        }
      } else if (each !== undefined && content?.kind === "text") {
        const message = changed.get(each) ?? arrivedMessage(contact, each, content, now);
        if (message.withdrawnAt === undefined) this.#emit({ name: "message", from: username, message });
      }
    });
  }

  /** To be called about once a second. @throws SQLiteError */
  tick(): void {
    this.saveSent();
    if (this.#retryIn === undefined) return;
    this.#retryIn--;
    if (this.#retryIn > 0) return;
    this.#retryIn = undefined;
    this.pump();
  }

  /** Saves what has left and is not acknowledged yet. @throws SQLiteError */
  saveSent(): void {
    if (this.#left.size === 0) return;
    this.#messages.saveSent(this.#record.contact, this.#left);
    this.#left.clear();
  }

  /** Forgets what was read and not committed: it was not acknowledged, so it comes again. */
  dropRead(): void {
    this.#arrivals = new Arrivals();
  }
}
