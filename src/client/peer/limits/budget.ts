/** An allowance of something that costs: so much at once, and then so much in time. Times are ms, never set back. */
export class Budget {
  readonly #burst: number;
  readonly #perSecond: number;
  /** When all of it is available again. */
  #fullAt = -Infinity;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** Takes `cost` if there is as much. @returns whether there was */
  take(now: number, cost = 1): boolean {
    const isThere = this.#emptyFor(now, cost) <= this.#msOf(this.#burst);
    if (isThere) this.spend(now, cost);
    return isThere;
  }

  /** Takes `cost`, also what is not there yet. @returns how long until nothing is owed any more, in ms; 0: nothing is */
  spend(now: number, cost: number): number {
    this.#fullAt = now + this.#emptyFor(now, cost);
    return Math.max(0, this.#fullAt - now - this.#msOf(this.#burst));
  }

  isFull(now: number): boolean {
    return now >= this.#fullAt;
  }

  /** How long it takes until it is full, after `cost` more. */
  #emptyFor(now: number, cost: number): number {
    return Math.max(0, this.#fullAt - now) + this.#msOf(cost);
  }

  #msOf(amount: number): number {
    return (amount * 1_000) / this.#perSecond;
  }
}
