/**
 * How much one key may write (GROUPS 3.4), by the times that it gives itself: catching up is never punished.
 *
 * All who hold a lane from its first text on judge alike. Who holds it from somewhere else, as newcomers without history and
 * after trimming, has not seen what a flood spent before that, and may take what others refuse for ever. Such a lane ends
 * differently at both, until an admin who holds the shorter one ends its term: that cuts it at one number for all.
 */
import type { Spent } from "./log.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Texts in one minute and in one day, and bytes of their bodies in one day. */
const MINUTE_TEXTS = 60;
const DAY_TEXTS = 2_000;
const DAY_BYTES = 2 * 1024 * 1024;
/** Control entries in one day, and in all. */
const DAY_CONTROL = 300;
const MAX_CONTROL = 4_096;

/**
 * How long an entry is to wait until its lane's budget allows it, in ms; 0: not at all.
 * @param neighbours those beside it in the lane, the nearest first; in front of them it is judged as behind them
 */
export function textWait(neighbours: Spent, at: number, size: number): number {
  let wait = 0;
  let bytes = size;
  for (const [index, [then, spent]] of neighbours.entries()) {
    const age = Math.abs(at - then);
    if (age >= DAY) break;
    bytes += spent;
    if (index + 1 >= DAY_TEXTS || bytes > DAY_BYTES) return Math.max(wait, DAY - age);
    if (index + 1 === MINUTE_TEXTS) wait = Math.max(0, MINUTE - age);
  }
  return wait;
}

/** As `textWait`, for a control entry; Infinity: never. @param lane all entries of the lane, in order */
export function controlWait(lane: readonly { readonly at: number }[], at: number): number {
  if (lane.length >= MAX_CONTROL) return Infinity;
  const earlier = lane[lane.length - DAY_CONTROL];
  return earlier === undefined ? 0 : Math.max(0, earlier.at + DAY - at);
}

/** Adds what was spent next to the nearest; what can no longer count is dropped. */
export function spend(neighbours: [at: number, size: number][], at: number, size: number): void {
  neighbours.unshift([at, size]);
  if (neighbours.length > DAY_TEXTS) neighbours.pop();
}
