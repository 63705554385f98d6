/**
 * Who is let in (PROTOCOL 4): a new connection is admitted, told why it is not served, or ended without a
 * word, which costs the server nothing. An address is its network (`networkOf`).
 */
import { networkOf } from "../../protocol/ip-address.ts";
import type { Limits } from "./limits.ts";
import { LimitedLog } from "../log/limited-log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Throttle } from "./throttle.ts";

/** Connections on their way out that were told why; past them a newcomer is ended without a word. */
export const MAX_LEAVING = 100;
/** The same of one address. */
export const MAX_LEAVING_PER_ADDRESS = 10;
/** Refusals are told the log this often at most, in ms. */
const WARNING_INTERVAL = 60_000;

/** Why a connection that was accepted is not served. */
export type Refusal =
  | { readonly code: "server_busy" }
  | { readonly code: "rate_limited"; /** In seconds. */ readonly retryAfter: number };

export type Entry = { readonly refusal: Refusal | undefined };

/** Connections refused since the last warning. */
export type Refused = { readonly tooMany: number; readonly tooFast: number };

export type DoorOptions = {
  readonly limits: Limits;
  readonly throttle: Throttle;
  readonly metrics: Metrics;
  /** Ms that never go back. */
  readonly clock: () => number;
  /** Whether this address has a place among those not logged in; it may be one that was just made. */
  readonly hasRoom: (address: string) => boolean;
  readonly warn: (refused: Refused) => void;
};

/** Connections, in all and by network; never more networks than connections. */
class Counter {
  readonly #byNetwork = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  of(network: string): number {
    return this.#byNetwork.get(network) ?? 0;
  }

  add(network: string, count: 1 | -1): void {
    this.#all += count;
    const sum = this.of(network) + count;
    if (sum === 0) this.#byNetwork.delete(network);
    else this.#byNetwork.set(network, sum);
  }
}

export class Door {
  readonly #options: DoorOptions;
  readonly #served = new Counter();
  readonly #leaving = new Counter();
  readonly #refused: LimitedLog<keyof Refused>;

  constructor(options: DoorOptions) {
    this.#options = options;
    const { clock, warn } = options;
    this.#refused = new LimitedLog(WARNING_INTERVAL, clock, { tooMany: 0, tooFast: 0 }, warn);
  }

  /** A connection of this address begins; undefined: it is ended without a word. `left` is called for every other. */
  admit(address: string): Entry | undefined {
    const network = networkOf(address);
    const refusal = this.#refusal(network);
    if (refusal === undefined) {
      this.#served.add(network, 1);
      return { refusal };
    }
    this.#count(refusal);
    if (this.#leaving.all >= MAX_LEAVING || this.#leaving.of(network) >= MAX_LEAVING_PER_ADDRESS) {
      return undefined;
    }
    this.#leaving.add(network, 1);
    return { refusal };
  }

  /** A connection that was admitted, or told why not, has ended; `entry` is what `admit` gave. */
  left(address: string, entry: Entry): void {
    (entry.refusal === undefined ? this.#served : this.#leaving).add(networkOf(address), -1);
  }

  #refusal(network: string): Refusal | undefined {
    const { limits, throttle, hasRoom } = this.#options;
    const verdict = throttle.connection(network);
    if (verdict.name === "limited") return { code: "rate_limited", retryAfter: verdict.retryAfter };
    const isFull =
      this.#served.all >= limits.connections || this.#served.of(network) >= limits.connectionsPerAddress;
    return isFull || !hasRoom(network) ? { code: "server_busy" } : undefined;
  }

  #count({ code }: Refusal): void {
    const isTooFast = code === "rate_limited";
    this.#options.metrics.dropped(isTooFast ? "rate" : "too_many");
    this.#refused.note(isTooFast ? "tooFast" : "tooMany");
  }
}
