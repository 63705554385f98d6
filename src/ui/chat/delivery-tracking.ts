/** Tracks the delivery of our messages and changes, and reports those that are late. */
import type { MessageState } from "../../client/disk/schema.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { excerptOf } from "../format/excerpt.ts";
import type { Line } from "../format/printed-line.ts";
import type {
  ChatContext,
  ChatModel,
  Deliveries,
  Outstanding,
  OwnMessage,
  PendingDelivery,
} from "./model.ts";
import { arrivedLines, waitingLines } from "./notices.ts";

/** Messages that are tracked one by one; more are only counted. */
export const MAX_PENDING = 100;
/** Number of our messages whose states are kept for the prompt. */
const MAX_OWN = 100;
/** A message that waits longer than this is reported, in ms. */
export const NOTIFIED_AFTER = 5_000;

const RANKS: { readonly [S in MessageState]: number } = { queued: 0, sent: 1, received: 2, read: 3 };

/** The later of two states: a received message does not become queued again. */
function laterState(one: MessageState, other: MessageState): MessageState {
  return RANKS[other] > RANKS[one] ? other : one;
}

function hasArrived(state: MessageState): boolean {
  return RANKS[state] >= RANKS.received;
}

/** A message, or a change of one (`target`), to be tracked. */
export type Followed = { readonly id: string; readonly excerpt: string; readonly target?: string };

export const NO_DELIVERIES: Deliveries = {
  last: undefined,
  own: [],
  pending: [],
  arrived: [],
  overflow: { notified: 0, unnotified: 0, since: 0, texts: false, changes: false, arrived: 0 },
};

/** Shows the state of this message in the prompt from now on. */
function withOwn(deliveries: Deliveries, message: OwnMessage): Deliveries {
  return { ...deliveries, last: message, own: [...deliveries.own, message].slice(-MAX_OWN) };
}

/** Tracks one more, or counts it if MAX_PENDING are tracked already. */
function waitFor(deliveries: Deliveries, followed: Followed, since: number, state: MessageState): Deliveries {
  const { overflow, pending } = deliveries;
  if (pending.length < MAX_PENDING)
    return { ...deliveries, pending: [...pending, { ...followed, since, state, notified: false }] };
  const isChange = followed.target !== undefined;
  return {
    ...deliveries,
    overflow: {
      ...overflow,
      unnotified: overflow.unnotified + 1,
      since: overflow.unnotified === 0 ? since : overflow.since,
      texts: overflow.texts || !isChange,
      changes: overflow.changes || isChange,
    },
  };
}

/** Tracks a message of ours, or a change of one, that was just committed. @param now ms since 1970 */
export function follow(deliveries: Deliveries, followed: Followed, now: number): Deliveries {
  const { id, target } = followed;
  const next =
    target === undefined
      ? withOwn(deliveries, { id, state: "queued" })
      : { ...deliveries, last: { id, state: "queued", target } as const };
  return waitFor(next, followed, now, "queued");
}

function isMissing({ outgoing, state, withdrawnAt }: StoredMessage): boolean {
  return outgoing && !hasArrived(state) && withdrawnAt === undefined;
}

/** Tracks the stored messages that were not received. They count as reported, since they are shown with their state. */
export function followStored(deliveries: Deliveries, messages: readonly StoredMessage[]): Deliveries {
  const missing = messages.filter(isMissing);
  const room = MAX_PENDING - deliveries.pending.length;
  const followed = room <= 0 ? [] : missing.slice(-room);
  if (followed.length === 0) return deliveries;
  const stored = followed.map(({ id, text, sentAt, state }) => ({
    id,
    excerpt: excerptOf(text),
    since: sentAt ?? 0,
    state,
    notified: true,
  }));
  return { ...fewerInOverflow(deliveries, stored.length), pending: [...stored, ...deliveries.pending] };
}

/** The deliveries when the chat opens with these messages. What waits in the outbox but is not shown is counted. */
export function beginDeliveries(
  deliveries: Deliveries,
  messages: readonly StoredMessage[],
  { texts, changes }: Outstanding,
): Deliveries {
  const own = messages
    .filter(({ outgoing, withdrawnAt }) => outgoing && withdrawnAt === undefined)
    .slice(-MAX_OWN)
    .map(({ id, state }) => ({ id, state }));
  const shown = Math.min(messages.filter(isMissing).length, MAX_PENDING);
  const unseen = Math.max(0, texts - shown);
  const none = NO_DELIVERIES.overflow;
  const overflow = { ...none, unnotified: unseen + changes, texts: unseen > 0, changes: changes > 0 };
  return { ...deliveries, own, last: own.at(-1), overflow };
}

