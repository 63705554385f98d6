/** The process: its memory, processor time, and the delay of its event loop. */
import { growingBounds, Histogram, HistogramWindow } from "../metrics/histogram.ts";

/** How often the event loop's delay is measured, in ms. */
const RESOLUTION = 20;
/** Windows whose longest delay is shown, the current one among them: whoever reads once a minute must not miss it. */
const SHOWN_WINDOWS = 7;

/** In seconds. */
type LoopDelay = { readonly median: number; readonly p99: number; readonly max: number };

/** In bytes. */
export type Memory = { readonly resident: number; readonly heap: number };

/**
 * Measures the delay by a timer of its own: `monitorEventLoopDelay` of Bun 1.4.5 does not notice a single callback,
 * however long it takes.
 */
export class ProcessMetrics {
  readonly #delays = new Histogram(growingBounds(1e-4, 60, 2 ** 0.25));
  readonly #window = new HistogramWindow(this.#delays);
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  /** When the timer should fire next. */
  #due: number;
  /** The longest delay of each window in seconds, the current one first. */
  #longest = [0];
  #last = { median: 0, p99: 0 };

  /** @param now ms that never go back */
  constructor(now: () => number) {
    this.#now = now;
    this.#due = now() + RESOLUTION;
    this.#timer = setInterval(() => this.#measure(), RESOLUTION);
    this.#timer.unref();
  }

  /** Median and 99th percentile are of the last window that has ended; `max` is of the last minute, until now. */
  get loopDelay(): LoopDelay {
    // The loop may be late right now: this may be called before the timer fires.
    this.#measure();
    return { ...this.#last, max: Math.max(...this.#longest) };
  }

  /** Ends a window and begins the next. @returns its longest delay, in seconds */
  nextWindow(): number {
    this.#measure();
    this.#window.next();
    const [longest = 0] = this.#longest;
    const at = (share: number) => Math.min(this.#window.quantile(share), longest);
    this.#last = { median: at(0.5), p99: at(0.99) };
    this.#longest = [0, ...this.#longest].slice(0, SHOWN_WINDOWS);
    return longest;
  }

  get memory(): Memory {
    const { rss, heapUsed } = process.memoryUsage();
    return { resident: rss, heap: heapUsed };
  }

  /** Seconds of processor time so far. */
  get processorSeconds(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #measure(): void {
    const now = this.#now();
    const late = Math.max(0, now - this.#due) / 1_000;
    this.#due = now + RESOLUTION;
    this.#delays.observe(late);
    this.#longest[0] = Math.max(this.#longest[0] ?? 0, late);
  }
}
