/**
 * The relay (PROTOCOL 7): who has a place, and the bytes of each pair. It sees sealed bytes only. A pair that has used
 * up its budget is not read from until it has some again.
 */
import type { LineSocket } from "../../net/line-socket.ts";
import { Splice } from "../../net/splice.ts";
import type { RelayLimits } from "../limits/limits.ts";
import { Tally } from "../limits/tally.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Purpose } from "./meeting.ts";
import { commonBucket, PairBudget, type Bucket } from "./relay-budget.ts";

const PAIRS_PER_NETWORK = 32;
const PAIRS_PER_USER = 8;
/** Of those of a user, with people who have asked to meet it and whom it does not know. */
const PAIRS_WITH_STRANGERS = 4;
/** Of those of a user; the others are for chats. */
const STREAMS_PER_USER = 2;
/** How often pairs without a budget are looked at, in ms. */
const TICK = 50;
const DAY = 86_400_000;

export type RelayPlace = {
  readonly users: readonly [number, number];
  /** Who of the two was asked by somebody whom it does not know, and so pays nothing for it. */
  readonly askedByStranger: number | undefined;
  /** Of each network once. */
  readonly networks: ReadonlySet<string>;
  readonly purpose: Purpose;
};

type Pair = { readonly place: RelayPlace; readonly splice: Splice; readonly budget: PairBudget };

export class Relay {
  readonly #limits: RelayLimits;
  readonly #metrics: Metrics;
  /** Ms since 1970. */
  readonly #now: () => number;
  readonly #common: Bucket;
  readonly #places = new Set<RelayPlace>();
  readonly #ofNetwork = new Tally();
  readonly #ofUser = new Tally();
  readonly #streamsOfUser = new Tally();
  readonly #strangersOfUser = new Tally();
  readonly #pairs = new Set<Pair>();
  /** Those that wait for a budget, who waits the longest first. */
  readonly #waiting = new Set<Pair>();
  #ticking: ReturnType<typeof setInterval> | undefined;
  /** The bytes of each user on `#day`. */
  readonly #used = new Map<number, number>();
  #day = 0;

  constructor(limits: RelayLimits, metrics: Metrics, now: () => number) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#now = now;
    this.#common = commonBucket(limits.rate, performance.now());
  }

  /** Pairs whose bytes are being passed. */
  get pairs(): number {
    return this.#pairs.size;
  }

  /** What a user may still pass today at full speed, in bytes; 0 where nothing is relayed. */
  bytesLeft(userId: number): number {
    if (this.#limits.pairs === 0) return 0;
    this.#turnDay();
    return Math.max(0, this.#limits.bytesPerDay - (this.#used.get(userId) ?? 0));
  }

  /** Takes a place for a pair, until `release` or the end of its bytes. @returns whether there was one */
  admit(place: RelayPlace): boolean {
    const { users, askedByStranger, networks, purpose } = place;
    const isStream = purpose === "stream";
    if (this.#places.size >= this.#limits.pairs) return false;
    if ([...networks].some((network) => this.#ofNetwork.of(network) >= PAIRS_PER_NETWORK)) return false;
    if (this.#strangersOfUser.of(String(askedByStranger)) >= PAIRS_WITH_STRANGERS) return false;
    for (const user of users.map(String)) {
      if (this.#ofUser.of(user) >= PAIRS_PER_USER) return false;
      if (isStream && this.#streamsOfUser.of(user) >= STREAMS_PER_USER) return false;
    }
    this.#places.add(place);
    for (const network of networks) this.#ofNetwork.add(network);
    if (askedByStranger !== undefined) this.#strangersOfUser.add(String(askedByStranger));
    for (const user of users.map(String)) {
      this.#ofUser.add(user);
      if (isStream) this.#streamsOfUser.add(user);
    }
    return true;
  }

  release(place: RelayPlace): void {
    if (!this.#places.delete(place)) return;
    for (const network of place.networks) this.#ofNetwork.remove(network);
    this.#strangersOfUser.remove(String(place.askedByStranger));
    for (const user of place.users.map(String)) {
      this.#ofUser.remove(user);
      if (place.purpose === "stream") this.#streamsOfUser.remove(user);
    }
  }

  /** Passes bytes between two connections until they end. */
  join(place: RelayPlace, acceptor: LineSocket, dialler: LineSocket): void {
    const budget = new PairBudget(this.#common, performance.now());
    const splice = new Splice(acceptor, dialler, {
      passed: (bytes) => this.#passed(pair, bytes),
      ended: () => {
        this.#pairs.delete(pair);
        this.#waiting.delete(pair);
        this.release(place);
      },
    });
    const pair: Pair = { place, splice, budget };
    this.#pairs.add(pair);
    splice.begin();
  }

  /** @param now of `performance.now()` */
  checkDeadlines(now: number): void {
    for (const { splice } of [...this.#pairs]) splice.checkDeadlines(now);
  }

  stop(): void {
    clearInterval(this.#ticking);
    for (const { splice } of [...this.#pairs]) splice.end();
  }

  #passed(pair: Pair, bytes: number): void {
    this.#metrics.relayedBytes += bytes;
    this.#turnDay();
    const { users, askedByStranger } = pair.place;
    const payers = users.filter((user) => user !== askedByStranger);
    for (const user of payers) this.#used.set(user, (this.#used.get(user) ?? 0) + bytes);
    const isSlow = payers.some((user) => this.bytesLeft(user) === 0);
    const now = performance.now();
    pair.budget.charge(bytes, isSlow, now);
    if (this.#waiting.has(pair) || pair.budget.mayRead(now)) return;
    pair.splice.pause();
    this.#waiting.add(pair);
    this.#ticking ??= setInterval(() => this.#tick(), TICK);
  }

  #tick(): void {
    const now = performance.now();
    for (const pair of this.#waiting) {
      if (!pair.budget.mayRead(now)) continue;
      this.#waiting.delete(pair);
      pair.splice.resume();
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  #turnDay(): void {
    const day = Math.floor(this.#now() / DAY);
    if (day === this.#day) return;
    this.#day = day;
    this.#used.clear();
  }
}
