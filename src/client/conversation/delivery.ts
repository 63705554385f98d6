/**
 * Delivers messages to one person exactly once and in order (PROTOCOL 5).
 *
 * - A message stays in the outbox until `delivered` names it. All unacknowledged messages are sent again, in order,
 *   whenever the current link changes.
 * - A text of ours is written on the link while its commit comes to the disk; after a power cut the peer may have one that
 *   is not here. Nobody was told that it was queued. What is claimed from the outbox, edits and withdrawals are on the disk
 *   before they are written.
 * - Edits, withdrawals and messages about transfers are messages too; a peer that does not support them does not receive any.
 *
 * This class knows the store and the current link; `dialling.ts` decides when to dial, and `receiving.ts` takes what comes.
 */
import { FILES_FEATURE } from "../../protocol/peer-messages.ts";
import type { Durability } from "../disk/durability.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { PeerLink } from "../peer/link.ts";
import type { MessageStore } from "../profile/message-store.ts";
import type { OutboxMessage } from "../profile/stored-message.ts";
import type { MessengerEvent } from "./events.ts";

/** Queued bytes of a link above which nothing more is written on it. */
const WINDOW = 256 * 1024;
/** Messages read from the outbox at a time. */
const BATCH = 256;
/** Messages that one tick marks as sent: as long texts they take about 30 ms. */
const MARKED_AT_ONCE = 256;
/** Ticks after a failure of storage until the outbox is read again. */
const RETRY_AFTER_TICKS = 30;

/** The parts of a link that delivery uses. */
export type DeliveryLink = Pick<PeerLink, "send" | "flush" | "queuedBytes" | "isOpen" | "features">;

type DeliveryOptions = {
  readonly record: ContactRecord;
  readonly messages: MessageStore;
  readonly storage: StorageGuard;
  readonly durability: Durability;
  readonly emit: (event: MessengerEvent) => void;
  /** ms since 1970 */
  readonly now: () => number;
};

/** The link that is written on. */
type Writing = {
  readonly link: DeliveryLink;
  /** `seq` of the last message written on it. */
  last: number;
  /** Whether the outbox contains nothing after `last`. */
  isCaughtUp: boolean;
  /** Whether the peer takes nothing more on it. */
  isHeld: boolean;
};

export class Delivery {
  readonly #options: DeliveryOptions;
  /** Undefined: there is no link. */
  #writing: Writing | undefined;
  /** What was claimed for a link that is greeted; undefined: nothing is claimed but what may have been written. */
  #prepared: { readonly seqs: readonly number[]; isOnDisk: boolean } | undefined;
  /** Ticks until the outbox is read again; undefined: the storage has not failed. */
  #retryIn: number | undefined;
  /** When each sent message that is not marked as sent on the disk was written, ms since 1970 by id. */
  readonly #left = new Map<string, number>();
  #unacknowledged = 0;
  /** Those of the unacknowledged that are actions which their client does not support. */
  #held = 0;

