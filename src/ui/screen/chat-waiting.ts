/** Our messages on their way: how far each is, and what the person is told when one stays behind. */
import type { MessageState, StoredMessage } from "../../client/stored-message.ts";
import type { ChatModel, Waiting } from "./chat-model.ts";
import { arrivedLines, waitingLines, type ChatScene } from "./chat-notices.ts";
import { excerptOf } from "../excerpt.ts";
import type { Line } from "./lines.ts";

/** Messages that are followed one by one; of those beyond only the last one's state is shown. */
export const MAX_WAITING = 100;
/** How long a message may stay behind before the person is told, in ms. */
export const TOLD_AFTER = 5_000;

const RANKS: { readonly [S in MessageState]: number } = { queued: 0, sent: 1, received: 2, read: 3 };
/** The later one of two states: what was received is not queued again. */
function laterState(one: MessageState, other: MessageState): MessageState {
  return RANKS[other] > RANKS[one] ? other : one;
}

/** What is followed from now on: a text, or a change of one (`target`). */
export type Followed = { readonly id: string; readonly excerpt: string; readonly target?: string };

/** A text of ours, or a change of one, has reached the disk. @param now ms since 1970 */
export function follow(chat: ChatModel, followed: Followed, now: number): ChatModel {
  const { id, target } = followed;
  const last = { id, state: "queued", ...(target === undefined ? {} : { target }) } as const;
  if (chat.waiting.length >= MAX_WAITING) return { ...chat, last };
  const one: Waiting = { ...followed, since: now, state: "queued", told: false };
  return { ...chat, last, waiting: [...chat.waiting, one] };
}

function hasArrived(state: MessageState): boolean {
  return RANKS[state] >= RANKS.received;
}

/** Follows what the store shows as not received; those who see it there have been told. */
export function followStored(chat: ChatModel, messages: readonly StoredMessage[]): ChatModel {
  const missing = messages.filter(
    ({ outgoing, state, withdrawnAt }) => outgoing && !hasArrived(state) && withdrawnAt === undefined,
  );
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

/** The last message's mark. That a changed text is read shows once its change has arrived. */
function lastAfter(last: ChatModel["last"], id: string, state: MessageState): ChatModel["last"] {
  if (last === undefined) return undefined;
  const isItsText = last.target === id && state === "read" && hasArrived(last.state);
  return last.id === id || isItsText ? { ...last, state: laterState(last.state, state) } : last;
}

/** A message of ours has come further. */
export function advance(chat: ChatModel, id: string, state: MessageState): ChatModel {
  const next = { ...chat, last: lastAfter(chat.last, id, state) };
  const index = chat.waiting.findIndex((each) => each.id === id);
  const one = chat.waiting[index];
  if (one === undefined) return next;
  if (hasArrived(state)) {
    const arrived = one.told ? [...chat.arrived, one.excerpt] : chat.arrived;
    return { ...next, waiting: chat.waiting.toSpliced(index, 1), arrived };
  }
  const moved = { ...one, state: laterState(one.state, state) };
  return { ...next, waiting: chat.waiting.with(index, moved) };
}

/** A text of ours was taken back, or cancelled: it is not waited for any more, nor are changes of it. */
export function forget(chat: ChatModel, id: string): ChatModel {
  const waiting = chat.waiting.filter((each) => each.id !== id && each.target !== id);
  const { last } = chat;
  if (last?.id !== id && last?.target !== id) return { ...chat, waiting };
  const before = waiting.at(-1);
  return { ...chat, waiting, last: before && { id: before.id, state: before.state } };
}

/** A text of ours has other words, and leaves with them. */
export function reword(chat: ChatModel, id: string, text: string): ChatModel {
  const waiting = chat.waiting.map((each) => (each.id === id ? { ...each, excerpt: excerptOf(text) } : each));
  return { ...chat, waiting };
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
