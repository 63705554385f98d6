/** How often deadlines are looked at, in ms. */
const SWEEP_INTERVAL = 500;

/** What has deadlines; `now` is `performance.now()`. */
export type Timed = { checkDeadlines(now: number): void };

const watched = new Set<Timed>();
let sweeper: ReturnType<typeof setInterval> | undefined;

/** Asks `each` about its deadlines until `unwatchDeadlines`; one timer serves all, and keeps no process alive. */
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
