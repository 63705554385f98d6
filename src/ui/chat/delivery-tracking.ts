/** Tracks the delivery of our messages and changes, and says when they wait for long. */
import type { GroupCounts } from "../../client/conversation/events.ts";
import type { MessageState } from "../../client/disk/schema.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { excerptOf } from "../format/excerpt.ts";
import type { Line } from "../format/printed-line.ts";
import type {
  ChatContext,
  ChatModel,
  Deliveries,
  OpenedChat,
  OwnMessage,
  PendingDelivery,
  Wait,
} from "./model.ts";
import { whyHeldBack } from "./group/group-lines.ts";
import { notice, whyWaiting } from "./notices.ts";

/** Messages that are tracked one by one; more are only counted. */
export const MAX_PENDING = 100;
/** Number of our messages whose states are kept for the prompt. */
const MAX_OWN = 100;
/** It is said that a message waits when it has waited so long, in ms; and a new reason so long after another one. */
const SAID_AFTER = 15_000;

const RANKS: { readonly [S in MessageState]: number } = { queued: 0, sent: 1, received: 2, read: 3 };

/** The later of two states: a received message does not become queued again. */
function laterState(one: MessageState, other: MessageState): MessageState {
  return RANKS[other] > RANKS[one] ? other : one;
}

function hasArrived(state: MessageState): boolean {
  return RANKS[state] >= RANKS.received;
}

/** A message, or a change of one, to be tracked. */
export type Followed = Omit<PendingDelivery, "since">;

export const NO_DELIVERIES: Deliveries = {
  last: undefined,
  own: [],
  pending: [],
  more: 0,
  wait: { name: "unsaid" },
};

/** Shows the state of this message in the prompt from now on. */
function withOwn(deliveries: Deliveries, message: OwnMessage): Deliveries {
  return { ...deliveries, last: message, own: [...deliveries.own, message].slice(-MAX_OWN) };
}

/** Tracks one more, or counts it if MAX_PENDING are tracked already. */
function waitFor(deliveries: Deliveries, followed: Followed, since: number): Deliveries {
  const { more, pending } = deliveries;
  if (pending.length >= MAX_PENDING) return { ...deliveries, more: more + 1 };
  return { ...deliveries, pending: [...pending, { ...followed, since }] };
}

/** Tracks a message of ours, or a change of one, that was just committed. @param now ms since 1970 */
export function follow(deliveries: Deliveries, followed: Followed, now: number): Deliveries {
  const { id, target } = followed;
  const next =
    target === undefined
      ? withOwn(deliveries, { id, state: "queued" })
      : { ...deliveries, last: { id, state: "queued", target } as const };
  return waitFor(next, followed, now);
}

function isMissing({ outgoing, state, withdrawnAt }: StoredMessage): boolean {
  return outgoing && !hasArrived(state) && withdrawnAt === undefined;
}

/** Tracks the stored messages that were not received. @param now ms since 1970 */
export function followStored(
  deliveries: Deliveries,
  messages: readonly StoredMessage[],
  now: number,
): Deliveries {
  const missing = messages.filter(isMissing);
  const room = MAX_PENDING - deliveries.pending.length;
  const followed = room <= 0 ? [] : missing.slice(-room);
  const stored = followed.map(({ id, text }) => ({ id, excerpt: excerptOf(text), since: now }));
  return { ...fewer(deliveries, stored.length), pending: [...stored, ...deliveries.pending] };
}

/** The deliveries when the chat opens with these messages. @param waiting number of all that are in the outbox */
export function beginDeliveries(
  { messages, counts }: Pick<OpenedChat, "messages" | "counts">,
  waiting: number,
  now: number,
): Deliveries {
  const own = messages
    .filter(({ outgoing, withdrawnAt }) => outgoing && withdrawnAt === undefined)
    .slice(-MAX_OWN)
    .map(({ id, state }) => ({ id, state, counts: counts?.get(id) }));
  return followStored({ ...NO_DELIVERIES, own, last: own.at(-1), more: waiting }, messages, now);
}

