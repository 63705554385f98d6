/** The texts, actions, messages about transfers and acknowledgements of one read of a link, before they are stored. */
import { randomUUIDv7 } from "bun";

import type { FileMessage, PeerMessage } from "../../protocol/peer-messages.ts";
import type { ProvenPeer } from "../peer/proof.ts";
import type { NewIncoming } from "../profile/stored-message.ts";

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

export class Arrivals {
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
