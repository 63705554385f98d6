/**
 * Token buckets, one per key, in a table of bounded size. A bucket stores only the time at which it will be full again
 * (GCRA), so that it needs no refilling; a full bucket is deleted.
 *
 * In a full table a new bucket replaces the fullest of a few drawn at random. So an attacker who uses many keys replaces
 * fresh buckets rather than drained ones. In a `strict` table even a drained key that was replaced gains nothing: a key
 * without a bucket is treated as if it had the emptiest bucket replaced so far.
 */
import type { Rate } from "./limits.ts";

/** Buckets of one table; each takes about 400 bytes with its key. */
const MAX_BUCKETS = 50_000;
/** Buckets drawn for a new one in a full table; the fullest is replaced. */
const SAMPLE = 16;
/** Buckets drawn for a new one otherwise; full ones are deleted. */
const SWEPT = 2;
/** A wait this short counts as 0, in ms, because of rounding errors. */
const TOLERANCE = 0.001;
/** Longest `retry_after`, in seconds: one day. */
const MAX_RETRY_AFTER = 86_400;

type Bucket = { readonly key: string; place: number; fullAt: number };

type RateTableOptions = {
  readonly rate: Rate;
  /** Ms that never go back. */
  readonly clock: () => number;
  /** In [0, 1); draws buckets. */
  readonly random?: () => number;
  readonly maxBuckets?: number;
  /** False by default. */
  readonly strict?: boolean;
};

export class RateTable {
  readonly #clock: () => number;
  readonly #random: () => number;
  readonly #maxBuckets: number;
  readonly #strict: boolean;
  readonly #burst: number;
  /** Ms per token; 0: unlimited. */
  readonly #interval: number;
  /** Ms from empty to full, unless unlimited. */
  readonly #depth: number;
  readonly #byKey = new Map<string, Bucket>();
  /** The same buckets, for drawing at random. */
  readonly #places: Bucket[] = [];
  /** Latest time at which a replaced bucket would have been full. */
  #lostUntil = -Infinity;

  constructor(options: RateTableOptions) {
    const { rate, clock, random = Math.random, maxBuckets = MAX_BUCKETS, strict = false } = options;
    this.#clock = clock;
    this.#random = random;
    this.#maxBuckets = maxBuckets;
    this.#strict = strict;
    this.#burst = rate.burst;
    this.#interval = Number.isFinite(rate.burst) ? 1_000 / rate.perSecond : 0;
    this.#depth = this.#burst * this.#interval;
  }

  /** Buckets stored now. */
  get size(): number {
    return this.#places.length;
  }

  /** How long until `cost` tokens are available, in ms; a cost above the burst counts as the burst. */
  wait(key: string, cost = 1): number {
    if (this.#interval === 0) return 0;
    const over = this.#timeToFull(key) + this.#price(cost) - this.#depth;
    return over > TOLERANCE ? over : 0;
  }

  /** Takes `cost` tokens; the caller has checked that they are available, or waits. */
  take(key: string, cost = 1): void {
    if (this.#interval === 0) return;
    const fullAt = this.#clock() + this.#timeToFull(key) + this.#price(cost);
    const bucket = this.#byKey.get(key);
    if (bucket === undefined) this.#add(key, fullAt);
    else bucket.fullAt = fullAt;
  }

  /** Returns tokens that were taken. */
  refund(key: string, cost = 1): void {
    const bucket = this.#byKey.get(key);
    if (bucket === undefined) return;
    bucket.fullAt -= this.#price(cost);
    if (bucket.fullAt <= this.#clock()) this.#forget(bucket);
  }

  #price(cost: number): number {
    return Math.min(cost, this.#burst) * this.#interval;
  }

  #timeToFull(key: string): number {
    return Math.max(0, (this.#byKey.get(key)?.fullAt ?? this.#lostUntil) - this.#clock());
  }

  #add(key: string, fullAt: number): void {
    this.#makeRoom();
    const bucket = { key, place: this.#places.length, fullAt };
    this.#places.push(bucket);
    this.#byKey.set(key, bucket);
  }

  #makeRoom(): void {
    const now = this.#clock();
    let fullest: Bucket | undefined;
    const looks = this.#places.length >= this.#maxBuckets ? SAMPLE : SWEPT;
    for (let look = 0; look < looks; look++) {
      const bucket = this.#places[Math.floor(this.#random() * this.#places.length)];
      if (bucket === undefined) return;
      if (bucket.fullAt <= now) this.#forget(bucket);
      else if (fullest === undefined || bucket.fullAt < fullest.fullAt) fullest = bucket;
    }
    if (this.#places.length < this.#maxBuckets || fullest === undefined) return;
    if (this.#strict) this.#lostUntil = Math.max(this.#lostUntil, fullest.fullAt);
    this.#forget(fullest);
  }

  #forget(bucket: Bucket): void {
    this.#byKey.delete(bucket.key);
    const last = this.#places.pop();
    if (last === undefined || last === bucket) return;
    last.place = bucket.place;
    this.#places[bucket.place] = last;
  }
}

/** Tokens to take from one bucket. */
export type Charge = { readonly table: RateTable; readonly key: string; readonly cost?: number };

/** Takes all charges or none. @returns the longest wait in ms; 0: all were taken. */
export function takeAll(charges: readonly Charge[]): number {
  const wait = longestWait(charges);
  if (wait === 0) for (const { table, key, cost } of charges) table.take(key, cost);
  return wait;
}

/** The longest wait of several charges, in ms, without taking them. */
export function longestWait(charges: readonly Charge[]): number {
  return Math.max(0, ...charges.map(({ table, key, cost }) => table.wait(key, cost)));
}

export function refundAll(charges: readonly Charge[]): void {
  for (const { table, key, cost } of charges) table.refund(key, cost);
}

/** A wait in ms as `retry_after`: whole seconds, from 1 to a day. */
export function retryAfter(wait: number): number {
  return Math.min(MAX_RETRY_AFTER, Math.max(1, Math.ceil(wait / 1_000)));
}
