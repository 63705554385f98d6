/** One message as a program and as a person read it. */
import type { MessageState, StoredMessage } from "../client/message-store.ts";
import { visibleText } from "../protocol/visible-text.ts";
import { jsonLine } from "./output.ts";
import { wrapped } from "./wrapped-text.ts";
import { localClock, localDay } from "./local-time.ts";

/** How far a message of ours has come. */
export const STATE_MARKS: { readonly [S in MessageState]: string } = {
  queued: "·",
  sent: "✓",
  received: "✓✓",
};

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function fieldsOf(message: StoredMessage) {
  return {
    text: message.text,
    id: message.id,
    ...(message.replyTo === undefined ? {} : { reply_to: message.replyTo }),
    sent_at: isoTime(message.sentAt),
    received_at: isoTime(message.receivedAt),
  };
}

/** The `message` event of `listen`. */
export function messageEvent(message: StoredMessage, from: string): string {
  return jsonLine({ event: "message", from, ...fieldsOf(message) });
}

/** The `message` event of `history`. */
export function historyEvent(message: StoredMessage, from: string, to: string): string {
  return jsonLine({ event: "message", from, to, ...fieldsOf(message), state: message.state });
}

/**
 * One message for a person: time, name, text; outgoing ones with the mark of their state.
 * @param columns of the terminal; undefined where there is none.
 */
export function messageLine(message: StoredMessage, from: string, columns?: number): string {
  const time = message.outgoing ? message.sentAt : message.receivedAt;
  const mark = message.outgoing ? ` ${STATE_MARKS[message.state]}` : "";
  const text = visibleText(message.text, { lines: true });
  return `${wrapped(`${localDay(time ?? 0)} ${localClock(time ?? 0)} ${visibleText(from)}${mark}: ${text}`, columns)}\n`;
}