  /** @throws SQLiteError */
  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#count();
  }

  /** How many messages are unacknowledged and supported by their client. */
  get waiting(): number {
    return Math.max(0, this.#unacknowledged - this.#held);
  }

  /** Whether any message is unacknowledged. */
  get isAwaiting(): boolean {
    return this.#unacknowledged > 0;
  }

  /** When a message was written that is not marked as sent on the disk, ms since 1970; undefined: it is, or was not. */
  leftAt(id: string): number | undefined {
    return this.#left.get(id);
  }

  /** The peer has named these messages, some of them for the first time; that is stored. */
  acknowledged(named: readonly string[], first: readonly string[]): void {
    for (const id of named) this.#left.delete(id);
    this.#unacknowledged -= first.length;
  }

  /** Counts the outbox again: messages were removed, or the features of their client have changed. */
  recount(): void {
    this.#orRetry(() => this.#count());
  }

  /** @throws SQLiteError */
  #count(): void {
    const { text, edit, withdraw, control } = this.#options.messages.outboxCounts(
      this.#options.record.contact,
    );
    const features = this.#writing?.link.features ?? this.#options.record.features;
    const isHeld = (action: string) => features !== undefined && !features.includes(action);
    this.#unacknowledged = text + edit + withdraw + control;
    this.#held =
      (isHeld("edit") ? edit : 0) +
      (isHeld("withdraw") ? withdraw : 0) +
      (isHeld(FILES_FEATURE) ? control : 0);
  }

  /** Reads the outbox; if that fails, `tick` tries again later. */
  #orRetry(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#retryIn = RETRY_AFTER_TICKS;
      this.#options.storage.failed(error);
    }
  }

  /** The current link has changed: all unacknowledged messages are sent on the new one, in order. */
  writeOn(link: DeliveryLink | undefined): void {
    this.#writing = link && { link, last: 0, isCaughtUp: false, isHeld: false };
    this.pump();
    if (this.#unacknowledged > 0) this.recount();
  }

  /** A link is greeted: what goes out first on it is claimed, and comes to the disk, meanwhile. */
  prepare(): void {
    if (this.#writing !== undefined || this.#prepared !== undefined || this.#unacknowledged === 0) return;
    this.#orRetry(() => {
      this.#options.durability.check();
      const seqs = this.#options.messages.claimFirst(this.#options.record.contact, BATCH, WINDOW);
      if (seqs.length === 0) return;
      const prepared = { seqs, isOnDisk: false };
      this.#prepared = prepared;
      this.#options.durability.written(() => {
        prepared.isOnDisk = true;
        this.pump();
      });
    });
  }

  /** No link is left, complete or not: what was claimed for one, and not written, may be changed and cancelled again. */
  takeBack(): void {
    const { seqs = [] } = this.#prepared ?? {};
    this.#prepared = undefined;
    if (seqs.length > 0)
      this.#orRetry(() => this.#options.messages.unclaim(this.#options.record.contact, seqs));
  }

  /** Whether the peer has said on this link that they take nothing more. */
  isHeldOn(link: DeliveryLink): boolean {
    return this.#writing?.link === link && this.#writing.isHeld;
  }

  /** The peer takes nothing more on this link: nothing more is written on it. */
  stopWritingOn(link: DeliveryLink): void {
    if (this.#writing?.link === link) this.#writing.isHeld = true;
  }

  /** New messages have been stored. @param messages in the order of `seq` */
  committed(messages: readonly OutboxMessage[]): void {
    this.#unacknowledged += messages.length;
    // An action may have removed other messages from the outbox, and not everything is supported by their client.
    if (messages.some(({ kind }) => kind !== "text")) this.recount();
    const writing = this.#writing;
    if (writing === undefined || writing.isHeld) return;
    if (!writing.isCaughtUp) {
      this.pump();
      return;
    }
    for (const message of messages) if (!this.#write(message, writing)) return;
    writing.link.flush();
  }

  /** Writes messages of the outbox until the link is full or no message is left. */
  pump(): void {
    const writing = this.#writing;
    if (writing === undefined || writing.isHeld || this.#prepared?.isOnDisk === false) return;
    this.#prepared = undefined;
    // The common case, which needs no query.
    if (this.#unacknowledged === 0) writing.isCaughtUp = true;
    // Messages that cannot be marked as tried are not sent; they stay in the outbox until the next attempt.
    this.#orRetry(() => {
      this.#options.durability.check();
      while (!writing.isCaughtUp && this.#writing === writing) {
        const batch = this.#options.messages.claim(this.#options.record.contact, writing.last, BATCH, WINDOW);
        if (batch.length === 0) {
          writing.isCaughtUp = true;
          return;
        }
        for (const message of batch) if (!this.#write(message, writing)) return;
        writing.link.flush();
      }
    });
  }

  /** @returns false: the link is full or closed; `pump` continues from here */
  #write(message: OutboxMessage, writing: Writing): boolean {
    const { link } = writing;
    // A message written on a link that is ending would be reported as sent although it is not.
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
    // If the link drained during `flush`, `pump` has written this message already.
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
      case "control":
        if (!link.features.includes(FILES_FEATURE)) return true;
        link.send({ ...message.control, id });
        break;
      default:
        return message satisfies never;
    }
    if (this.#left.has(id) || message.wasSent === true) return true;
    const at = this.#options.now();
    this.#left.set(id, at);
    this.#options.emit({
      name: "delivery",
      to: this.#options.record.contact.username,
      id,
      state: "sent",
      at,
    });
    return true;
  }

  /** To be called about once a second. @throws SQLiteError */
  tick(): void {
    this.saveSent(MARKED_AT_ONCE);
    if (this.#retryIn === undefined) return;
    this.#retryIn--;
    if (this.#retryIn > 0) return;
    this.#retryIn = undefined;
    this.recount();
    this.pump();
  }

  /** Marks written messages as sent on the disk, the oldest first. @throws SQLiteError */
  saveSent(limit = Infinity): void {
    if (this.#left.size === 0) return;
    const marked = new Map(this.#left.entries().take(limit));
    this.#options.messages.saveSent(this.#options.record.contact, marked);
    for (const id of marked.keys()) this.#left.delete(id);
  }
}
