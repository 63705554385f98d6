/**
 * The lookups of the conversations, in order and few at a time: a thousand people with waiting messages are looked
 * up one after the other, also while the server limits lookups.
 *
 * Lookups of people for whom somebody waits right now go first. They alone are told that the server limits lookups,
 * if the limit is long; the others wait for its end.
 */
import type { Clock } from "../../net/clock.ts";
import type { Directory, Whereabouts } from "./directory.ts";

/** Lookups under way: about as many as the server reads before it has answered the first (PROTOCOL 4). */
const LOOKUPS_AT_ONCE = 16;
/** A lookup that is awaited waits for the end of a limit that is at most this long, in ms. */
const LONGEST_AWAITED_LIMIT = 5_000;

type Lookup = {
  /** Lower numbers go first. */
  readonly turn: number;
  readonly username: string;
  readonly isAwaited: () => boolean;
  readonly result: PromiseWithResolvers<Whereabouts>;
};

export class LookupQueue {
  readonly #directory: Pick<Directory, "lookUp" | "limitedFor">;
  readonly #clock: Pick<Clock, "after">;
  /** By turn; at most one for each person. */
  readonly #waiting: Lookup[] = [];
  #underWay = 0;
  #nextTurn = 0;
  /** Cancels the wait for the end of the server's limit. */
  #cancelWait: (() => void) | undefined;
  #isScheduled = false;

  constructor(directory: Pick<Directory, "lookUp" | "limitedFor">, clock: Pick<Clock, "after">) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /**
   * Looks a person up when it is their turn.
   * @param isAwaited whether somebody waits for this person right now; asked until their turn
   */
  lookUp(username: string, isAwaited: () => boolean): Promise<Whereabouts> {
    const known = this.#waiting.find((each) => each.username === username);
    if (known !== undefined) return known.result.promise;
    const result = Promise.withResolvers<Whereabouts>();
    this.#waiting.push({ turn: this.#nextTurn++, username, isAwaited, result });
    this.next();
    return result.promise;
  }

  /** Sends what may be sent; to be called also when `isAwaited` of a lookup may have changed. */
  next(): void {
    const { limitedFor } = this.#directory;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    if (limitedFor > LONGEST_AWAITED_LIMIT) this.#answerAwaited();
    if (limitedFor > 0) {
      if (this.#waiting.length > 0) this.#cancelWait = this.#clock.after(limitedFor, () => this.next());
      return;
    }
    while (this.#waiting.length > 0 && this.#underWay < LOOKUPS_AT_ONCE) {
      const awaited = this.#waiting.findIndex(({ isAwaited }) => isAwaited());
      const [lookup] = this.#waiting.splice(Math.max(awaited, 0), 1);
      this.#underWay++;
      void this.#send(lookup as Lookup);
    }
  }

  #answerAwaited(): void {
    const awaited = this.#waiting.filter(({ isAwaited }) => isAwaited());
    for (const lookup of awaited) {
      this.#waiting.splice(this.#waiting.indexOf(lookup), 1);
      lookup.result.resolve({ name: "limited" });
    }
  }

  async #send(lookup: Lookup): Promise<void> {
    try {
      const where = await this.#directory.lookUp(lookup.username);
      if (where.name === "limited") this.#waitAgain(lookup);
      else lookup.result.resolve(where);
    } catch (error) {
      lookup.result.reject(error);
    } finally {
      this.#underWay--;
      this.#nextSoon();
    }
  }

  #waitAgain(lookup: Lookup): void {
    const later = this.#waiting.findIndex(({ turn }) => turn > lookup.turn);
    this.#waiting.splice(later === -1 ? this.#waiting.length : later, 0, lookup);
  }

  /** Not in the same turn of the event loop: without a server every answer comes at once. */
  #nextSoon(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.next();
    });
  }
}
