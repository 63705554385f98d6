/** Sentences about the server and its clock, the same in a command, a menu and a chat. */
import type { RendezvousState } from "../../client/rendezvous/session.ts";
import type { Texts } from "../texts/texts.ts";
import { localClock, localClockSeconds, localDay } from "./local-time.ts";
import { RefusedError } from "../../client/rendezvous/server-errors.ts";

/** A difference of clocks that is worth a warning, in ms (PROTOCOL 4). */
const CLOCK_TOLERANCE = 5 * 60 * 1_000;
/** The time of a nearer attempt is not said, as the line stays on the screen, in ms. */
const MIN_WAIT_SAID = 10_000;

/** A warning about two clocks that differ; undefined: they agree well enough. @param offset ms */
export function clockWarning(offset: number, texts: Texts): string | undefined {
  if (Math.abs(offset) <= CLOCK_TOLERANCE) return undefined;
  return texts.clockWarning(clockDifference(offset, texts));
}

/** A difference of clocks in words: minutes under two hours, hours under two days, else days. @param offset ms */
export function clockDifference(offset: number, texts: Texts): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  if (minutes < 120) return texts.minutes(minutes);
  const hours = Math.round(minutes / 60);
  return hours < 48 ? texts.hours(hours) : texts.days(Math.round(hours / 24));
}

/** Whether the server is there, and admits nobody for a while. */
export function isLimiting({ why }: RendezvousState & { name: "waiting" }): boolean {
  return why instanceof RefusedError && why.code === "rate_limited";
}

/** When a server that is away, or limits, is tried again; empty: soon. @param now ms since 1970 */
export function nextAttempt(
  { until }: RendezvousState & { name: "waiting" },
  now: number,
  texts: Texts,
): string {
  return until - now < MIN_WAIT_SAID ? "" : texts.nextAttemptAt(localClockSeconds(until));
}

/** That the server is away, or limits, and when it is tried again. @param now ms since 1970 */
export function serverAway(state: RendezvousState & { name: "waiting" }, now: number, texts: Texts): string {
  const what = isLimiting(state) ? texts.serverLimits : texts.serverLost;
  return `${what} ${nextAttempt(state, now, texts)}`.trimEnd();
}

/** Until when new links can be opened without the server. @param linksUntil ms since 1970 @param now likewise */
export function linksWithoutServer(linksUntil: number | undefined, now: number, texts: Texts): string {
  if (linksUntil === undefined || linksUntil <= now) return texts.chatNoNewLinks;
  return texts.chatLinksUntil(localDay(linksUntil), localClock(linksUntil));
}

/** What does not work without the server, and until when new links can be opened. @param linksUntil ms since 1970 */
export function withoutServer(linksUntil: number | undefined, now: number, texts: Texts): string {
  return `${texts.chatWithoutServer} ${linksWithoutServer(linksUntil, now, texts)}`;
}
