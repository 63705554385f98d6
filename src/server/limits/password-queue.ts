/**
 * The queue of password hashes (PROTOCOL 4): a few are computed at once, off the event loop, the others wait in a
 * bounded queue. The thread pool that hashes also reads files, so it must not be filled with hashes.
 *
 * Owners take turns. In a full queue a hash of an owner who has fewer waiting displaces the latest hash of the owner who
 * has the most, so that many requests from one address delay only that address.
 */
import { availableParallelism } from "node:os";

import { hashPassword, verifyPassword } from "../database/password-hash.ts";
import { Tally } from "./tally.ts";

/** Hashes computed at once: one core is left for everything else. */
export const HASHES_AT_ONCE = Math.max(1, availableParallelism() - 1);

/** Why a hash was not computed. */
type NotComputed =
  /** The queue was full, or the hash was displaced. */
  | { readonly name: "busy" }
  /** The server is closing. */
  | { readonly name: "closing" }
  /** It was no longer wanted when its turn came. */
  | { readonly name: "unwanted" };

export type HashOutcome<T> = { readonly name: "done"; readonly value: T } | NotComputed;

type Waiting = {
  /** Whether its connection is still open. */
  readonly wanted: () => boolean;
  readonly resolve: (turn: "granted" | NotComputed["name"]) => void;
};

type PasswordQueueOptions = {
  /** How many hashes may wait. */
  readonly limit: number;
  /** Called for each hash computed, with how long it waited and took, in ms. */
  readonly observe?: (waited: number, took: number) => void;
};

export class PasswordQueue {
  readonly #options: PasswordQueueOptions;
  /** Hashes that wait, by owner, oldest first; the owner whose turn is next comes first. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #counts = new Tally();
  #running = 0;
  #closing = false;
  #idle: (() => void) | undefined;

  constructor(options: PasswordQueueOptions) {
    this.#options = options;
  }

  /** Hashes that wait now. */
  get waiting(): number {
    return this.#counts.total;
  }

  /** Hashes computed now. */
  get running(): number {
    return this.#running;
  }

  /**
   * Verifies a password in NFC for an owner (the network of an address). `wanted`: whether the result is still
   * needed. Rejects if the text is not a hash.
   */
  verify(
    owner: string,
    password: string,
    hash: string,
    wanted: () => boolean,
  ): Promise<HashOutcome<boolean>> {
    return this.#compute(owner, wanted, () => verifyPassword(password, hash));
  }

  /** Hashes a password in NFC for an owner, as `verify` does. */
  hash(owner: string, password: string, wanted: () => boolean): Promise<HashOutcome<string>> {
    return this.#compute(owner, wanted, () => hashPassword(password));
  }

  /** Refuses the hashes that wait, and resolves when those being computed are done. */
  close(): Promise<void> {
    this.#closing = true;
    this.#next();
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  async #compute<T>(
    owner: string,
    wanted: () => boolean,
    compute: () => Promise<T>,
  ): Promise<HashOutcome<T>> {
    if (this.waiting >= this.#options.limit && !this.#displaceFor(owner)) return { name: "busy" };
    const since = performance.now();
    const turn = await this.#turn(owner, wanted);
    if (turn !== "granted") return { name: turn };
    const begun = performance.now();
    try {
      const value = await compute();
      this.#options.observe?.(begun - since, performance.now() - begun);
      return { name: "done", value };
    } finally {
      this.#running--;
      // The next hash starts before the answer to this one is written.
      this.#next();
      if (this.#running === 0) this.#idle?.();
    }
  }

  /** Waits for the owner's turn. */
  #turn(owner: string, wanted: () => boolean): Promise<"granted" | NotComputed["name"]> {
    const { promise, resolve } = Promise.withResolvers<"granted" | NotComputed["name"]>();
    const ofOwner = this.#waiting.get(owner);
    if (ofOwner === undefined) this.#waiting.set(owner, [{ wanted, resolve }]);
    else ofOwner.push({ wanted, resolve });
    this.#counts.add(owner);
    this.#next();
    return promise;
  }

  /** Displaces a hash for an owner who has fewer waiting than another; false if no owner has more. */
  #displaceFor(owner: string): boolean {
    const { largest, most } = this.#counts;
    if (largest === undefined || this.#counts.of(owner) >= most) return false;
    const displaced = this.#waiting.get(largest)?.pop();
    if (displaced === undefined) return false;
    this.#removed(largest);
    displaced.resolve(displaced.wanted() ? "busy" : "unwanted");
    return true;
  }

  /** Takes the oldest hash of the next owner. */
  #shift(): Waiting | undefined {
    const [turn] = this.#waiting;
    if (turn === undefined) return undefined;
    const [owner, ofOwner] = turn;
    const oldest = ofOwner.shift();
    this.#waiting.delete(owner);
    if (ofOwner.length > 0) this.#waiting.set(owner, ofOwner);
    this.#removed(owner);
    return oldest;
  }

  #removed(owner: string): void {
    this.#counts.remove(owner);
    if (this.#counts.of(owner) === 0) this.#waiting.delete(owner);
  }

  #next(): void {
    while (this.#closing || this.#running < HASHES_AT_ONCE) {
      const waiting = this.#shift();
      if (waiting === undefined) break;
      if (!waiting.wanted()) waiting.resolve("unwanted");
      else if (this.#closing) waiting.resolve("closing");
      else {
        this.#running++;
        waiting.resolve("granted");
      }
    }
  }
}
