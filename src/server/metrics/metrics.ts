/**
 * The server's counters and timers, for `/metrics` and the status page. Counting a request does not allocate.
 */
import { CODES, type Code } from "../../protocol/codes.ts";
import { ACTIONS, type Action } from "../../protocol/rendezvous-messages.ts";
import { growingBounds, Histogram } from "./histogram.ts";

export type LoginResult = "ok" | "resumed" | "wrong" | "limited" | "refused";
type DropReason = "too_many" | "rate" | "slow_reader" | "slow_writer" | "idle";

/** How far a meeting of two users came, and how it ended there (`server/meeting/meeting.ts`). */
export const MEETING_WAYS = ["direct", "punched", "relayed"] as const;
export const MEETING_OUTCOMES = ["spliced", "left", "expired", "offline", "full", "unpunchable"] as const;
type MeetingResult = `${(typeof MEETING_WAYS)[number]} ${(typeof MEETING_OUTCOMES)[number]}`;
const MEETING_RESULTS = MEETING_WAYS.flatMap((way) =>
  MEETING_OUTCOMES.map((outcome): MeetingResult => `${way} ${outcome}`),
);

export const LOGIN_RESULTS: readonly LoginResult[] = ["ok", "resumed", "wrong", "limited", "refused"];
export const DROP_REASONS: readonly DropReason[] = ["too_many", "rate", "slow_reader", "slow_writer", "idle"];
/** The actions, and `none` for requests without a known one. */
export const COUNTED_ACTIONS: readonly (Action | "none")[] = [
  ...(ACTIONS.keys() as Iterable<Action>),
  "none",
];

/** In seconds: a lookup takes microseconds, a login may wait for many hashes. */
const REQUEST_BOUNDS = [
  1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
  10,
];
const HASH_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DATABASE_BOUNDS = REQUEST_BOUNDS.slice(0, -3);

const ACTION_INDEX = indexOf(COUNTED_ACTIONS);
const CODE_INDEX = indexOf(CODES);

/** One count for each name. */
class Counts<Name extends string> {
  readonly #counts: { [N in Name]: number };

  constructor(names: readonly Name[]) {
    this.#counts = Object.fromEntries(names.map((name) => [name, 0])) as { [N in Name]: number };
  }

  add(name: Name): void {
    this.#counts[name]++;
  }

  of(name: Name): number {
    return this.#counts[name];
  }
}

export class Metrics {
  readonly #requests = new Float64Array(COUNTED_ACTIONS.length * CODES.length);
  readonly #requestSeconds = COUNTED_ACTIONS.map(() => new Histogram(REQUEST_BOUNDS));
  #answered = 0;

  readonly logins = new Counts(LOGIN_RESULTS);
  /** Connections refused or dropped. */
  readonly drops = new Counts(DROP_REASONS);
  /** Meetings that have ended. */
  readonly meetings = new Counts(MEETING_RESULTS);
  /** Requests that were `server_busy` because the store could not be used. */
  refusedByStore = 0;
  /** How often the connections to PostgreSQL were replaced, because nothing came from it. */
  poolsReplaced = 0;
  /** Bytes that the relay has passed, in both directions. */
  relayedBytes = 0;
  /** All requests, with bounds 19 % apart, from which quantiles are read. */
  readonly allRequestSeconds = new Histogram(growingBounds(1e-6, 60, 2 ** 0.25));
  readonly hashWaitSeconds = new Histogram(HASH_BOUNDS);
  readonly hashSeconds = new Histogram(HASH_BOUNDS);
  readonly databaseSeconds = new Histogram(DATABASE_BOUNDS);

  /** A request was answered. `took`: ms since it was read, its hash included; 0 if it was not handled. */
  request(action: Action | undefined, code: Code, took: number): void {
    const index = ACTION_INDEX[action ?? "none"];
    const place = index * CODES.length + CODE_INDEX[code];
    this.#requests[place] = (this.#requests[place] as number) + 1;
    this.#answered++;
    if (took <= 0) return;
    const seconds = took / 1_000;
    (this.#requestSeconds[index] as Histogram).observe(seconds);
    this.allRequestSeconds.observe(seconds);
  }

  /** A hash was done. Both in ms. */
  hash(waited: number, took: number): void {
    this.hashWaitSeconds.observe(waited / 1_000);
    this.hashSeconds.observe(took / 1_000);
  }

  /** A statement or transaction was done, in ms. */
  database(took: number): void {
    this.databaseSeconds.observe(took / 1_000);
  }

  /** Requests of all actions. */
  get answered(): number {
    return this.#answered;
  }

  requests(action: Action | "none", code: Code): number {
    return this.#requests[ACTION_INDEX[action] * CODES.length + CODE_INDEX[code]] as number;
  }

  requestSeconds(action: Action | "none"): Histogram {
    return this.#requestSeconds[ACTION_INDEX[action]] as Histogram;
  }
}

function indexOf<Name extends string>(names: readonly Name[]): { readonly [N in Name]: number } {
  return Object.fromEntries(names.map((name, index) => [name, index])) as { [N in Name]: number };
}
