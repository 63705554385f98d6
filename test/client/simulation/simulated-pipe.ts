/** One direction of a simulated connection: bytes arrive in order and late, and can be lost from some byte on. */
import type { SeededRandom } from "../../seeded-random.ts";
import type { Machine } from "./simulated-time.ts";

/** The properties of a connection; times in ms. */
export type Weather = {
  readonly delay: number;
  /** The most that is added at random to `delay`, for each write. */
  readonly jitter: number;
  /** Most bytes on the way; further bytes wait at the sender. */
  readonly capacity: number;
  /** The share of writes that arrive in two pieces, in [0, 1]. */
  readonly splits: number;
};

/** The receiver of what is written. */
export type Arrival =
  | { readonly name: "open" }
  /** One flight of a handshake. */
  | { readonly name: "flight"; readonly session: number }
  /** Before the handshake. */
  | { readonly name: "line"; readonly line: object }
  | { readonly name: "bytes"; readonly bytes: Uint8Array }
  /** The writer has closed its end. */
  | { readonly name: "end" }
  | { readonly name: "reset" };

export type PipeOptions = {
  /** Of the side that reads; while it sleeps, it reads nothing. */
  readonly machine: Machine;
  readonly random: SeededRandom;
  readonly weather: () => Weather;
  readonly arrived: (arrivals: readonly Arrival[]) => void;
  /** The writer has room again. */
  readonly room: () => void;
};

type UnderWay = { at: number; readonly arrival: Arrival };

export class Pipe {
  readonly #options: PipeOptions;
  #underWay: UnderWay[] = [];
  #bytesUnderWay = 0;
  /** Undefined: nothing is about to arrive. */
  #unschedule: (() => void) | undefined;
  #isWaitedFor = false;
  /** Nothing arrives before this simulated time. */
  #stalledUntil = 0;
  /** What is written is lost. */
  #isCut = false;
  /** So is the end. */
  #isSilent = false;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Writes as many bytes as there is room for. @returns how many */
  write(bytes: Uint8Array): number {
    const { random, weather } = this.#options;
    const room = weather().capacity - this.#bytesUnderWay;
    const taken = bytes.subarray(0, Math.max(0, room));
    if (taken.length < bytes.length) this.#isWaitedFor = true;
    if (taken.length === 0) return 0;
    // Lost bytes take room too, so that the writer does not notice the loss.
    this.#bytesUnderWay += taken.length;
    const cut = random.next() < weather().splits ? 1 + random.integer(taken.length) : taken.length;
    for (const part of [taken.subarray(0, cut), taken.subarray(cut)]) {
      if (part.length > 0) this.put({ name: "bytes", bytes: part });
    }
    return taken.length;
  }

  /** Takes no room. */
  put(arrival: Arrival): void {
    if (this.#isCut) return;
    const { machine, random, weather } = this.#options;
    const { delay, jitter } = weather();
    const at = machine.queue.now + delay + random.integer(jitter + 1);
    this.#underWay.push({ at: Math.max(at, this.#underWay.at(-1)?.at ?? 0), arrival });
    this.#schedule();
  }

  /** Nothing arrives for `ms`, then everything. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#options.machine.queue.now + ms);
  }

  /** Nothing is read until `release`. */
  hold(): void {
    this.stall(Infinity);
  }

  release(): void {
    if (this.#stalledUntil === Infinity) this.resume();
  }

  /** Ends a delay. */
  resume(): void {
    if (this.#stalledUntil === 0) return;
    this.#stalledUntil = 0;
    this.#unschedule?.();
    this.#unschedule = undefined;
    this.#schedule();
  }

  /** Everything is lost after some byte that is on the way; the bytes before it still arrive. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { random } = this.#options;
    let kept = random.integer(this.#underWay.length + 1);
    const torn = this.#underWay[kept];
    if (torn?.arrival.name === "bytes" && random.next() < 0.5) {
      const { bytes } = torn.arrival;
      const part = bytes.subarray(0, random.integer(bytes.length + 1));
      if (part.length > 0) this.#underWay[kept++] = { at: torn.at, arrival: { name: "bytes", bytes: part } };
    }
    this.#underWay = this.#underWay.slice(0, kept);
  }

  /** The reader notices the loss of the connection after `delay` ms, and after the bytes that still arrive. */
  reset(delay: number): void {
    this.#isCut = true;
    if (this.#isSilent) return;
    const at = Math.max(this.#options.machine.queue.now + delay, this.#underWay.at(-1)?.at ?? 0);
    this.#underWay.push({ at, arrival: { name: "reset" } });
    this.#schedule();
  }

  /** As `cut`; the reader never notices it. */
  silence(): void {
    this.cut();
    this.#isSilent = true;
  }

  #schedule(): void {
    const first = this.#underWay[0];
    if (this.#unschedule !== undefined || first === undefined) return;
    const { machine } = this.#options;
    const at = Math.max(first.at, this.#stalledUntil, machine.awakeAt);
    if (at === Infinity) return;
    this.#unschedule = machine.queue.after(at - machine.queue.now, () => {
      this.#unschedule = undefined;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { machine, arrived, room } = this.#options;
    const { now } = machine.queue;
    const isHeld = now < this.#stalledUntil || machine.isAsleep;
    const count = isHeld ? 0 : this.#underWay.findIndex(({ at }) => at > now);
    const ready = this.#underWay.splice(0, count === -1 ? this.#underWay.length : count);
    this.#schedule();
    for (const { arrival } of ready) {
      if (arrival.name === "bytes") this.#bytesUnderWay -= arrival.bytes.length;
    }
    if (this.#isWaitedFor && ready.length > 0) {
      this.#isWaitedFor = false;
      const { delay } = this.#options.weather();
      machine.queue.after(delay, room);
    }
    if (ready.length > 0) arrived(ready.map(({ arrival }) => arrival));
  }
}
