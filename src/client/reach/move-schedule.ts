/**
 * When a direct way is looked for while the link to somebody is relayed (PROTOCOL 7, `move`). Pure: the decider after a
 * minute, and then after 2, 5, 15, 15 … minutes; both when more may be possible than before, the other 3 s later.
 */

/** In ms. */
const DELAYS: readonly number[] = [60_000, 2 * 60_000, 5 * 60_000, 15 * 60_000];
const SECOND_SIDE_DELAY = 3_000;

type State =
  | { readonly name: "direct" }
  /** `nextAt`: of the monotonic clock. */
  | { readonly name: "relayed"; nextAt: number; attempts: number };

export class MoveSchedule {
  readonly #isDecider: boolean;
  #state: State = { name: "direct" };

  constructor(isDecider: boolean) {
    this.#isDecider = isDecider;
  }

  /**
   * To be called about once a second. @param isRelayed whether the current link is
   * @param now of the monotonic clock. @returns whether a direct way is to be looked for now
   */
  tick(isRelayed: boolean, now: number): boolean {
    if (!isRelayed) {
      this.#state = { name: "direct" };
      return false;
    }
    if (this.#state.name === "direct") {
      this.#state = { name: "relayed", attempts: 0, nextAt: this.#after(now, 0) };
      return false;
    }
    const state = this.#state;
    if (now < state.nextAt) return false;
    state.attempts++;
    state.nextAt = this.#after(now, state.attempts);
    return true;
  }

  /** Our addresses have changed, or one of them was found open. */
  soon(now: number): void {
    if (this.#state.name !== "relayed") return;
    this.#state.nextAt = Math.min(this.#state.nextAt, now + (this.#isDecider ? 0 : SECOND_SIDE_DELAY));
  }

  #after(now: number, attempts: number): number {
    return this.#isDecider ? now + (DELAYS[Math.min(attempts, DELAYS.length - 1)] as number) : Infinity;
  }
}
