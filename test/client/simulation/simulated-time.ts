/** Time that passes only from event to event, and machines that sleep and have adjustable clocks. */
import type { Clock } from "../../../src/net/clock.ts";
import type { Timed } from "../../../src/net/clock.ts";

/** As in `src/net/clock.ts`. */
const SWEEP_INTERVAL = 500;
/** When the simulation begins, ms since 1970. */
const EPOCH = Date.UTC(2027, 0, 15);

type Scheduled = { readonly time: number; readonly order: number; run: (() => void) | undefined };

const isBefore = (a: Scheduled, b: Scheduled) => a.time < b.time || (a.time === b.time && a.order < b.order);

/** The queue of events, by their time; events of the same time in the order in which they were added. */
export class EventQueue {
  /** ms of simulated time */
  now = 0;
  readonly #heap: Scheduled[] = [];
  #order = 0;

  /** Runs `run` after `delay` ms, rounded up. @returns what cancels it */
  after(delay: number, run: () => void): () => void {
    const event: Scheduled = { time: this.now + Math.ceil(Math.max(0, delay)), order: this.#order++, run };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return () => {
      event.run = undefined;
    };
  }

  /** The time of the next event; Infinity: there is none. */
  get next(): number {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Removes the next event, and advances time to it. */
  take(): (() => void) | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    this.now = first.time;
    return first.run;
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const event = heap[start] as Scheduled;
    let place = start;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Scheduled;
      if (!isBefore(event, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  #sink(): void {
    const heap = this.#heap;
    const event = heap[0] as Scheduled;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, heap[below] as Scheduled)) below++;
      const child = heap[below] as Scheduled;
      if (!isBefore(child, event)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = event;
  }
}

/** The clocks of one machine, which outlive its programs. */
export class Machine {
  readonly queue: EventQueue;
  /** How far its clock was set, in ms. */
  clockOffset = 0;
  /** Until when it sleeps, in simulated time; if in the past, it is awake. */
  awakeAt = 0;
  #slept = 0;
  readonly #start: number;

  /** @param start of its monotonic clock, in ms */
  constructor(queue: EventQueue, start: number) {
    this.queue = queue;
    this.#start = start;
  }

  get isAsleep(): boolean {
    return this.queue.now < this.awakeAt;
  }

  sleep(ms: number): void {
    if (this.isAsleep) return;
    this.awakeAt = this.queue.now + ms;
    this.#slept += ms;
  }

  get wallClock(): number {
    return EPOCH + this.queue.now + this.clockOffset;
  }

  /** It stops while the machine sleeps. */
  get monotonic(): number {
    const ahead = Math.max(0, this.awakeAt - this.queue.now);
    return this.#start + this.queue.now - this.#slept + ahead;
  }
}

/** The clocks and timers of one program on a machine, which end with it. */
export class ProgramClock implements Clock {
  readonly #machine: Machine;
  readonly #watched = new Set<Timed>();
  #isSweeping = false;
  #isStopped = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  now(): number {
    return this.#machine.wallClock;
  }

  monotonic(): number {
    return this.#machine.monotonic;
  }

  after(ms: number, run: () => void): () => void {
    const due = this.monotonic() + Math.ceil(ms);
    let cancel: () => void = () => undefined;
    const wait = (time: number): void => {
      cancel = this.#machine.queue.after(time, () => {
        if (this.#isStopped) return;
        const { queue, isAsleep, awakeAt, monotonic } = this.#machine;
        // A timer that was due during a sleep runs after it.
        if (isAsleep || monotonic < due) wait((isAsleep ? awakeAt - queue.now : 0) + due - monotonic);
        else run();
      });
    };
    wait(Math.ceil(ms));
    return () => cancel();
  }

  watch(timed: Timed): void {
    this.#watched.add(timed);
    this.#sweepLater();
  }

  unwatch(timed: Timed): void {
    this.#watched.delete(timed);
  }

  /** The program has ended: its timers do not run any more. */
  stop(): void {
    this.#isStopped = true;
    this.#watched.clear();
  }

  #sweepLater(): void {
    if (this.#isSweeping || this.#isStopped || this.#watched.size === 0) return;
    this.#isSweeping = true;
    this.after(SWEEP_INTERVAL, () => {
      this.#isSweeping = false;
      const now = this.monotonic();
      for (const each of this.#watched) each.checkDeadlines(now);
      this.#sweepLater();
    });
  }
}
