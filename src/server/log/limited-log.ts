/**
 * What was limited, as few security events: the first at once, those that follow within a minute together, by
 * kind and address. A flood from many addresses makes one line for the many.
 */

/** How long what is limited of one kind and address is counted before it is told again, in ms. */
const INTERVAL = 60_000;
/** Kinds and addresses counted apart; the others of a kind are counted together, as `others`. */
export const MAX_COUNTED = 500;
/** Counts that are told at once, at most, when their minute is over; the others with what comes next. */
const MAX_TOLD = 8;
const OTHERS = "others";

/** `count`: since it was last told. */
export type LimitedEvent = { readonly what: string; readonly address: string; readonly count: number };

type Counted = { readonly what: string; readonly address: string; readonly since: number; count: number };

export class LimitedLog {
  readonly #clock: () => number;
  readonly #tell: (event: LimitedEvent) => void;
  /** By kind and address, in the order in which their minutes end. */
  readonly #counts = new Map<string, Counted>();

  /** @param clock ms that never go back. */
  constructor(clock: () => number, tell: (event: LimitedEvent) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Something of this kind was limited for this address; `what` is one of few. */
  note(what: string, address: string): void {
    const isCounted = this.#counts.has(`${what} ${address}`) || this.#counts.size < MAX_COUNTED;
    const shown = isCounted ? address : OTHERS;
    const key = `${what} ${shown}`;
    const counted = this.#counts.get(key) ?? { what, address: shown, since: -Infinity, count: 0 };
    counted.count++;
    if (this.#clock() - counted.since >= INTERVAL) this.#tellNow(key, counted);
    this.#tellEnded();
  }

  /** Tells what was counted and not yet told. */
  close(): void {
    for (const { what, address, count } of this.#counts.values()) {
      if (count > 0) this.#tell({ what, address, count });
    }
    this.#counts.clear();
  }

  #tellNow(key: string, { what, address, count }: Counted): void {
    this.#counts.delete(key);
    this.#counts.set(key, { what, address, since: this.#clock(), count: 0 });
    this.#tell({ what, address, count });
  }

  /** What has ended is told without waiting for its own address to come again. */
  #tellEnded(): void {
    const now = this.#clock();
    let left = MAX_TOLD;
    for (const [key, counted] of this.#counts) {
      if (left-- === 0 || now - counted.since < INTERVAL) return;
      if (counted.count > 0) this.#tellNow(key, counted);
      else this.#counts.delete(key);
    }
  }
}
