/** Our messages on their way: how far each is, and what the person is told when one stays behind. */
import type { MessageState } from "../../client/disk/schema.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { ChatModel } from "./model.ts";
import type { Beyond, Mark, Outstanding, Waiting } from "./waiting.ts";
import { arrivedLines, waitingLines, type ChatScene } from "./notices.ts";
import { excerptOf } from "../format/excerpt.ts";
import type { Line } from "../format/printed-line.ts";

/** Messages that are followed one by one; those beyond are counted. */
export const MAX_WAITING = 100;
/** Texts of ours whose states are kept for the prompt. */
const MAX_OWN = 100;
/** How long a message may stay behind before the person is told, in ms. */
export const TOLD_AFTER = 5_000;

const RANKS: { readonly [S in MessageState]: number } = { queued: 0, sent: 1, received: 2, read: 3 };
/** The later one of two states: what was received is not queued again. */
function laterState(one: MessageState, other: MessageState): MessageState {
  return RANKS[other] > RANKS[one] ? other : one;
}

/** What is followed from now on: a text, or a change of one (`target`). */
export type Followed = { readonly id: string; readonly excerpt: string; readonly target?: string };

/** Nothing waits beyond those that are followed. */
export const NONE_BEYOND: Beyond = {
  told: 0,
  untold: 0,
  since: 0,
  texts: false,
  changes: false,
  arrived: 0,
};

function hasArrived(state: MessageState): boolean {
  return RANKS[state] >= RANKS.received;
}

/** The prompt shows this text of ours from now on. */
function withOwn(chat: ChatModel, mark: Mark): ChatModel {
  return { ...chat, last: mark, own: [...chat.own, mark].slice(-MAX_OWN) };
}

/** Follows one more, or counts it where those that are followed are too many. */
function waitFor(chat: ChatModel, followed: Followed, since: number, state: MessageState): ChatModel {
  if (chat.waiting.length < MAX_WAITING)
    return { ...chat, waiting: [...chat.waiting, { ...followed, since, state, told: false }] };
  const { beyond } = chat;
  const isChange = followed.target !== undefined;
  return {
    ...chat,
    beyond: {
      ...beyond,
      untold: beyond.untold + 1,
      since: beyond.untold === 0 ? since : beyond.since,
      texts: beyond.texts || !isChange,
      changes: beyond.changes || isChange,
    },
  };
}

/** A text of ours, or a change of one, has reached the disk. @param now ms since 1970 */
export function follow(chat: ChatModel, followed: Followed, now: number): ChatModel {
  const { id, target } = followed;
  const next =
    target === undefined
      ? withOwn(chat, { id, state: "queued" })
      : { ...chat, last: { id, state: "queued", target } as const };
  return waitFor(next, followed, now, "queued");
}

/** A text of ours that another process wrote has been shown. */
export function followElsewhere(chat: ChatModel, message: StoredMessage, now: number): ChatModel {
  const { id, sentAt, state, text } = message;
  const next = withOwn(chat, { id, state });
  return hasArrived(state) ? next : waitFor(next, { id, excerpt: excerptOf(text) }, sentAt ?? now, state);
}

function isMissing({ outgoing, state, withdrawnAt }: StoredMessage): boolean {
  return outgoing && !hasArrived(state) && withdrawnAt === undefined;
}

/** Follows what the store shows as not received; those who see it there have been told. */
export function followStored(chat: ChatModel, messages: readonly StoredMessage[]): ChatModel {
  const missing = messages.filter(isMissing);
  const room = MAX_WAITING - chat.waiting.length;
  const followed = room <= 0 ? [] : missing.slice(-room);
  if (followed.length === 0) return chat;
  const stored = followed.map(({ id, text, sentAt, state }) => ({
    id,
    excerpt: excerptOf(text),
    since: sentAt ?? 0,
    state,
    told: true,
  }));
  return { ...withoutBeyond(chat, stored.length), waiting: [...stored, ...chat.waiting] };
}

/** The chat begins with these messages: their marks, and how much waits beside those that are shown. */
export function beginWaiting(
  chat: ChatModel,
  messages: readonly StoredMessage[],
  { texts, changes }: Outstanding,
): ChatModel {
  const own = messages
    .filter(({ outgoing, withdrawnAt }) => outgoing && withdrawnAt === undefined)
    .slice(-MAX_OWN)
    .map(({ id, state }) => ({ id, state }));
  const shown = Math.min(messages.filter(isMissing).length, MAX_WAITING);
  const unseen = Math.max(0, texts - shown);
  const beyond = { ...NONE_BEYOND, untold: unseen + changes, texts: unseen > 0, changes: changes > 0 };
  return { ...chat, own, last: own.at(-1), beyond };
}

