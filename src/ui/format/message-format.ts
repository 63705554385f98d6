/** One message as a program and as a person read it. */
import type { Archive } from "../../client/archive.ts";
import type { MessageState } from "../../client/disk/schema.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { excerptOf, quotable } from "./excerpt.ts";
import { localClock, localDay } from "./local-time.ts";
import { jsonLine } from "./json-line.ts";
import type { Texts } from "../texts/texts.ts";
import { wrapped } from "./wrapped-text.ts";

/** How far a message of ours has come. */
export const STATE_MARKS: { readonly [S in MessageState]: string } = {
  queued: "·",
  sent: "✓",
  received: "✓✓",
  read: "✓✓",
};

/** RFC 3339, in UTC; null for an unknown time. @param time ms since 1970 */
export function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** The mark of a state for a person. */
export function stateMark(state: MessageState, texts: Texts): string {
  return state === "read" ? texts.chatReadMark : STATE_MARKS[state];
}

function contentOf(message: StoredMessage) {
  const { text, id, replyTo } = message;
  return { text, id, ...(replyTo === undefined ? {} : { reply_to: replyTo }) };
}

/** The `message` event of `listen`. */
export function messageEvent(message: StoredMessage, from: string): string {
  const [sent_at, received_at] = [isoTime(message.sentAt), isoTime(message.receivedAt)];
  return jsonLine({ event: "message", from, ...contentOf(message), sent_at, received_at });
}

/** The `message` event of `history`, `search` and `export`; `left_at`, `read_at` and `change_pending` are of own messages only. */
export function historyEvent(message: StoredMessage, from: string, to: string): string {
  const { outgoing } = message;
  return jsonLine({
    event: "message",
    from,
    to,
    ...contentOf(message),
    sent_at: isoTime(message.sentAt),
    ...(outgoing ? { left_at: isoTime(message.leftAt) } : {}),
    received_at: isoTime(message.receivedAt),
    ...(outgoing ? { read_at: isoTime(message.readAt) } : {}),
    edited_at: isoTime(message.editedAt),
    withdrawn_at: isoTime(message.withdrawnAt),
    ...(outgoing ? { change_pending: message.changeWaits } : {}),
    state: message.state,
  });
}

/** The `delivery` event: how far something of ours has come. @param at ms since 1970 */
export function deliveryEvent(to: string, id: string, state: MessageState, at: number) {
  return { event: "delivery", to, id, state, at: isoTime(at) };
}

/** What an `edited` or `withdrawn` event says of the message as it is now. */
function changeFields(message: StoredMessage) {
  const { id, text, withdrawnAt, editedAt } = message;
  if (withdrawnAt !== undefined) return { event: "withdrawn", change: { id, at: isoTime(withdrawnAt) } };
  return { event: "edited", change: { id, text, at: isoTime(editedAt) } };
}

/** The event of a message that its author, a peer, has edited or withdrawn. */
export function peerChangeEvent(message: StoredMessage, from: string) {
  const { event, change } = changeFields(message);
  return { event, from, ...change };
}

/** The event of a message that we have edited or withdrawn. @param action the id of what is sent for it, if anything */
export function ownChangeEvent(message: StoredMessage, to: string, action: string | undefined) {
  const { event, change } = changeFields(message);
  return { event, to, ...change, action: action ?? null };
}

export type MessageLineOptions = {
  readonly texts: Texts;
  /** Of the terminal; undefined where there is none. */
  readonly columns?: number | undefined;
  /** Where several chats are mixed: whose this one is. */
  readonly chat?: string | undefined;
  /** The message that `replyTo` names; undefined: it is not here. */
  readonly repliedTo?: StoredMessage | undefined;
};

/** What is known of a message beside its text. */
export type Remarked = {
  /** Of ours, where it is printed. */
  readonly state?: MessageState | undefined;
  /** Of theirs, when that was long before it arrived: «(escrito a las 14:05)». */
  readonly written?: string | undefined;
  readonly change?: "edited" | "withdrawn" | undefined;
  /** That change has not reached the other side. */
  readonly changeWaits?: boolean;
  /** What it answers, visible text; undefined: it is not here any more. */
  readonly answers?: { readonly excerpt: string | undefined } | undefined;
};

/** What stands between the author of a message and the colon; a text of somebody else only in quotation marks. */
export function remarks(message: Remarked, texts: Texts): string {
  const { answers, change, changeWaits = false, state, written } = message;
  const found: string[] = [];
  // How far a withdrawn text has come does not matter.
  if (state !== undefined && change !== "withdrawn") found.push(stateMark(state, texts));
  if (written !== undefined) found.push(written);
  if (change === "edited") found.push(changeWaits ? texts.chatEditedWaits : texts.chatEdited);
  if (change === "withdrawn") found.push(changeWaits ? texts.chatWithdrawnWaits : texts.chatWithdrawn);
  if (answers !== undefined) {
    const { excerpt } = answers;
    found.push(excerpt === undefined ? texts.chatAnswersGone : texts.chatAnswers(quotable(excerpt)));
  }
  return found.map((each) => ` ${each}`).join("");
}

/** Whether a message was edited or withdrawn. */
export function changeOf({ editedAt, withdrawnAt }: StoredMessage): "edited" | "withdrawn" | undefined {
  if (withdrawnAt !== undefined) return "withdrawn";
  return editedAt === undefined ? undefined : "edited";
}

/** One message for a person: time, name, remarks, text. */
export function messageLine(message: StoredMessage, from: string, options: MessageLineOptions): string {
  const { columns, repliedTo, texts } = options;
  const { changeWaits, outgoing, replyTo, state } = message;
  const time = (outgoing ? message.sentAt : message.receivedAt) ?? 0;
  const chat = options.chat === undefined ? "" : `[${visibleText(options.chat)}] `;
  const isHere = repliedTo !== undefined && repliedTo.withdrawnAt === undefined;
  const remarked = remarks(
    {
      state: outgoing ? state : undefined,
      change: changeOf(message),
      changeWaits,
      answers:
        replyTo === undefined ? undefined : { excerpt: isHere ? excerptOf(repliedTo.text) : undefined },
    },
    texts,
  );
  const head = `${localDay(time)} ${localClock(time)} ${chat}${visibleText(from)}${remarked}`;
  const text = message.withdrawnAt === undefined ? `: ${visibleText(message.text, { lines: true })}` : "";
  return `${wrapped(`${head}${text}`, columns)}\n`;
}

/** A line of `history`, `search` and `export`. @param peer the other person of its conversation */
export function storedLine(
  archive: Pick<Archive, "username" | "repliedTo">,
  message: StoredMessage,
  peer: string,
  { json, ...options }: Omit<MessageLineOptions, "repliedTo"> & { readonly json: boolean },
): string {
  const [from, to] = message.outgoing ? [archive.username, peer] : [peer, archive.username];
  if (json) return historyEvent(message, from, to);
  return messageLine(message, from, { ...options, repliedTo: archive.repliedTo(message) });
}
