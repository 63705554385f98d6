/** Counts values between fixed bounds. Counting does not allocate, because every request is counted. */

export class Histogram {
  /** Ascending; a value that equals a bound counts as below it. */
  readonly bounds: Float64Array;
  /** How many values were at or below each bound and above the one before; the last entry counts those above all. */
  readonly counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  /** `value` in the unit of the bounds; not NaN. */
  observe(value: number): void {
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= (bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    counts[low] = (counts[low] as number) + 1;
    this.#sum += value;
  }
}

/** The values that a histogram has counted between two moments. */
export class HistogramWindow {
  readonly #histogram: Histogram;
  readonly #before: Float64Array;
  readonly #counts: Float64Array;

  constructor(histogram: Histogram) {
    this.#histogram = histogram;
    this.#before = histogram.counts.slice();
    this.#counts = new Float64Array(histogram.counts.length);
  }

  /** Ends the window and begins the next. */
  next(): void {
    const { counts } = this.#histogram;
    for (let index = 0; index < counts.length; index++) {
      this.#counts[index] = (counts[index] as number) - (this.#before[index] as number);
    }
    this.#before.set(counts);
  }

  /** The value at or below which the share `q` (0 to 1) of the ended window lies; NaN when it had none. */
  quantile(q: number): number {
    return quantile(this.#histogram.bounds, this.#counts, q);
  }
}

/** Interpolates between two bounds; a value above all of them counts as the last. NaN if there are no values. */
export function quantile(bounds: ArrayLike<number>, counts: ArrayLike<number>, q: number): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index] as number;
  if (total === 0) return NaN;
  const rank = q * total;
  let seen = 0;
  for (let index = 0; index < bounds.length; index++) {
    const count = counts[index] as number;
    const upper = bounds[index] as number;
    if (count > 0 && seen + count >= rank) {
      const lower = index === 0 ? 0 : (bounds[index - 1] as number);
      return lower + (upper - lower) * Math.max(0, (rank - seen) / count);
    }
    seen += count;
  }
  return bounds[bounds.length - 1] as number;
}

/** Bounds that grow by `factor` (above 1) from `first` until they reach `last`. */
export function growingBounds(first: number, last: number, factor: number): number[] {
  const bounds = [first];
  for (let bound = first; bound < last;) bounds.push((bound *= factor));
  return bounds;
}
