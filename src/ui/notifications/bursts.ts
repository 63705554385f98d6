/** Bursts of messages: those of one chat, each soon after the one before. A burst is announced once. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { conversationOf } from "../format/name-book.ts";

/** A message this much later than the one before begins a new burst, in ms. */
const QUIET = 30_000;
/** How long the first messages of a burst are gathered before they are announced together, in ms. */
const GATHERED_FOR = 500;
/** Of more bursts than these at a time nobody is notified. */
const MAX_NOTIFIED = 10;
/** More bursts than these at a time are not announced: their messages are only counted as unread. */
const MAX_BURSTS = 1_000;
/** UTF-16 units of a message that are kept. */
const MAX_TEXT = 1_024;

/** What somebody is told of, outside the terminal. */
export type Told = {
  /** Who has written the newest message. */
  readonly from: string;
  /** The title of the group to which it was written. */
  readonly title?: string | undefined;
  /** The beginning of the newest message. */
  readonly text: string;
  readonly count: number;
};
/** The messages of a burst that were gathered. `chat`: the name of the chat; `contact`: its row number. */
export type Gathered = Told & { readonly chat: string; readonly contact: number };
/** Times are ms since 1970. */
type Burst = Gathered & {
  readonly lastAt: number;
  /** When its first message came; undefined: it was announced. */
  readonly gatheredSince: number | undefined;
};
/** By the name of the chat. */
export type Bursts = ReadonlyMap<string, Burst>;

function isPast(at: number, interval: number, now: number): boolean {
  // The clock may have been set back.
  return Math.abs(now - at) >= interval;
}

/** A message has come. */
export function withMessage(
  bursts: Bursts,
  event: MessengerEvent & { name: "message" },
  now: number,
): Bursts {
  const { from, title, message } = event;
  const { contact, text } = message;
  const chat = conversationOf(event) ?? from;
  const before = bursts.get(chat);
  if (before === undefined && bursts.size >= MAX_BURSTS) return bursts;
  const isSame = before !== undefined && !isPast(before.lastAt, QUIET, now);
  const gatheredSince = isSame ? before.gatheredSince : now;
  const count = (isSame ? before.count : 0) + 1;
  return new Map(bursts).set(chat, {
    chat,
    contact,
    from,
    title,
    text: text.slice(0, MAX_TEXT),
    count,
    lastAt: now,
    gatheredSince,
  });
}

/** The messages of this chat were seen: the next one begins a new burst. */
export function withoutBurst(bursts: Bursts, chat: string): Bursts {
  if (!bursts.has(chat)) return bursts;
  const others = new Map(bursts);
  others.delete(chat);
  return others;
}

/**
 * On a tick: what is `due` to be announced now, with those of which somebody is `notified`, and the bursts that go on.
 */
export function gathered(
  bursts: Bursts,
  now: number,
): { readonly due: readonly Gathered[]; readonly notified: readonly Gathered[]; readonly bursts: Bursts } {
  const due: Gathered[] = [];
  const next = new Map<string, Burst>();
  let going = 0;
  for (const [chat, burst] of bursts) {
    const { lastAt, gatheredSince: since } = burst;
    const isDue = since !== undefined && isPast(since, GATHERED_FOR, now);
    if (isDue) due.push(burst);
    if (isPast(lastAt, QUIET, now)) continue;
    if (since === undefined) going++;
    next.set(chat, isDue ? { ...burst, gatheredSince: undefined } : burst);
  }
  return { due, notified: due.slice(0, Math.max(0, MAX_NOTIFIED - going)), bursts: next };
}
