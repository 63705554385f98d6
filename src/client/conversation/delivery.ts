/**
 * Exactly once, in order, to one person (PROTOCOL 5).
 *
 * - A message is kept until `delivered` names it, and everything unacknowledged goes out again, in
 *   order, whenever the current link changes.
 * - What arrives is committed, then acknowledged, then shown; all of one read in one commit.
 * - Edits and withdrawals are messages of their own; a peer that does not know them is not sent any.
 *
 * This part knows the store and the link that is written on; who dials and when is `conversation.ts`.
 */
import { MAX_DELIVERED_IDS } from "../../protocol/peer-messages.ts";
import { Arrivals, type PeerContent } from "./arrivals.ts";
import type { Contact } from "../profile/contacts.ts";
import type { MessageStore } from "../profile/message-store.ts";
import type { MessengerEvent } from "./events.ts";
import type { PeerLink } from "../peer/link.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import {
  arrivedMessage,
  type NewIncoming,
  type OutboxMessage,
  type StoredMessage,
} from "../profile/stored-message.ts";

/** Bytes queued to a link above which the outbox waits. */
const WINDOW = 256 * 1024;
/** Messages read from the outbox at a time. */
const BATCH = 256;
/** Ticks after which an outbox that the disk did not let out is tried again. */
const RETRY_AFTER_TICKS = 30;
/** What delivery needs of a link. */
export type DeliveryLink = Pick<PeerLink, "send" | "flush" | "queuedBytes" | "isOpen" | "features">;

export type DeliveryOptions = {
  readonly contact: () => Contact;
  readonly messages: MessageStore;
  readonly emit: (event: MessengerEvent) => void;
  /** ms since 1970 */
  readonly now: () => number;
  /** What their client understood when a link was there last; undefined: nobody knows. */
  readonly features: () => readonly string[] | undefined;
};

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #messages: MessageStore;
  readonly #emit: (event: MessengerEvent) => void;
  #link: DeliveryLink | undefined;
  /** `seq` of the last message written on the current link. */
  #written = 0;
  /** Whether the outbox holds nothing behind `#written`. */
  #caughtUp = false;
  /** Ticks until the outbox is tried again; undefined: the disk lets it out. */
  #retryIn: number | undefined;
  /** When each message left that is not marked as sent on the disk, ms since 1970 by id. */
  readonly #left = new Map<string, number>();
  #unacknowledged = 0;
  /** Of these, actions that their client would not understand. */
  #held = 0;
  /** Of the read under way. */
  #arrivals = new Arrivals();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#messages = options.messages;
    this.#emit = options.emit;
    this.recount();
  }

  /** Messages that can leave and that the other side has not said to have. */
  get waiting(): number {
    return Math.max(0, this.#unacknowledged - this.#held);
  }

  /** Counts what waits: something was taken out of the outbox, or what their client understands has changed. */
  recount(): void {
    const { text, edit, withdraw } = this.#messages.outboxCounts(this.#contact);
    const features = this.#link?.features ?? this.#options.features();
    const isHeld = (action: string) => features !== undefined && !features.includes(action);
    this.#unacknowledged = text + edit + withdraw;
    this.#held = (isHeld("edit") ? edit : 0) + (isHeld("withdraw") ? withdraw : 0);
  }

  get #contact(): Contact {
    return this.#options.contact();
  }

  /** The current link is this one from now on: everything unacknowledged goes out on it, in order. */
  writeOn(link: DeliveryLink | undefined): void {
    this.#link = link;
    this.#written = 0;
    this.#caughtUp = false;
    if (this.#unacknowledged > 0) this.recount();
    this.pump();
  }

  /** New messages are on this disk, in the order of `seq`. */
  committed(messages: readonly OutboxMessage[]): void {
    // An action may have taken others out of the outbox.
    if (messages.some(({ kind }) => kind !== "text")) this.recount();
    else this.#unacknowledged += messages.length;
    const first = messages[0]?.seq ?? 0;
    // Another process may have written before them what is not known here yet.
    if (this.#caughtUp && this.#messages.hasOutboxBetween(this.#contact, this.#written, first)) {
      this.recount();
      this.#caughtUp = false;
    }
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
    this.recount();
    const isMore = this.#messages.hasOutboxBetween(this.#contact, known);
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
    try {
      while (this.#link !== undefined && !this.#caughtUp) {
        const batch = this.#messages.claim(this.#contact, this.#written, BATCH);
        if (batch.length === 0) {
          this.#caughtUp = true;
          return;
        }
        for (const message of batch) {
          if (!this.#write(message)) return;
        }
        this.#link.flush();
      }
    } catch (error) {
      // A disk that cannot mark what leaves keeps it here; nothing is lost, and it is tried again.
      if (!isStorageFailure(error)) throw error;
      this.#retryIn = RETRY_AFTER_TICKS;
      this.#emit({ name: "storageFailed", error });
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
    this.#written = message.seq;
    const { id } = message;
    switch (message.kind) {
      case "text":
        link.send({
          message: message.text,
          id,
          sent_at: new Date(message.sentAt).toISOString(),
          ...(message.replyTo === undefined ? {} : { reply_to: message.replyTo }),
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
    const now = this.#options.now();
    this.#left.set(id, now);
    this.#emit({ name: "delivery", to: this.#contact.username, id, state: "sent", at: now });
    return true;
  }

  /** One message that is kept was read; it waits for the end of the read. */
  take(content: PeerContent): void {
    this.#arrivals.take(content, this.#options.now());
  }

  takeAcknowledgement(ids: readonly string[]): void {
    for (const id of ids) this.#arrivals.acknowledged.push(id);
  }

  /** Their side has read up to the message of this id. */
  takeRead(id: string): void {
    this.#arrivals.readUpTo = id;
  }

  /**
   * Commits what this read brought, acknowledges it on `link`, then shows it.
   * @returns whether there was anything.
   * @throws SQLiteError when the disk takes nothing: then nothing is acknowledged, shown or kept.
   */
  commitRead(link: DeliveryLink): boolean {
    const arrivals = this.#arrivals;
    if (arrivals.isEmpty) return false;
    this.dropRead();
    const { incoming, readUpTo } = arrivals;
    const contact = this.#contact;
    const now = this.#options.now();
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

  /** What was changed in the read that brought it is shown as it became, or not at all. */
  #show(
    incoming: readonly NewIncoming[],
    stored: readonly (number | StoredMessage | undefined)[],
    now: number,
  ): void {
    const { id: contact, username } = this.#contact;
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
    this.#messages.saveSent(this.#contact, this.#left);
    this.#left.clear();
  }

  /** Forgets what was read and not committed: it was not acknowledged, so it comes again. */
  dropRead(): void {
    this.#arrivals = new Arrivals();
  }
}
