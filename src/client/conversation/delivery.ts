/**
 * Delivers messages to one person exactly once and in order (PROTOCOL 5).
 *
 * - A message stays in the outbox until `delivered` names it. All unacknowledged messages are sent again, in order,
 *   whenever the current link changes.
 * - Incoming messages are committed, all of one read in one commit; when that is on the disk they are acknowledged, then
 *   shown.
 * - A text of ours is written on the link while its commit comes to the disk; after a power cut the peer may have one that
 *   is not here. Nobody was told that it was queued. What is claimed from the outbox, edits and withdrawals are on the disk
 *   before they are written.
 * - Edits, withdrawals and messages about transfers are messages too; a peer that does not support them does not receive any.
 *
 * This class knows the store and the current link; `dialling.ts` decides when to dial.
 */
import {
  FILES_FEATURE,
  MAX_DELIVERED_IDS,
  type GroupMessage,
  type VerifyMessage,
} from "../../protocol/peer-messages.ts";
import type { Durability } from "../disk/durability.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { ConversationMessage, PeerLink } from "../peer/link.ts";
import type { CommittedRead, MessageStore } from "../profile/message-store.ts";
import {
  arrivedMessage,
  type NewIncoming,
  type OutboxMessage,
  type StoredMessage,
} from "../profile/stored-message.ts";
import { Arrivals } from "./arrivals.ts";
import type { MessengerEvent } from "./events.ts";
import type { Intake } from "./intake.ts";

/** Queued bytes of a link above which nothing more is written on it. */
const WINDOW = 256 * 1024;
/** Messages read from the outbox at a time. */
const BATCH = 256;
/** Messages that one tick marks as sent: as long texts they take about 30 ms. */
const MARKED_AT_ONCE = 256;
/** Ticks after a failure of storage until the outbox is read again. */
const RETRY_AFTER_TICKS = 30;

/** About how many bytes a message takes besides its text. */
const MESSAGE_FRAME = 256;

function bytesOf(incoming: readonly NewIncoming[]): number {
  return incoming.reduce((sum, each) => sum + MESSAGE_FRAME + ("text" in each ? each.text.length : 0), 0);
}

/** The parts of a link that delivery uses. */
export type DeliveryLink = Pick<
  PeerLink,
  | "send"
  | "flush"
  | "queuedBytes"
  | "isOpen"
  | "features"
  | "tookText"
  | "hold"
  | "isHolding"
  | "peer"
  | "network"
>;

/** The transfers that a peer has changed, and the offers of theirs that were refused. */
export type TakenControls = Pick<CommittedRead, "transfers" | "refused">;

