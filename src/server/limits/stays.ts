/** Since when each is here; the one that has been here the longest is the first. */
export class Stays<G> {
  readonly #since = new Map<G, number>();

  get size(): number {
    return this.#since.size;
  }

  /** `now`: ms that never go back. */
  enter(guest: G, now: number): void {
    this.#since.set(guest, now);
  }

  leave(guest: G): void {
    this.#since.delete(guest);
  }

  /**
   * The one that has been here the longest, at least `shortest` ms, and is not `excused`; undefined when there is
   * none. Whoever is excused begins anew, so that each is looked at once in `shortest` ms however often one asks.
   */
  longest(now: number, shortest: number, isExcused: (guest: G) => boolean): G | undefined {
    for (const [guest, since] of this.#since) {
      if (now - since < shortest) return undefined;
      if (!isExcused(guest)) return guest;
      this.#since.delete(guest);
      this.#since.set(guest, now);
    }
    return undefined;
  }
}
