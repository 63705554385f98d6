/** The process: its memory, processor time, and the delay of its event loop. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the event loop's delay is measured, in ms. */
const RESOLUTION = 20;
const NANOSECONDS = 1e9;

/** In seconds. */
type LoopDelay = { readonly median: number; readonly p99: number; readonly max: number };

/** In bytes. */
export type Memory = { readonly resident: number; readonly heap: number };

export class ProcessMetrics {
  readonly #measured = monitorEventLoopDelay({ resolution: RESOLUTION });
  #last: LoopDelay | undefined;

  constructor() {
    this.#measured.enable();
  }

  /** Of the last window, or of the first one until that has ended. */
  get loopDelay(): LoopDelay {
    return this.#last ?? this.#read();
  }

  /** Ends a window and begins the next. */
  nextWindow(): void {
    this.#last = this.#read();
    this.#measured.reset();
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
    this.#measured.disable();
  }

  #read(): LoopDelay {
    const delay = this.#measured;
    // Its fields are NaN before the first measurement.
    if (delay.count === 0) return { median: 0, p99: 0, max: 0 };
    const at = (percent: number) => Math.min(delay.percentile(percent), delay.max) / NANOSECONDS;
    return { median: at(50), p99: at(99), max: delay.max / NANOSECONDS };
  }
}
