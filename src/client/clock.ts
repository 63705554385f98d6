/** Time as the messenger's state machines get it, so that they also run on a clock of a test's own. */
import { unwatchDeadlines, watchDeadlines, type Timed } from "../net/deadlines.ts";

export interface Clock {
  /** ms since 1970; whoever owns the machine may set it. */
  now(): number;
  /** ms since any moment; it is never set back, and may stand still while the machine sleeps. */
  monotonic(): number;
  /** Calls `run` once after `ms`. @returns what keeps it from being called. */
  after(ms: number, run: () => void): () => void;
  /** Asks `timed` about its deadlines, by `monotonic`, at least twice a second until `unwatch`. */
  watch(timed: Timed): void;
  unwatch(timed: Timed): void;
}

/** This machine's clocks. @param now ms since 1970 */
export function systemClock(now: () => number): Clock {
  return {
    now,
    monotonic: () => performance.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    watch: watchDeadlines,
    unwatch: unwatchDeadlines,
  };
}
