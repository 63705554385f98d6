/**
 * How long a node may act as one: a lease, by a clock that never goes back. It counts from when it was asked for, less a
 * margin, so that it has always ended here before it ends in Valkey.
 */

export type LeaseTimes = {
  /** How often the lease is renewed, how long it is, and by how much it ends earlier here, in ms. */
  readonly beat: number;
  readonly lease: number;
  readonly margin: number;
};

export class Lease {
  readonly #times: LeaseTimes;
  #until = -Infinity;
  #unbrokenSince = Infinity;

  constructor(times: LeaseTimes) {
    this.#times = times;
  }

  /** @param now of `performance.now()` */
  isHeld(now: number): boolean {
    return now < this.#until;
  }

  /**
   * It was renewed. @param sent when that was asked for
   * @param isNew Valkey did not know the node any more, or has lost data
   */
  renewed(sent: number, isNew: boolean): void {
    if (isNew || !this.isHeld(sent)) this.#unbrokenSince = sent;
    this.#until = sent + this.#times.lease - this.#times.margin;
  }

  /**
   * Whether the users of nodes without a lease may be removed. After an outage of Valkey nobody has a lease, and the first
   * node that is back would remove everybody: so only after an unbroken lease of one length.
   */
  mayReap(now: number): boolean {
    return this.isHeld(now) && now - this.#unbrokenSince >= this.#times.lease;
  }

  end(): void {
    this.#until = -Infinity;
  }
}