/** Some of those that were only counted are counted no more. */
function withoutBeyond(chat: ChatModel, count: number): ChatModel {
  const { beyond } = chat;
  const told = Math.min(beyond.told, count);
  const untold = Math.min(beyond.untold, count - told);
  return { ...chat, beyond: { ...beyond, told: beyond.told - told, untold: beyond.untold - untold } };
}

/** Of those that are only counted there can be no more than wait at all. */
export function recountBeyond(chat: ChatModel, { texts, changes }: Outstanding): ChatModel {
  const { told, untold } = chat.beyond;
  return withoutBeyond(chat, Math.max(0, chat.waiting.length + told + untold - texts - changes));
}

/** How far a text, or a change of one, has come; once a change is there, the prompt shows the last text's again. */
function marksAfter(chat: ChatModel, id: string, state: MessageState): Pick<ChatModel, "own" | "last"> {
  const index = chat.own.findLastIndex((each) => each.id === id);
  const known = chat.own[index];
  const own =
    known === undefined
      ? chat.own
      : chat.own.with(index, { ...known, state: laterState(known.state, state) });
  const { last } = chat;
  if (last === undefined) return { own, last };
  if (last.target === undefined) return { own, last: own.findLast((each) => each.id === last.id) ?? last };
  if (last.id !== id) return { own, last };
  const moved = { ...last, state: laterState(last.state, state) };
  return { own, last: hasArrived(state) ? (own.at(-1) ?? moved) : moved };
}

/** A message of ours has come further. */
export function advance(chat: ChatModel, id: string, state: MessageState): ChatModel {
  const next = { ...chat, ...marksAfter(chat, id, state) };
  const index = chat.waiting.findIndex((each) => each.id === id);
  const one = chat.waiting[index];
  if (one === undefined) {
    if (state !== "received") return next;
    const { beyond } = withoutBeyond(next, 1);
    const wasTold = beyond.told < chat.beyond.told;
    return { ...next, beyond: { ...beyond, arrived: beyond.arrived + (wasTold ? 1 : 0) } };
  }
  if (hasArrived(state)) {
    const { excerpt, target, told } = one;
    const arrived = told ? [...chat.arrived, { excerpt, isChange: target !== undefined }] : chat.arrived;
    return { ...next, waiting: chat.waiting.toSpliced(index, 1), arrived };
  }
  const moved = { ...one, state: laterState(one.state, state) };
  return { ...next, waiting: chat.waiting.with(index, moved) };
}

/**
 * A text of ours was taken back, or cancelled: it is not waited for any more, nor are changes of it.
 * @param waited whether it was in the outbox
 */
export function forget(chat: ChatModel, id: string, waited: boolean): ChatModel {
  const waiting = chat.waiting.filter((each) => each.id !== id && each.target !== id);
  const isCounted = waited && !chat.waiting.some((each) => each.id === id);
  const own = chat.own.filter((each) => each.id !== id);
  const { last } = chat;
  const isGone = last?.id === id || last?.target === id;
  const next = { ...chat, waiting, own, last: isGone ? own.at(-1) : last };
  return isCounted ? withoutBeyond(next, 1) : next;
}

/** A text of ours has other words, and leaves with them. */
export function reword(chat: ChatModel, id: string, text: string): ChatModel {
  const waiting = chat.waiting.map((each) => (each.id === id ? { ...each, excerpt: excerptOf(text) } : each));
  return { ...chat, waiting };
}

/** What there is to tell of messages that stay behind, and of those that came through after all. */
export function tellOfWaiting(chat: ChatModel, scene: ChatScene): { chat: ChatModel; lines: Line[] } {
  const { arrived, beyond, waiting } = chat;
  const isLinked = chat.link.name === "connected";
  const isLate = ({ told, state, since }: Waiting) =>
    !told && scene.now - since >= TOLD_AFTER && !(state === "sent" && isLinked);
  const isCrowd = beyond.untold > 0 && scene.now - beyond.since >= TOLD_AFTER && !isLinked;
  // With some that are only counted, the line counts everything that waits.
  const late = isCrowd ? waiting : waiting.filter(isLate);
  if (late.length === 0 && !isCrowd && arrived.length === 0 && beyond.arrived === 0)
    return { chat, lines: [] };
  const more = isCrowd ? beyond.told + beyond.untold : 0;
  const lines = [...arrivedLines(chat, scene), ...waitingLines(chat, late, more, scene)];
  const told = waiting.map((each) => (isCrowd || isLate(each) ? { ...each, told: true } : each));
  const counted = isCrowd ? { ...beyond, told: more, untold: 0 } : beyond;
  const next = counted.told + counted.untold === 0 ? NONE_BEYOND : { ...counted, arrived: 0 };
  return { chat: { ...chat, waiting: told, arrived: [], beyond: next }, lines };
}
