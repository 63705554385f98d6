/** Reports frequent events: the first at once, further ones within an interval together. */

/** How long events of one address are counted before the next report, in ms. */
const ADDRESS_INTERVAL = 60_000;
/** Pairs of kind and address counted separately; further addresses of a kind are counted together, as `others`. */
export const MAX_COUNTED = 500;
/** Counts reported together when their interval is over; further ones are reported with later events. */
const MAX_REPORTED_AT_ONCE = 8;
const OTHERS = "others";

/** Events since the last report, by kind. */
type Counts<Kind extends string> = { [K in Kind]: number };

/** `Latest`: details of the event that caused the report. */
export class LimitedLog<Kind extends string, Latest = void> {
  readonly #interval: number;
  readonly #clock: () => number;
  readonly #zero: Readonly<Counts<Kind>>;
  readonly #report: (counts: Readonly<Counts<Kind>>, latest: Latest) => void;
  #counts: Counts<Kind>;
  #reportedAt = -Infinity;

  /**
   * @param interval ms from one report to the next, at least.
   * @param clock ms.
   * @param zero every kind with the count 0.
   */
  constructor(
    interval: number,
    clock: () => number,
    zero: Readonly<Counts<Kind>>,
    report: (counts: Readonly<Counts<Kind>>, latest: Latest) => void,
  ) {
    this.#interval = interval;
    this.#clock = clock;
    this.#zero = zero;
    this.#report = report;
    this.#counts = { ...zero };
  }

  /** Counts one event or more, and reports the counts if a report is due. */
  note(kind: Kind, latest: Latest, count = 1): void {
    this.#counts[kind] += count;
    if (this.isDue) this.#reportNow(latest);
  }

  /** Whether the next event is reported at once. */
  get isDue(): boolean {
    const since = this.#clock() - this.#reportedAt;
    // A clock that was set back must not suppress reports.
    return since >= this.#interval || since < 0;
  }

  /** Reports the counts now. @returns false if there are none */
  flush(latest: Latest): boolean {
    if (Object.values(this.#counts).every((count) => count === 0)) return false;
    this.#reportNow(latest);
    return true;
  }

  /** Discards the counts; the next event is reported at once. */
  reset(): void {
    this.#counts = { ...this.#zero };
    this.#reportedAt = -Infinity;
  }

  #reportNow(latest: Latest): void {
    const counts = this.#counts;
    this.#counts = { ...this.#zero };
    this.#reportedAt = this.#clock();
    this.#report(counts, latest);
  }
}

/** `count`: since the last report of the same kind and address. */
export type AddressEvent = { readonly what: string; readonly address: string; readonly count: number };

/** One limited log for each kind and address. A flood from many addresses is reported in one line. */
export class LimitedLogByAddress {
  readonly #clock: () => number;
  readonly #report: (event: AddressEvent) => void;
  /** By kind and address, in the order of their last reports. */
  readonly #logs = new Map<string, LimitedLog<"count">>();

  /** @param clock ms that never go back. */
  constructor(clock: () => number, report: (event: AddressEvent) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** @param what one of few kinds. */
  note(what: string, address: string): void {
    const isCountedApart = this.#logs.has(`${what} ${address}`) || this.#logs.size < MAX_COUNTED;
    this.#logOf(what, isCountedApart ? address : OTHERS).note("count");
    this.#reportEnded();
  }

  /** Reports all counts. */
  close(): void {
    for (const log of this.#logs.values()) log.flush();
    this.#logs.clear();
  }

  #logOf(what: string, address: string): LimitedLog<"count"> {
    const key = `${what} ${address}`;
    const known = this.#logs.get(key);
    if (known !== undefined) return known;
    const log = new LimitedLog(ADDRESS_INTERVAL, this.#clock, { count: 0 }, ({ count }) => {
      this.#logs.delete(key);
      this.#logs.set(key, log);
      this.#report({ what, address, count });
    });
    return log;
  }

  /** Reports counts whose interval is over, without waiting for another event of the same address. */
  #reportEnded(): void {
    let left = MAX_REPORTED_AT_ONCE;
    for (const [key, log] of this.#logs) {
      if (left-- === 0 || !log.isDue) return;
      if (!log.flush()) this.#logs.delete(key);
    }
  }
}
