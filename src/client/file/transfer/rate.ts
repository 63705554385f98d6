/** How fast something grows, over the last seconds. */

/** The time over which it is measured, and how often, in ms. */
const WINDOW = 5_000;
const STEP = 500;

export class Rate {
  /** At least one step apart, the oldest first. Times of the monotonic clock. */
  #samples: { readonly at: number; readonly done: number }[] = [];
  #done = 0;

  /** It begins to grow, or does so again. @param done so much is there */
  begin(done: number, now: number): void {
    this.#samples = [{ at: now, done }];
    this.#done = done;
  }

  /** @param done so much is there now */
  moved(done: number, now: number): void {
    // Less is there than was thought: the other side has asked for it again.
    if (done < this.#done) return this.begin(done, now);
    this.#done = done;
    if (now - (this.#samples.at(-1)?.at ?? 0) >= STEP) this.#samples.push({ at: now, done });
    while ((this.#samples[1]?.at ?? Infinity) <= now - WINDOW) this.#samples.shift();
  }

  /** In a second; undefined: it has not grown long enough. */
  at(now: number): number | undefined {
    const [first] = this.#samples;
    if (first === undefined || now - first.at < STEP) return undefined;
    return Math.round(((this.#done - first.done) / (now - first.at)) * 1_000);
  }
}
