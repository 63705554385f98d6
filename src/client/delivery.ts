/**
 * Exactly once, in order, to one person (PROTOCOL 5).
 *
 * - A message is kept until `delivered` names it, and everything unacknowledged goes out again, in
 *   order, whenever the current link changes.
 * - What arrives is committed, then acknowledged, then shown; all of one read in one commit.
 *
 * This part knows the store and the link that is written on; who dials and when is `conversation.ts`.
 */
import { randomUUIDv7 } from "bun";

import { MAX_DELIVERED_IDS } from "../protocol/peer-messages.ts";
import type { Contact } from "./contact-store.ts";
import type { MessageStore, NewIncoming, OutboxMessage } from "./message-store.ts";
import type { MessengerEvent } from "./messenger-events.ts";
import type { PeerLink } from "./peer-link.ts";

/** Bytes queued to a link above which the outbox waits. */
const WINDOW = 256 * 1024;
/** Messages read from the outbox at a time. */
const BATCH = 256;
/** How far a sender's clock may be ahead before its time is not believed, in ms (PROTOCOL 5). */
export const MAX_TIME_AHEAD = 2 * 60 * 1_000;

/** What delivery needs of a link. */
export type DeliveryLink = Pick<PeerLink, "send" | "flush" | "queuedBytes" | "isOpen">;

export type ChatMessage = {
  readonly message: string;
  readonly id: string | undefined;
  readonly sent_at: string | undefined;
  readonly reply_to: string | undefined;
};

/** The sender's time in ms, undefined when it is none or ahead of the arrival by more than two minutes. */
export function believableTime(sentAt: string | undefined, arrivedAt: number): number | undefined {
  if (sentAt === undefined || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(sentAt)) return undefined;
  const time = Date.parse(sentAt);
  return Number.isNaN(time) || time > arrivedAt + MAX_TIME_AHEAD ? undefined : time;
}

export class Delivery {
  readonly #contact: () => Contact;
  readonly #messages: MessageStore;
  readonly #emit: (event: MessengerEvent) => void;
  readonly #now: () => number;
  #link: DeliveryLink | undefined;
  /** `seq` of the last message written on the current link. */
  #written = 0;
  /** Whether the outbox holds nothing behind `#written`. */
  #caughtUp = false;
  #unsavedSent = 0;
  #unacknowledged: number;
  #incoming: (NewIncoming & { readonly acknowledge: boolean })[] = [];
  #acknowledged: string[] = [];

  constructor(options: {
    contact: () => Contact;
    messages: MessageStore;
    emit: (event: MessengerEvent) => void;
    now: () => number;
  }) {
    this.#contact = options.contact;
    this.#messages = options.messages;
    this.#emit = options.emit;
    this.#now = options.now;
    this.#unacknowledged = options.messages.outboxCount(options.contact());
  }

  /** Messages that the other side has not said to have. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** The current link is this one from now on: everything unacknowledged goes out on it, in order. */
  writeOn(link: DeliveryLink | undefined): void {
    this.#link = link;
    this.#written = 0;
    this.#caughtUp = false;
    this.pump();
  }

