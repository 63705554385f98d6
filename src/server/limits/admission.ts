/**
 * Which new connections are served (PROTOCOL 4): each is served, refused with a reason, or dropped without one, which
 * is the cheapest. Addresses are counted by their network (`networkOf`).
 */
import { networkOf } from "../../protocol/ip-address.ts";
import { LimitedLog } from "../log/limited-log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Limits } from "./limits.ts";
import { Tally } from "./tally.ts";
import type { Throttle } from "./throttle.ts";

/** Refused connections that are still open; beyond it new ones are dropped. */
export const MAX_REFUSED = 100;
/** The same for one address. */
export const MAX_REFUSED_PER_ADDRESS = 10;
/** How often refusals are logged, at most, in ms. */
const WARNING_INTERVAL = 60_000;

/** Why a connection is not served. */
export type Refusal =
  | { readonly code: "server_busy" }
  | { readonly code: "rate_limited"; /** In seconds. */ readonly retryAfter: number };

export type Verdict =
  | { readonly name: "served" }
  /** The client gets the reason, and the connection ends. */
  | { readonly name: "refused"; readonly refusal: Refusal }
  /** The connection ends at once. */
  | { readonly name: "dropped" };

/** Connections refused or dropped since the last warning. */
export type Refused = { readonly tooMany: number; readonly tooFast: number };

type AdmissionOptions = {
  readonly limits: Limits;
  readonly throttle: Throttle;
  readonly metrics: Metrics;
  /** Ms that never go back. */
  readonly clock: () => number;
  /** Whether there is room among the connections not logged in; it may evict one. */
  readonly makeRoom: (address: string) => boolean;
  readonly warn: (refused: Refused) => void;
};

const SERVED: Verdict = { name: "served" };
const DROPPED: Verdict = { name: "dropped" };

export class Admission {
  readonly #options: AdmissionOptions;
  /** Open connections by network. */
  readonly #served = new Tally();
  readonly #refused = new Tally();
  readonly #warnings: LimitedLog<keyof Refused>;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const { clock, warn } = options;
    this.#warnings = new LimitedLog(WARNING_INTERVAL, clock, { tooMany: 0, tooFast: 0 }, warn);
  }

  /** Decides on a new connection of this address. `closed` must be called for each that is not dropped. */
  admit(address: string): Verdict {
    const network = networkOf(address);
    const refusal = this.#refusal(network);
    if (refusal === undefined) {
      this.#served.add(network);
      return SERVED;
    }
    const isTooFast = refusal.code === "rate_limited";
    this.#options.metrics.drops.add(isTooFast ? "rate" : "too_many");
    this.#warnings.note(isTooFast ? "tooFast" : "tooMany");
    if (this.#refused.total >= MAX_REFUSED || this.#refused.of(network) >= MAX_REFUSED_PER_ADDRESS) {
      return DROPPED;
    }
    this.#refused.add(network);
    return { name: "refused", refusal };
  }

  /** A connection that was served or refused has closed. */
  closed(address: string, verdict: "served" | "refused"): void {
    (verdict === "served" ? this.#served : this.#refused).remove(networkOf(address));
  }

  #refusal(network: string): Refusal | undefined {
    const { limits, throttle, makeRoom } = this.#options;
    const verdict = throttle.connection(network);
    if (verdict.name === "limited") return { code: "rate_limited", retryAfter: verdict.retryAfter };
    const isFull =
      this.#served.total >= limits.connections || this.#served.of(network) >= limits.connectionsPerAddress;
    return isFull || !makeRoom(network) ? { code: "server_busy" } : undefined;
  }
}
