/** The samples of the last hour, for the status page, in arrays that never grow. */

/** Ms between two samples. */
export const SAMPLE_INTERVAL = 10_000;
/** How many samples are kept: an hour of them. */
export const MAX_SAMPLES = 360;

/** The values of a sample; NaN if there was nothing to measure. Times in ms, memory in bytes. */
export const COLUMNS = [
  /** When it was taken, in ms of the server's running time. */
  "at",
  "online",
  /** Requests a second. */
  "requests",
  "p50",
  "p99",
  "loginsOk",
  "loginsResumed",
  "loginsWrong",
  "loginsLimited",
  "loginsRefused",
  "databaseP50",
  "databaseP99",
  "resident",
  "heap",
  /** Highest number at one time. */
  "hashesWaiting",
  /** Longest delay. */
  "loopDelay",
  "relayedPairs",
] as const;

export type Column = (typeof COLUMNS)[number];
export type Sample = { readonly [C in Column]: number };

/** Samples by column, oldest first; null if there was nothing to measure. */
export type Samples = { readonly [C in Column]: readonly (number | null)[] };

export class RingBuffer {
  readonly #columns = new Map(COLUMNS.map((name) => [name, new Float64Array(MAX_SAMPLES)]));
  #next = 0;

  /** The number that the next sample will have; the first one has 0. */
  get next(): number {
    return this.#next;
  }

  add(sample: Sample): void {
    const place = this.#next % MAX_SAMPLES;
    for (const [name, values] of this.#columns) values[place] = sample[name];
    this.#next++;
  }

  /** The samples that are kept, from number `first` (0 or more) on. */
  since(first: number): Samples {
    const begin = Math.max(first, this.#next - MAX_SAMPLES);
    const length = Math.max(0, this.#next - begin);
    const entries = [...this.#columns].map(([name, values]) => [
      name,
      Array.from({ length }, (_, index) => {
        const value = values[(begin + index) % MAX_SAMPLES] as number;
        return Number.isNaN(value) ? null : value;
      }),
    ]);
    return Object.fromEntries(entries) as Samples;
  }
}