/** Removes `count` from those that are only counted. */
function fewerInOverflow(deliveries: Deliveries, count: number): Deliveries {
  const { overflow } = deliveries;
  const notified = Math.min(overflow.notified, count);
  const unnotified = Math.min(overflow.unnotified, count - notified);
  return {
    ...deliveries,
    overflow: {
      ...overflow,
      notified: overflow.notified - notified,
      unnotified: overflow.unnotified - unnotified,
    },
  };
}

/** Updates the states for the prompt; when a change has arrived, the prompt shows the last message again. */
function advanceOwn({ own, last }: Deliveries, id: string, state: MessageState) {
  const index = own.findLastIndex((each) => each.id === id);
  const known = own[index];
  const states =
    known === undefined ? own : own.with(index, { ...known, state: laterState(known.state, state) });
  if (last === undefined) return { own: states, last };
  if (last.target === undefined)
    return { own: states, last: states.findLast((each) => each.id === last.id) ?? last };
  if (last.id !== id) return { own: states, last };
  const moved = { ...last, state: laterState(last.state, state) };
  return { own: states, last: hasArrived(state) ? (states.at(-1) ?? moved) : moved };
}

/** A message of ours, or a change of one, has reached a new state. */
export function advance(deliveries: Deliveries, id: string, state: MessageState): Deliveries {
  const next = { ...deliveries, ...advanceOwn(deliveries, id, state) };
  const { arrived, overflow, pending } = deliveries;
  const index = pending.findIndex((each) => each.id === id);
  const one = pending[index];
  if (one === undefined) {
    if (state !== "received") return next;
    const fewer = fewerInOverflow(next, 1);
    const wasNotified = fewer.overflow.notified < overflow.notified;
    const count = fewer.overflow.arrived + (wasNotified ? 1 : 0);
    return { ...fewer, overflow: { ...fewer.overflow, arrived: count } };
  }
  if (hasArrived(state)) {
    const { excerpt, target, notified } = one;
    const late = notified ? [...arrived, { excerpt, isChange: target !== undefined }] : arrived;
    return { ...next, pending: pending.toSpliced(index, 1), arrived: late };
  }
  return { ...next, pending: pending.with(index, { ...one, state: laterState(one.state, state) }) };
}

/**
 * Stops tracking a message that was withdrawn or cancelled, and its changes.
 * @param waited whether it was in the outbox
 */
export function forget(deliveries: Deliveries, id: string, waited: boolean): Deliveries {
  const { last } = deliveries;
  const pending = deliveries.pending.filter((each) => each.id !== id && each.target !== id);
  const isCounted = waited && !deliveries.pending.some((each) => each.id === id);
  const own = deliveries.own.filter((each) => each.id !== id);
  const isGone = last?.id === id || last?.target === id;
  const next = { ...deliveries, pending, own, last: isGone ? own.at(-1) : last };
  return isCounted ? fewerInOverflow(next, 1) : next;
}

/** Updates the excerpt of an unsent message that was edited. */
export function reword(deliveries: Deliveries, id: string, text: string): Deliveries {
  const excerpt = excerptOf(text);
  const pending = deliveries.pending.map((each) => (each.id === id ? { ...each, excerpt } : each));
  return { ...deliveries, pending };
}

/** On a tick: the lines about late messages, and about reported messages that have arrived since. */
export function lateDeliveries(chat: ChatModel, context: ChatContext): { chat: ChatModel; lines: Line[] } {
  const { arrived, overflow, pending } = chat.deliveries;
  const { now } = context;
  const isLinked = chat.link.name === "connected";
  const isLate = ({ notified, state, since }: PendingDelivery) =>
    !notified && now - since >= NOTIFIED_AFTER && !(state === "sent" && isLinked);
  const isOverflowLate = overflow.unnotified > 0 && now - overflow.since >= NOTIFIED_AFTER && !isLinked;
  // If the overflow is late, one line counts everything that waits.
  const late = isOverflowLate ? pending : pending.filter(isLate);
  if (late.length === 0 && !isOverflowLate && arrived.length === 0 && overflow.arrived === 0)
    return { chat, lines: [] };
  const more = isOverflowLate ? overflow.notified + overflow.unnotified : 0;
  const lines = [...arrivedLines(chat, context), ...waitingLines(chat, late, more, context)];
  const counted = isOverflowLate ? { ...overflow, notified: more, unnotified: 0 } : overflow;
  const isEmpty = counted.notified + counted.unnotified === 0;
  const deliveries: Deliveries = {
    ...chat.deliveries,
    pending: pending.map((each) => (isOverflowLate || isLate(each) ? { ...each, notified: true } : each)),
    arrived: [],
    overflow: isEmpty ? NO_DELIVERIES.overflow : { ...counted, arrived: 0 },
  };
  return { chat: { ...chat, deliveries }, lines };
}
