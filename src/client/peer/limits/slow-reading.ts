/**
 * How fast somebody is read who may not write to us: nothing of theirs is of use but a few texts, and reading it takes
 * time from the others. Nothing is lost: what is not read yet stays with them.
 */
import type { Clock } from "../../../net/clock.ts";
import type { Connection } from "../../../net/connection.ts";
import { Budget } from "./budget.ts";

/** Bytes read at once, and a second. A full request, and what our own client writes before it is told `held`, pass. */
export const SLOW_READING = { burst: 64 * 1024, perSecond: 8 * 1024 } as const;
/** What an object counts besides its bytes: a short one costs about as much as this. */
const OBJECT_COST = 128;

/** Bytes that wait to be handled, or to be read by them, above which somebody who is read slowly floods us. */
const FLOOD = 256 * 1024;
/** The shortest pause, in ms: many short ones would take more time than what is read between them. */
const MIN_PAUSE = 250;

type SlowConnection = Pick<Connection, "handledBytes" | "heldBytes" | "pauseReading" | "resumeReading">;

export class SlowReading {
  readonly #clock: Pick<Clock, "monotonic" | "after">;
  readonly #connection: SlowConnection;
  readonly #flooded: () => void;
  readonly #budget = new Budget(SLOW_READING.burst, SLOW_READING.perSecond);
  #spent = 0;
  /** Ends the wait; undefined: there is none. */
  #cancel: (() => void) | undefined;

  /** @param flooded they have sent far more than is read: called at the end of a pause, or of the connection */
  constructor(clock: Pick<Clock, "monotonic" | "after">, connection: SlowConnection, flooded: () => void) {
    this.#clock = clock;
    this.#connection = connection;
    this.#flooded = flooded;
  }

  /** An object was handled: reading pauses until as much may be read again. */
  handled(): void {
    const { handledBytes } = this.#connection;
    const wait = this.#budget.spend(this.#clock.monotonic(), handledBytes - this.#spent + OBJECT_COST);
    this.#spent = handledBytes;
    if (wait === 0 || this.#cancel !== undefined) return;
    this.#connection.pauseReading();
    this.#cancel = this.#clock.after(Math.max(MIN_PAUSE, wait), () => {
      this.#cancel = undefined;
      if (this.#isFlood) this.#flooded();
      else this.#connection.resumeReading();
    });
  }

  /** Reads on, unless it is not time yet. */
  resume(): void {
    if (this.#cancel === undefined) this.#connection.resumeReading();
  }

  /** The connection is closed. */
  closed(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    if (this.#isFlood) this.#flooded();
  }

  get #isFlood(): boolean {
    return this.#connection.heldBytes > FLOOD;
  }
}