/** Removes `count` from those that are only counted. */
function fewer(deliveries: Deliveries, count: number): Deliveries {
  return { ...deliveries, more: Math.max(0, deliveries.more - count) };
}

/** Updates the states for the prompt; when a change has arrived, the prompt shows the last message again. */
function advanceOwn(
  { own, last }: Deliveries,
  id: string,
  state: MessageState,
  counts: GroupCounts | undefined,
) {
  const index = own.findLastIndex((each) => each.id === id);
  const known = own[index];
  const states =
    known === undefined ? own : own.with(index, { ...known, state: laterState(known.state, state), counts });
  if (last === undefined) return { own: states, last };
  if (last.target === undefined)
    return { own: states, last: states.findLast((each) => each.id === last.id) ?? last };
  if (last.id !== id) return { own: states, last };
  const moved = { ...last, state: laterState(last.state, state) };
  return { own: states, last: hasArrived(state) ? (states.at(-1) ?? moved) : moved };
}

/** A message of ours, or a change of one, has reached a new state. @param counts how many of a group have it */
export function advance(
  deliveries: Deliveries,
  id: string,
  state: MessageState,
  counts?: GroupCounts,
): Deliveries {
  const next = { ...deliveries, ...advanceOwn(deliveries, id, state, counts) };
  if (!hasArrived(state)) return next;
  const pending = next.pending.filter((each) => each.id !== id);
  const isTracked = pending.length < next.pending.length;
  // A message that was received is read later; that is no second arrival.
  if (!isTracked && (state !== "received" || next.more === 0)) return next;
  const { wait } = next;
  return {
    ...(isTracked ? { ...next, pending } : fewer(next, 1)),
    wait: wait.name === "said" ? { ...wait, arrived: wait.arrived + 1 } : wait,
  };
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
  return isCounted ? fewer(next, 1) : next;
}

/** Updates the excerpt of an unsent message that was edited. */
export function reword(deliveries: Deliveries, id: string, text: string): Deliveries {
  const excerpt = excerptOf(text);
  const pending = deliveries.pending.map((each) => (each.id === id ? { ...each, excerpt } : each));
  return { ...deliveries, pending };
}

/**
 * On a tick: the line that something of ours waits, and why, once it has waited long, and again when there is
 * a new reason; and when nothing waits any more, the line that it has arrived.
 */
export function tellOfWait<C extends ChatModel>(chat: C, context: ChatContext): { chat: C; lines: Line[] } {
  const { more, pending, wait } = chat.deliveries;
  const { now, texts } = context;
  const count = pending.length + more;
  const after = (next: Wait, lines: Line[]) => ({
    chat: { ...chat, deliveries: { ...chat.deliveries, wait: next } },
    lines,
  });
  const said = wait.name === "said" ? wait : undefined;
  const { arrived = 0, reasons = [] } = said ?? {};
  if (count === 0 && said !== undefined)
    return after({ name: "unsaid" }, arrived === 0 ? [] : [notice(texts.chatArrived(arrived))]);
  const since = said?.at ?? pending[0]?.since;
  // The clock may have been set back.
  const isLate = since !== undefined && Math.abs(now - since) >= SAID_AFTER;
  const isGroup = chat.kind === "group";
  const held = isGroup && count > 0 ? whyHeldBack(chat.group, now, texts) : undefined;
  const late = () => (isGroup ? texts.groupNobodyHas(count) : whyWaiting(chat, context));
  const why = held ?? (isLate ? late() : undefined);
  if (why === undefined || reasons.includes(why)) return { chat, lines: [] };
  const areChanges = more === 0 && pending.every(({ target }) => target !== undefined);
  const what = areChanges ? texts.chatChangesWait(count) : texts.chatMessagesWait(count);
  return after({ name: "said", arrived, reasons: [...reasons, why], at: now }, [
    notice(isGroup ? why : `${what} ${why}`),
  ]);
}
