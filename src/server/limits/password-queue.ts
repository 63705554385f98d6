/**
 * Password hashes (PROTOCOL 4): argon2id, off the event loop, a few at once, the others in a bounded
 * queue. The pool of threads that hashes also reads files, so it is never given all its work at once.
 *
 * Owners take turns, and in a full queue whoever has fewer waiting takes the place of the latest of whoever
 * has the most: a storm from one address makes that address wait. Each job has exactly one outcome.
 */
import { availableParallelism } from "node:os";

import { hashPassword, verifyPassword } from "../database/password-hash.ts";
import { Tally } from "./tally.ts";

/** Hashes worked on at once: one core is left for everything else. */
export const HASHES_AT_ONCE = Math.max(1, availableParallelism() - 1);

export type HashOutcome<T> =
  | { readonly name: "done"; readonly value: T }
  /** The server is closing and did not begin. */
  | { readonly name: "closing" }
  /** It gave its place in the full queue to somebody who had fewer. */
  | { readonly name: "displaced" }
  /** Nobody wanted it any more when its turn came. */
  | { readonly name: "unwanted" }
  | { readonly name: "failed"; readonly error: unknown };

type NotBegun = "closing" | "displaced" | "unwanted";

type Job = {
  /** Whether its connection is still there. */
  wanted(): boolean;
  /** Does the work, and gives what answers with it; never rejects. */
  run(): Promise<() => void>;
  refuse(why: NotBegun): void;
};

export type PasswordQueueOptions = {
  /** Hashes that may wait; past it `server_busy`. */
  readonly limit: number;
  /** Told of each hash that was done: how long it waited and took, in ms. */
  readonly observe?: (waited: number, took: number) => void;
};

export class PasswordQueue {
  readonly #options: PasswordQueueOptions;
  /** Owner → what waits, the oldest first; the owner whose turn is next comes first. */
  readonly #waiting = new Map<string, Job[]>();
  readonly #counts = new Tally();
  #size = 0;
  #running = 0;
  #closing = false;
  #idle: (() => void) | undefined;

  constructor(options: PasswordQueueOptions) {
    this.#options = options;
  }

  /** Hashes that wait now. */
  get waiting(): number {
    return this.#size;
  }

  /** Hashes worked on now. */
  get running(): number {
    return this.#running;
  }

  /**
   * Verifies a password in NFC for an owner (the network of an address); false when the queue is full, and
   * then `answer` is never called.
   */
  verify(
    owner: string,
    password: string,
    hash: string,
    wanted: () => boolean,
    answer: (outcome: HashOutcome<boolean>) => void,
  ): boolean {
    return this.#add(owner, () => verifyPassword(password, hash), wanted, answer);
  }

  /** Hashes a password in NFC for an owner; false when the queue is full, and then `answer` is never called. */
  hash(
    owner: string,
    password: string,
    wanted: () => boolean,
    answer: (outcome: HashOutcome<string>) => void,
  ): boolean {
    return this.#add(owner, () => hashPassword(password), wanted, answer);
  }

  /** Begins no further hash, refuses those that wait, and resolves when those under way have answered. */
  close(): Promise<void> {
    this.#closing = true;
    this.#next();
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #add<T>(
    owner: string,
    work: () => Promise<T>,
    wanted: () => boolean,
    answer: (outcome: HashOutcome<T>) => void,
  ): boolean {
    if (this.#size >= this.#options.limit && !this.#displaceFor(owner)) return false;
    const since = performance.now();
    this.#push(owner, {
      wanted,
      run: () => {
        const begun = performance.now();
        return work().then(
          (value) => {
            this.#options.observe?.(begun - since, performance.now() - begun);
            return () => answer({ name: "done", value });
          },
          (error: unknown) => () => answer({ name: "failed", error }),
        );
      },
      refuse: (why) => answer({ name: why }),
    });
    this.#next();
    return true;
  }

  /** Makes a place for an owner who has fewer waiting than another; false when nobody has more. */
  #displaceFor(owner: string): boolean {
    const { largest, most } = this.#counts;
    if (largest === undefined || this.#counts.of(owner) >= most) return false;
    const job = this.#waiting.get(largest)?.pop();
    if (job === undefined) return false;
    this.#removed(largest);
    // Its connection may ask for the next hash at once; this one has its place by then.
    queueMicrotask(() => job.refuse(job.wanted() ? "displaced" : "unwanted"));
    return true;
  }

  #push(owner: string, job: Job): void {
    const jobs = this.#waiting.get(owner);
    if (jobs === undefined) this.#waiting.set(owner, [job]);
    else jobs.push(job);
    this.#counts.add(owner);
    this.#size++;
  }

  /** The oldest of the owner whose turn it is; the turn goes on. */
  #shift(): Job | undefined {
    const [turn] = this.#waiting;
    if (turn === undefined) return undefined;
    const [owner, jobs] = turn;
    const job = jobs.shift();
    this.#waiting.delete(owner);
    if (jobs.length > 0) this.#waiting.set(owner, jobs);
    this.#removed(owner);
    return job;
  }

  #removed(owner: string): void {
    this.#counts.remove(owner);
    this.#size--;
    if (this.#counts.of(owner) === 0) this.#waiting.delete(owner);
  }

  #next(): void {
    while (this.#closing || this.#running < HASHES_AT_ONCE) {
      const job = this.#shift();
      if (job === undefined) break;
      if (!job.wanted()) job.refuse("unwanted");
      else if (this.#closing) job.refuse("closing");
      else {
        this.#running++;
        void job.run().then((answer) => this.#done(answer));
      }
    }
  }

  #done(answer: () => void): void {
    this.#running--;
    // First the next hash: a core works on it while this one's answer is written.
    this.#next();
    try {
      answer();
    } finally {
      if (this.#running === 0) this.#idle?.();
    }
  }
}
