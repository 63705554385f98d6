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
  readonly username: string;
  readonly isAwaited: () => boolean;
  readonly asked: () => void;
  readonly result: PromiseWithResolvers<Whereabouts>;
};

export class LookupQueue {
  readonly #directory: Pick<Directory, "lookUp" | "limitedFor">;
  readonly #clock: Pick<Clock, "after">;
  /** By name, in their order; a person is in one of the three at most. */
  readonly #awaited = new Map<string, Lookup>();
  /** Those that the server did not answer because of its limit. */
  readonly #limited = new Map<string, Lookup>();
  readonly #others = new Map<string, Lookup>();
  #underWay = 0;
  /** Cancels the wait for the end of the server's limit. */
  #cancelWait: (() => void) | undefined;
  #isScheduled = false;

  constructor(directory: Pick<Directory, "lookUp" | "limitedFor">, clock: Pick<Clock, "after">) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /**
   * Looks a person up when it is their turn.
   * @param isAwaited whether somebody waits for this person right now
   * @param asked is called when it is their turn, if somebody waits for them
   */
  lookUp(username: string, isAwaited: () => boolean, asked: () => void): Promise<Whereabouts> {
    const known = this.#queues.find((queue) => queue.has(username))?.get(username);
    if (known !== undefined) return known.result.promise;
    const result = Promise.withResolvers<Whereabouts>();
    (isAwaited() ? this.#awaited : this.#others).set(username, { username, isAwaited, asked, result });
    this.next();
    return result.promise;
  }

  /** Somebody waits for this person now. */
  hurry(username: string): void {
    const queue = this.#queues.find((each) => each.has(username));
    const lookup = queue?.get(username);
    if (queue === undefined || lookup === undefined || queue === this.#awaited) return;
    queue.delete(username);
    this.#awaited.set(username, lookup);
    this.next();
  }

  /** Sends what may be sent; to be called also when the server may be asked again. */
  next(): void {
    const { limitedFor } = this.#directory;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    if (limitedFor > LONGEST_AWAITED_LIMIT) this.#answerAwaited();
    if (limitedFor > 0) {
      if (this.#isWaiting) this.#cancelWait = this.#clock.after(limitedFor, () => this.next());
      return;
    }
    while (this.#underWay < LOOKUPS_AT_ONCE) {
      const queue = this.#queues.find(({ size }) => size > 0);
      const [lookup] = queue?.values() ?? [];
      if (queue === undefined || lookup === undefined) return;
      queue.delete(lookup.username);
      this.#underWay++;
      void this.#send(lookup);
    }
  }

  /** Those that go first come first. */
  get #queues(): readonly Map<string, Lookup>[] {
    return [this.#awaited, this.#limited, this.#others];
  }

  get #isWaiting(): boolean {
    return this.#queues.some(({ size }) => size > 0);
  }

  #answerAwaited(): void {
    for (const [username, lookup] of this.#awaited) {
      this.#awaited.delete(username);
      if (lookup.isAwaited()) lookup.result.resolve({ name: "limited" });
      else this.#others.set(username, lookup);
    }
  }

  async #send(lookup: Lookup): Promise<void> {
    try {
      if (lookup.isAwaited()) lookup.asked();
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
    (lookup.isAwaited() ? this.#awaited : this.#limited).set(lookup.username, lookup);
  }

  /** Not in the same turn of the event loop: without a server every answer comes at once. */
  #nextSoon(): void {
    if (this.#isScheduled || !this.#isWaiting) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.next();
    });
  }
}