  /** New messages are on this disk, in the order of `seq`. */
  committed(messages: readonly OutboxMessage[]): void {
    this.#unacknowledged += messages.length;
    if (!this.#caughtUp) {
      this.pump();
      return;
    }
    for (const message of messages) {
      if (!this.#write(message)) return;
    }
    this.#link?.flush();
  }

  /**
   * Looks whether another process has put something into the outbox; then what stands behind `known`, the
   * last message at the look before, goes out, in order. @returns whether it has.
   */
  reload(known: number): boolean {
    const count = this.#messages.outboxCount(this.#contact());
    const isMore = count > this.#unacknowledged;
    this.#unacknowledged = count;
    if (isMore) {
      this.#written = Math.min(this.#written, known);
      this.#caughtUp = false;
      this.pump();
    }
    return isMore;
  }

  /** Writes from the outbox until the link takes no more or nothing is left. */
  pump(): void {
    // Mostly a link comes up with nothing to say: that needs no look at the disk.
    if (this.#unacknowledged === 0) this.#caughtUp = true;
    while (this.#link !== undefined && !this.#caughtUp) {
      const batch = this.#messages.outboxAfter(this.#contact(), this.#written, BATCH);
      if (batch.length === 0) {
        this.#caughtUp = true;
        return;
      }
      for (const message of batch) {
        if (!this.#write(message)) return;
      }
      this.#link.flush();
    }
  }

  /** @returns false when the link is full; `pump` goes on from here. */
  #write(message: OutboxMessage): boolean {
    const link = this.#link;
    // What is written on a link that is ending would be told as sent, and is not.
    if (link === undefined || !link.isOpen) {
      this.#caughtUp = false;
      return false;
    }
    if (link.queuedBytes > WINDOW) {
      link.flush();
      if (this.#link !== link) return false;
      if (link.queuedBytes > WINDOW) {
        this.#caughtUp = false;
        return false;
      }
    }
    // A link that drains in `flush` calls `pump`, which then has come past this message already.
    if (message.seq <= this.#written) return true;
    link.send({
      message: message.text,
      id: message.id,
      sent_at: new Date(message.sentAt).toISOString(),
      ...(message.replyTo === undefined ? {} : { reply_to: message.replyTo }),
    });
    this.#written = message.seq;
    if (message.seq > this.#unsavedSent) this.#unsavedSent = message.seq;
    this.#emit({
      name: "delivery",
      to: this.#contact().username,
      id: message.id,
      state: "sent",
      at: this.#now(),
    });
    return true;
  }

  /** One chat message was read; it waits for the end of the read. */
  take(chat: ChatMessage): void {
    const now = this.#now();
    this.#incoming.push({
      id: chat.id ?? randomUUIDv7(),
      text: chat.message,
      sentAt: believableTime(chat.sent_at, now),
      replyTo: chat.reply_to,
      acknowledge: chat.id !== undefined,
    });
  }

  takeAcknowledgement(ids: readonly string[]): void {
    this.#acknowledged.push(...ids);
  }

  /**
   * Commits what this read brought, acknowledges it on `link`, then shows it.
   * @throws SQLiteError when the disk takes nothing: then nothing is acknowledged, shown or kept.
   */
  commitRead(link: DeliveryLink): void {
    const incoming = this.#incoming;
    const acknowledged = this.#acknowledged;
    if (incoming.length === 0 && acknowledged.length === 0) return;
    this.#incoming = [];
    this.#acknowledged = [];
    const contact = this.#contact();
    const now = this.#now();
    // What was sent is acknowledged soon after: while acknowledgements come, `saveSent` marks what is left.
    const sentUpTo = acknowledged.length > 0 ? 0 : this.#unsavedSent;
    const committed = this.#messages.commitRead(contact, { incoming, acknowledged, sentUpTo }, now);
    if (sentUpTo > 0) this.#unsavedSent = 0;
    const ids = incoming.filter((message) => message.acknowledge).map((message) => message.id);
    for (let start = 0; start < ids.length; start += MAX_DELIVERED_IDS) {
      link.send({ action: "delivered", ids: ids.slice(start, start + MAX_DELIVERED_IDS) });
    }
    if (ids.length > 0) link.flush();
    this.#unacknowledged -= committed.acknowledged.length;
    for (const id of committed.acknowledged) {
      this.#emit({ name: "delivery", to: contact.username, id, state: "received", at: now });
    }
    incoming.forEach((message, index) => {
      const seq = committed.stored[index];
      if (seq === undefined) return;
      this.#emit({
        name: "message",
        from: contact.username,
        message: {
          seq,
          contact: contact.id,
          outgoing: false,
          id: message.id,
          text: message.text,
          replyTo: message.replyTo,
          sentAt: message.sentAt,
          receivedAt: now,
          state: "received",
        },
      });
    });
  }

  /** Saves how far this side has written; the next commit does so anyway. */
  saveSent(): void {
    if (this.#unsavedSent === 0) return;
    this.#messages.markSent(this.#contact(), this.#unsavedSent);
    this.#unsavedSent = 0;
  }

  /** Forgets what was read and not committed: it was not acknowledged, so it comes again. */
  dropRead(): void {
    this.#incoming = [];
    this.#acknowledged = [];
  }
}
