/** One kind of time for all state machines, so that they also run on a test's own clock. */

/** Something with deadlines. `now`: the clock's `monotonic()`. */
export type Timed = { checkDeadlines(now: number): void };

export interface Clock {
  /** Ms since 1970; jumps when the system clock is set. */
  now(): number;
  /** Ms since an arbitrary moment; never goes back, and may stop while the machine sleeps. */
  monotonic(): number;
  /** Calls `run` once after `ms`. @returns a function that cancels the call. */
  after(ms: number, run: () => void): () => void;
  /** Calls `timed.checkDeadlines` with `monotonic()` at least twice a second until `unwatch`. */
  watch(timed: Timed): void;
  unwatch(timed: Timed): void;
}

/** How often deadlines are checked, in ms. */
const SWEEP_INTERVAL = 500;

const watched = new Set<Timed>();
let sweeper: ReturnType<typeof setInterval> | undefined;

/** Checks the deadlines of `timed` until `unwatchDeadlines`; one timer serves all and keeps no process alive. */
export function watchDeadlines(timed: Timed): void {
  watched.add(timed);
  if (sweeper !== undefined) return;
  sweeper = setInterval(() => {
    const now = performance.now();
    for (const each of watched) each.checkDeadlines(now);
  }, SWEEP_INTERVAL);
  sweeper.unref();
}

export function unwatchDeadlines(timed: Timed): void {
  watched.delete(timed);
  if (watched.size > 0) return;
  clearInterval(sweeper);
  sweeper = undefined;
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
