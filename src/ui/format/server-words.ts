/** Sentences about the server and its clock that commands, menus and chats share. */
import type { RendezvousState } from "../../client/rendezvous/session.ts";
import { isCode, sentenceFor } from "../../protocol/codes.ts";
import type { Language } from "../../protocol/language.ts";
import type { Texts } from "../texts/texts.ts";
import { localClock, localClockSeconds, localDay } from "./local-time.ts";
import { RefusedError, ServerError } from "../../client/rendezvous/server-errors.ts";

/** Clocks that differ by more than this cause a warning, in ms (PROTOCOL 4). */
const CLOCK_TOLERANCE = 5 * 60 * 1_000;
/** The time of the next attempt is shown only if it is at least this far away, in ms; otherwise it would soon be wrong. */
const MIN_WAIT_SHOWN = 10_000;

/** A warning if this machine's clock and the server's differ too much; otherwise undefined. @param offset ms */
export function clockWarning(offset: number, texts: Texts): string | undefined {
  if (Math.abs(offset) <= CLOCK_TOLERANCE) return undefined;
  return texts.clockWarning(clockDifference(offset, texts));
}

/** A difference between clocks in words: minutes up to two hours, hours up to two days, then days. @param offset ms */
export function clockDifference(offset: number, texts: Texts): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  if (minutes < 120) return texts.minutes(minutes);
  const hours = Math.round(minutes / 60);
  return hours < 48 ? texts.hours(hours) : texts.days(Math.round(hours / 24));
}

/** Whether the server can be reached, but limits connections for a while. */
export function isLimiting({ why }: RendezvousState & { name: "waiting" }): boolean {
  return why instanceof RefusedError && why.code === "rate_limited";
}

/** When the server is tried again; empty: soon. @param now ms since 1970 */
function nextAttempt({ until }: RendezvousState & { name: "waiting" }, now: number, texts: Texts): string {
  return until - now < MIN_WAIT_SHOWN ? "" : texts.nextAttemptAt(localClockSeconds(until));
}

/** Says that the server cannot be reached or limits, and when it is tried again. @param now ms since 1970 */
export function serverAway(state: RendezvousState & { name: "waiting" }, now: number, texts: Texts): string {
  const what = isLimiting(state) ? texts.serverLimits : texts.serverLost;
  return `${what} ${nextAttempt(state, now, texts)}`.trimEnd();
}

/** Says until when new links can be opened without the server. @param linksUntil, now ms since 1970 */
export function linksWithoutServer(linksUntil: number | undefined, now: number, texts: Texts): string {
  if (linksUntil === undefined || linksUntil <= now) return texts.noNewLinks;
  return texts.linksUntil(localDay(linksUntil), localClock(linksUntil));
}

/** As `serverAway`; also until when new links can be opened without the server. @param linksUntil, now ms since 1970 */
export function serverGone(
  state: RendezvousState & { name: "waiting" },
  linksUntil: number | undefined,
  now: number,
  texts: Texts,
): string {
  return `${serverAway(state, now, texts)} ${linksWithoutServer(linksUntil, now, texts)}`;
}

/** Says in a chat why the session has ended, and what to do. */
export function sessionEnded(why: Error, language: Language, texts: Texts): string {
  if (why instanceof ServerError && why.code === "server_changed") return texts.chatServerChanged;
  const isKnown = why instanceof RefusedError && isCode(why.code);
  return isKnown ? `${sentenceFor(why.code, language)}. ${texts.chatServerStopped}` : texts.chatServerStopped;
}
