/**
 * The longest time for which one turn of an event loop computes, during which it serves nobody else. CPU time is
 * measured, not the time that passes, so that a busy machine makes no difference.
 */
import { readFileSync } from "node:fs";

import { FuzzFailure } from "./fuzz-failure.ts";

/** How long one turn may compute for each 64 KiB that a step has written, in ms of CPU time. */
const MOST = 250;
const BLOCK = 64 * 1024;
/** How often the loop is looked at, in ms: more turns than one may fall between two looks, so the limit is generous. */
const EVERY = 2;

/** CPU time of this thread, in ms. */
export function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** @throws FuzzFailure if it took longer than these bytes may cause. @param time ms of CPU time */
export function expectNoStall(time: number, bytes: number, what: () => string): void {
  const most = MOST * Math.max(1, Math.ceil(bytes / BLOCK));
  if (time > most) throw new FuzzFailure(`${what()}: ${Math.round(time)} ms for ${bytes} bytes`);
}

export interface Stall {
  /** Gives what `work` gives; its time does not count: it is the fuzzer's own. */
  apart<T>(work: () => T): T;
  /** The longest turn since the last call, in ms of CPU time. */
  take(): number;
  stop(): void;
}

/** Of this thread. */
export class LoopStall implements Stall {
  #last = threadTime();
  #longest = 0;
  readonly #timer = setInterval(() => this.#look(), EVERY);

  apart<T>(work: () => T): T {
    this.#look();
    const result = work();
    this.#last = threadTime();
    return result;
  }

  take(): number {
    this.#look();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = threadTime();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }
}

/** Of another process: all that its main thread has computed since the last call. 0 where there is no `/proc`. */
export class ProcessStall implements Stall {
  readonly #file: string;
  #last: number;

  constructor(pid: number) {
    this.#file = `/proc/${pid}/task/${pid}/schedstat`;
    this.#last = this.#now();
  }

  apart<T>(work: () => T): T {
    return work();
  }

  take(): number {
    const before = this.#last;
    this.#last = this.#now();
    return this.#last - before;
  }

  stop(): void {}

  /** The first number is in ns. */
  #now(): number {
    try {
      return Number(readFileSync(this.#file, "utf8").split(" ")[0]) / 1e6;
    } catch (error) {
      if (isGone(error)) return this.#last ?? 0;
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ESRCH"].includes(String((error as { code?: unknown }).code));
}
