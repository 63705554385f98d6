/** The time of all nodes: this machine's, or Valkey's where the machine's is wrong by more than a little. */

/** A difference up to this, in ms, is left alone. */
const MAX_SKEW = 5_000;
/** Valkey tells whole seconds. */
const SECOND = 1_000;

export class SharedClock {
  readonly #own: () => number;
  #skew = 0;

  /** @param own ms since 1970, by this machine */
  constructor(own: () => number) {
    this.#own = own;
  }

  /** By how much this machine's clock is ahead, in ms; what a truncated second and the way explain is no difference. */
  get skew(): number {
    return this.#skew;
  }

  /** Ms since 1970. */
  now(): number {
    return this.#own() - (this.isWrong ? this.#skew : 0);
  }

  get isWrong(): boolean {
    return Math.abs(this.#skew) > MAX_SKEW;
  }

  /** Valkey has told its time. @param took ms from asking to the answer */
  told(seconds: number, took: number): void {
    const now = this.#own();
    const [earliest, latest] = [seconds * SECOND, (seconds + 1) * SECOND];
    const asked = now - took;
    this.#skew = asked > latest ? asked - latest : now < earliest ? now - earliest : 0;
  }
}
