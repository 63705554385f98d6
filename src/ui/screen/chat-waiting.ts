/** Our messages on their way: how far each is, and what the person is told when one stays behind. */
import type { MessageState, StoredMessage } from "../../client/message-store.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { ChatModel, Waiting } from "./chat-model.ts";
import { arrivedLines, waitingLines, type ChatScene } from "./chat-notices.ts";
import type { Line } from "./lines.ts";
import { graphemes } from "../graphemes.ts";

/** Messages that are followed one by one; of those beyond only the last one's state is shown. */
export const MAX_WAITING = 100;
/** How long a message may stay behind before the person is told, in ms. */
export const TOLD_AFTER = 5_000;
/** Graphemes of a message that are repeated in a line about it. */
const MAX_EXCERPT = 24;
/** UTF-16 units of a message that are looked at for them. */
const MAX_EXCERPT_SOURCE = 512;

const RANKS: { readonly [S in MessageState]: number } = { queued: 0, sent: 1, received: 2 };
/** The later one of two states: what was received is not queued again. */
function laterState(one: MessageState, other: MessageState): MessageState {
  return RANKS[other] > RANKS[one] ? other : one;
}

/** The beginning of a text on one line, as it may be shown. */
export function excerptOf(text: string): string {
  const start = text.slice(0, MAX_EXCERPT_SOURCE);
  const line = visibleText(start.replace(/\s+/g, " ").trim());
  let excerpt = "";
  let count = 0;
  for (const { segment } of graphemes.segment(line)) {
    if (count === MAX_EXCERPT) return `${excerpt.trimEnd()}…`;
    excerpt += segment;
    count++;
  }
  return start.length < text.length || excerpt === "" ? `${excerpt}…` : excerpt;
}

/** A text of ours has reached the disk. @param now ms since 1970 */
export function follow(chat: ChatModel, id: string, text: string, now: number): ChatModel {
  const last = { id, state: "queued" } as const;
  if (chat.waiting.length >= MAX_WAITING) return { ...chat, last };
  const one: Waiting = { id, excerpt: excerptOf(text), since: now, state: "queued", told: false };
  return { ...chat, last, waiting: [...chat.waiting, one] };
}

/** Follows what the store shows as not received; those who see it there have been told. */
export function followStored(chat: ChatModel, messages: readonly StoredMessage[]): ChatModel {
  const missing = messages.filter(({ outgoing, state }) => outgoing && state !== "received");
  const room = MAX_WAITING - chat.waiting.length;
  if (missing.length === 0 || room <= 0) return chat;
  const stored = missing.slice(-room).map(({ id, text, sentAt, state }) => ({
    id,
    excerpt: excerptOf(text),
    since: sentAt ?? 0,
    state,
    told: true,
  }));
  return { ...chat, waiting: [...stored, ...chat.waiting] };
}

/** A message of ours has come further. */
export function advance(chat: ChatModel, id: string, state: MessageState): ChatModel {
  const { last } = chat;
  const next = last?.id === id ? { ...chat, last: { id, state: laterState(last.state, state) } } : chat;
  const index = chat.waiting.findIndex((each) => each.id === id);
  const one = chat.waiting[index];
  if (one === undefined) return next;
  if (state === "received") {
    const arrived = one.told ? [...chat.arrived, one.excerpt] : chat.arrived;
    return { ...next, waiting: chat.waiting.toSpliced(index, 1), arrived };
  }
  const moved = { ...one, state: laterState(one.state, state) };
  return { ...next, waiting: chat.waiting.with(index, moved) };
}

/** What there is to tell of messages that stay behind, and of those that came through after all. */
export function tellOfWaiting(chat: ChatModel, scene: ChatScene): { chat: ChatModel; lines: Line[] } {
  const isLinked = chat.link.name === "connected";
  const isLate = ({ told, state, since }: Waiting) =>
    !told && scene.now - since >= TOLD_AFTER && !(state === "sent" && isLinked);
  const late = chat.waiting.filter(isLate);
  if (late.length === 0 && chat.arrived.length === 0) return { chat, lines: [] };
  const lines = [...arrivedLines(chat.arrived, scene), ...waitingLines(chat, late, scene)];
  const waiting = chat.waiting.map((each) => (isLate(each) ? { ...each, told: true } : each));
  return { chat: { ...chat, waiting, arrived: [] }, lines };
}
