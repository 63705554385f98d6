/**
 * Receives from one person (PROTOCOL 5). Messages are committed, all of one read in one commit; when that is on the disk
 * they are acknowledged, then shown.
 */
import { randomUUIDv7 } from "bun";

import {
  MAX_DELIVERED_IDS,
  type FileMessage,
  type GroupMessage,
  type PeerMessage,
  type VerifyMessage,
} from "../../protocol/peer-messages.ts";
import type { Durability } from "../disk/durability.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { ConversationMessage, PeerLink } from "../peer/link.ts";
import type { ProvenPeer } from "../peer/proof.ts";
import type { CommittedRead } from "../profile/message-store.ts";
import { arrivedMessage, type NewIncoming, type StoredMessage } from "../profile/stored-message.ts";
import type { Delivery } from "./delivery.ts";
import type { MessengerEvent } from "./events.ts";
import type { Intake } from "./intake.ts";

/** How far a sender's clock may be ahead of ours before its time is ignored, in ms (PROTOCOL 5). */
export const MAX_TIME_AHEAD = 2 * 60 * 1_000;

/**
 * Edits, withdrawals and acknowledgements stored in one commit: each may change a long text and the words of the
 * search, or cost a query for nothing. What else a read contains follows in a later turn of the event loop.
 */
const MAX_ACTIONS = 16;
const MAX_ACKNOWLEDGED = 4_000;

/** The messages of a peer that are stored. */
export type PeerContent = Extract<PeerMessage, { action: "chat" | "edit" | "withdraw" }> | FileMessage;

/** The sender's time, ms since 1970; undefined: it is invalid, or more than two minutes after the arrival. */
export function believableTime(sentAt: string | undefined, arrivedAt: number): number | undefined {
  if (sentAt === undefined || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(sentAt)) return undefined;
  const time = Date.parse(sentAt);
  return Number.isNaN(time) || time > arrivedAt + MAX_TIME_AHEAD ? undefined : time;
}

/** About how many bytes a message takes besides its text. */
const MESSAGE_FRAME = 256;

function bytesOf(incoming: readonly NewIncoming[]): number {
  return incoming.reduce((sum, each) => sum + MESSAGE_FRAME + ("text" in each ? each.text.length : 0), 0);
}

/** The parts of a link that receiving uses. */
export type ReceivingLink = Pick<
  PeerLink,
  "send" | "flush" | "isOpen" | "tookText" | "hold" | "isHolding" | "peer" | "network"
>;

/** The transfers that a peer has changed, and the offers of theirs that were refused. */
export type TakenControls = Pick<CommittedRead, "transfers" | "refused">;

type ReceivingOptions = {
  readonly record: ContactRecord;
  readonly delivery: Pick<Delivery, "isAwaiting" | "leftAt" | "acknowledged">;
  readonly intake: Intake;
  readonly durability: Durability;
  readonly emit: (event: MessengerEvent) => void;
  /** Whether everything of theirs is taken. */
  readonly isContact: () => boolean;
  /** Something of somebody who is no contact was stored. */
  readonly consentChanged: () => void;
  /** A text of theirs was stored. */
  readonly tookText: (link: ReceivingLink) => void;
  /** What they have said about transfers is on the disk. */
  readonly tookControls: (controls: TakenControls) => void;
  /** Whether the chat is on a screen, which shows even a request's texts. */
  readonly isShown: () => boolean;
  /** ms since 1970 */
  readonly now: () => number;
};

/** What one read has brought. */
class Arrivals {
  /** In the order of arrival. */
  incoming: NewIncoming[] = [];
  /** The id of each incoming message, to be acknowledged once it is stored; a text without one is not acknowledged. */
  toAcknowledge: (string | undefined)[] = [];
  /** Ids of our messages that the peer has acknowledged. */
  acknowledged: string[] = [];
  /** The id of our message up to which the peer has read. */
  readUpTo: string | undefined;
  #actions = 0;

  /** Whether no more should be stored in one commit. */
  get isFull(): boolean {
    return this.#actions >= MAX_ACTIONS || this.acknowledged.length >= MAX_ACKNOWLEDGED;
  }

  get isEmpty(): boolean {
    return this.incoming.length === 0 && this.acknowledged.length === 0 && this.readUpTo === undefined;
  }

  /** @param now ms since 1970 */
  take(content: PeerContent, { fingerprint: key }: Pick<ProvenPeer, "fingerprint">, now: number): void {
    this.toAcknowledge.push(content.id);
    if (content.action !== "chat") this.#actions++;
    switch (content.action) {
      case "chat": {
        const { id = randomUUIDv7(), message: text, reply_to: replyTo } = content;
        const sentAt = believableTime(content.sent_at, now);
        this.incoming.push({ kind: "text", id, text, sentAt, replyTo });
        return;
      }
      case "edit": {
        const { id, target, text } = content;
        this.incoming.push({ kind: "edit", id, target, text });
        return;
      }
      case "withdraw":
        this.incoming.push({ kind: "withdraw", id: content.id, target: content.target });
        return;
      default:
        this.incoming.push({ kind: "control", id: content.id, message: content, key });
    }
  }
}

export class Receiving {
  readonly #options: ReceivingOptions;
  /** The messages of the current read. */
  #arrivals = new Arrivals();

  constructor(options: ReceivingOptions) {
    this.#options = options;
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
        if (!this.#options.delivery.isAwaiting) return;
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
  commitRead(link: ReceivingLink): boolean {
    const arrivals = this.#arrivals;
    if (arrivals.isEmpty) return false;
    this.#options.durability.check();
    this.dropRead();
    const { incoming, readUpTo } = arrivals;
    const now = this.#options.now();
    const acknowledged = arrivals.acknowledged.map((id) => ({
      id,
      leftAt: this.#options.delivery.leftAt(id),
    }));
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
    this.#options.delivery.acknowledged(arrivals.acknowledged, committed.acknowledged);
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

  #acknowledge(ids: readonly string[], link: ReceivingLink): void {
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

  /** Forgets messages that were not committed: the peer sends them again, because they were not acknowledged. */
  dropRead(): void {
    this.#arrivals = new Arrivals();
  }
}
