/**
 * How fast relayed pairs may pass bytes (PROTOCOL 7), without sockets and clocks. Bytes are charged after they were
 * read, so that a bucket may go into debt; a pair in debt reads nothing until it is paid.
 *
 * A pair is charged twice: to its own rate, and either to the few bytes a second that each pair has outside the common
 * bucket, or to the common bucket. While that is empty, a pair pays with its own few bytes, however long that takes, or
 * until its turn comes: so chat goes on while files fill the common bucket.
 */

/** Bytes a second of one pair, and its burst. */
const PAIR = { rate: 2 * 1024 * 1024, burst: 1024 * 1024 };
/** The same when one of its users has used up the day's bytes. */
const SLOW = { rate: 16 * 1024, burst: 16 * 1024 };
/** What each pair has outside the common bucket. */
const FREE = { rate: 8 * 1024, burst: 8 * 1024 };
/** The burst of the common bucket, in seconds of its rate. */
const COMMON_BURST = 0.25;

export class Bucket {
  readonly #rate: number;
  readonly #burst: number;
  #level: number;
  #at: number;

  /** @param size in bytes a second, and bytes */
  constructor({ rate, burst }: { readonly rate: number; readonly burst: number }, now: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#level = burst;
    this.#at = now;
  }

  /** Bytes that may be passed; negative: in debt. */
  level(now: number): number {
    this.#level = Math.min(this.#burst, this.#level + (this.#rate * Math.max(0, now - this.#at)) / 1_000);
    this.#at = Math.max(this.#at, now);
    return this.#level;
  }

  charge(bytes: number): void {
    this.#level -= bytes;
  }
}

export class PairBudget {
  readonly #common: Bucket;
  readonly #own: Bucket;
  readonly #slow: Bucket;
  readonly #free: Bucket;
  #isSlow = false;

  constructor(common: Bucket, now: number) {
    this.#common = common;
    this.#own = new Bucket(PAIR, now);
    this.#slow = new Bucket(SLOW, now);
    this.#free = new Bucket(FREE, now);
  }

  /** Charges bytes that were read. @param isSlow whether one of its users has used up the day's bytes */
  charge(bytes: number, isSlow: boolean, now: number): void {
    this.#isSlow = isSlow;
    this.#rate.level(now);
    this.#rate.charge(bytes);
    const free = Math.max(0, this.#free.level(now));
    if (bytes <= free || this.#common.level(now) <= 0) this.#free.charge(bytes);
    else {
      this.#free.charge(free);
      this.#common.charge(bytes - free);
    }
  }

  /** Whether it may read. A debt that its own few bytes have not paid yet is paid by the common bucket, if there is any. */
  mayRead(now: number): boolean {
    if (this.#rate.level(now) < 0) return false;
    const debt = -this.#free.level(now);
    if (debt <= 0) return true;
    if (this.#common.level(now) <= 0) return false;
    this.#common.charge(debt);
    this.#free.charge(-debt);
    return true;
  }

  get #rate(): Bucket {
    return this.#isSlow ? this.#slow : this.#own;
  }
}

/** The bucket of all pairs together. @param rate bytes a second */
export function commonBucket(rate: number, now: number): Bucket {
  return new Bucket({ rate, burst: rate * COMMON_BURST }, now);
}