type DeliveryOptions = {
  readonly record: ContactRecord;
  readonly messages: MessageStore;
  readonly intake: Intake;
  readonly storage: StorageGuard;
  readonly durability: Durability;
  readonly emit: (event: MessengerEvent) => void;
  /** Whether everything of theirs is taken. */
  readonly isContact: () => boolean;
  /** Something of somebody who is no contact was stored. */
  readonly consentChanged: () => void;
  /** A text of theirs was stored. */
  readonly tookText: (link: DeliveryLink) => void;
  /** What they have said about transfers is on the disk. */
  readonly tookControls: (controls: TakenControls) => void;
  /** Whether the chat is on a screen, which shows even a request's texts. */
  readonly isShown: () => boolean;
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
  /** The messages of the current read. */
  #arrivals = new Arrivals();

  /** @throws SQLiteError */
  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#count();
  }

  /** How many messages are unacknowledged and supported by their client. */
  get waiting(): number {
    return Math.max(0, this.#unacknowledged - this.#held);
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

  /** Handles one message of `link` but for those of a verification and of groups; messages to store are collected until the end of the read. */
  take(
    message: Exclude<ConversationMessage, VerifyMessage | GroupMessage | { action: "held" | "accepted" }>,
    link: Pick<PeerLink, "send" | "endRead" | "isHolding" | "peer">,
  ): void {
    switch (message.action) {
      case "chat":
      case "edit":
      case "withdraw":
      case "file_offer":
      case "file_accept":
      case "file_decline":
      case "file_end":
      case "file_done":
      case "file_cancel":
        if (link.isHolding) return;
        this.#arrivals.take(message, link.peer, this.#options.now());
        if (this.#arrivals.isFull) link.endRead();
        return;
      case "delivered":
        // Then nothing of it can be new, and each id would cost a look into the store.
        if (this.#unacknowledged === 0) return;
        this.#arrivals.acknowledged.push(...message.ids);
        if (this.#arrivals.isFull) link.endRead();
        return;
      case "read":
        this.#arrivals.readUpTo = message.id;
        return;
      case "ping":
        link.send({ action: "pong" });
        return;
      case "typing":
        this.#options.emit({
          name: "typing",
          username: this.#options.record.contact.username,
          active: message.active,
        });
        return;
      case "error":
        this.#options.emit({
          name: "peerError",
          username: this.#options.record.contact.username,
          code: message.code,
        });
        return;
      case "pong":
        return;
      default:
        message satisfies never;
    }
  }

  /**
   * Commits the messages of this read; once that is on the disk they are acknowledged on `link`. What may not be taken stays
   * with the peer, who is told so.
   * @returns whether the peer has acknowledged any message of the outbox
   * @throws SQLiteError: then nothing is stored, acknowledged or shown
   */
  commitRead(link: DeliveryLink): boolean {
    const arrivals = this.#arrivals;
    if (arrivals.isEmpty) return false;
    this.#options.durability.check();
    this.dropRead();
    const { incoming, readUpTo } = arrivals;
    const now = this.#options.now();
    const acknowledged = arrivals.acknowledged.map((id) => ({ id, leftAt: this.#left.get(id) }));
    const read = { incoming, acknowledged, readUpTo };
    const taken = this.#options.isContact()
      ? this.#options.intake.commitAll(this.#options.record, read, now)
      : this.#options.intake.commit(this.#options.record, read, link, now);
    const { committed, count, rest, request } = taken;
    if (taken.isStranger) this.#options.consentChanged();
    const { contact } = this.#options.record;
    if (count > 0) {
      const ids = arrivals.toAcknowledge.slice(0, count).filter((id) => id !== undefined);
      this.#options.durability.taken(bytesOf(incoming), () => this.#acknowledge(ids, link));
    }
    if (rest === "held" && !link.isHolding) {
      link.hold();
      this.#options.durability.inOrder(() => {
        // They may have been accepted meanwhile: then they were told that, and the link is ending.
        if (!link.isOpen) return;
        link.send({ action: "held" });
        link.flush();
      });
    }
    // A new text has a `seq`; a duplicate has none.
    const hasNewText = committed.stored.some((each) => typeof each === "number");
    if (hasNewText) {
      link.tookText();
      this.#options.tookText(link);
    }
    if (committed.transfers.length > 0 || committed.refused.length > 0)
      this.#options.durability.inOrder(() => this.#options.tookControls(committed));
    for (const { id } of acknowledged) this.#left.delete(id);
    this.#unacknowledged -= committed.acknowledged.length;
    const to = contact.username;
    for (const id of committed.acknowledged) {
      this.#options.emit({ name: "delivery", to, id, state: "received", at: now });
    }
    for (const id of committed.read) this.#options.emit({ name: "delivery", to, id, state: "read", at: now });
    this.#show(incoming, committed.stored, request === undefined || this.#options.isShown(), now);
    if (request !== undefined && (hasNewText || (request.isNew && rest === "held"))) {
      this.#options.emit({ name: "request", from: to, count: request.texts });
    }
    return committed.acknowledged.length > 0;
  }

  #acknowledge(ids: readonly string[], link: DeliveryLink): void {
    for (let start = 0; start < ids.length; start += MAX_DELIVERED_IDS) {
      link.send({ action: "delivered", ids: ids.slice(start, start + MAX_DELIVERED_IDS) });
    }
    if (ids.length > 0) link.flush();
  }

  /**
   * A text that arrived and was edited in the same read is shown edited; one that was withdrawn is not shown.
   * @param areMessages false: the texts belong to a request, which is shown as one
   */
  #show(
    incoming: readonly NewIncoming[],
    stored: readonly (number | StoredMessage | undefined)[],
    areMessages: boolean,
    now: number,
  ): void {
    const { id: contact, username } = this.#options.record.contact;
    const changes = stored.filter((each) => typeof each === "object");
    const changed = new Map(changes.map((message) => [message.seq, message]));
    const arrived = new Set(changes.length === 0 ? [] : stored.filter((each) => typeof each === "number"));
    stored.forEach((each, index) => {
      const content = incoming[index];
      if (typeof each === "object") {
        if (!arrived.has(each.seq)) {
          this.#options.emit({ name: "changed", username, message: each, action: undefined });
        }
      } else if (areMessages && each !== undefined && content?.kind === "text") {
        const message = changed.get(each) ?? arrivedMessage(contact, each, content, now);
        if (message.withdrawnAt === undefined)
          this.#options.emit({ name: "message", from: username, message });
      }
    });
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

  /** Forgets messages that were not committed: the peer sends them again, because they were not acknowledged. */
  dropRead(): void {
    this.#arrivals = new Arrivals();
  }
}
