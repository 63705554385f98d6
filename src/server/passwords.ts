/**
 * Password hashes (PROTOCOL 4): argon2id, off the event loop, a few at once, the others in a bounded
 * queue. The pool of threads that hashes also reads files, so it is never given all its work at once.
 */
import { availableParallelism } from "node:os";

/** Hashes worked on at once: one core is left for everything else. */
export const HASHES_AT_ONCE = Math.max(1, availableParallelism() - 1);

/** OWASP's second recommendation: 19 MiB, two passes. */
const PARAMETERS = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** The library refuses the empty string, which a seed's account may have; nobody can set this one. */
const EMPTY = "\0";

/** The argon2id hash, in PHC form, of a password in NFC. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password === "" ? EMPTY : password, PARAMETERS);
}

function verifyPassword(password: string, hash: string): Promise<boolean> {
  return Bun.password.verify(password === "" ? EMPTY : password, hash);
}

export type HashOutcome<T> =
  | { readonly name: "done"; readonly value: T }
  /** The server is closing and did not begin. */
  | { readonly name: "closing" }
  | { readonly name: "failed"; readonly error: unknown };

type Job = {
  /** A job whose connection has gone is skipped, and its callback never called. */
  wanted(): boolean;
  /** Does the work and answers; never rejects. */
  run(): Promise<void>;
  refuse(): void;
};

export type PasswordQueueOptions = {
  /** Hashes that may wait; past it `server_busy`. */
  readonly limit: number;
  /** Told of each hash that was done: how long it waited and took, in ms. */
  readonly observe?: (waited: number, took: number) => void;
};

export class PasswordQueue {
  readonly #options: PasswordQueueOptions;
  readonly #waiting: Job[] = [];
  #running = 0;
  #closing = false;
  #idle: (() => void) | undefined;

  constructor(options: PasswordQueueOptions) {
    this.#options = options;
  }

  /** Hashes that wait now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Hashes worked on now. */
  get running(): number {
    return this.#running;
  }

  /** Verifies a password in NFC; false when the queue is full, and then `answer` is never called. */
  verify(
    _owner: string,
    password: string,
    hash: string,
    wanted: () => boolean,
    answer: (outcome: HashOutcome<boolean>) => void,
  ): boolean {
    return this.#add(() => verifyPassword(password, hash), wanted, answer);
  }

  /** Hashes a password in NFC; false when the queue is full, and then `answer` is never called. */
  hash(
    _owner: string,
    password: string,
    wanted: () => boolean,
    answer: (outcome: HashOutcome<string>) => void,
  ): boolean {
    return this.#add(() => hashPassword(password), wanted, answer);
  }

  /** Begins no further hash, refuses those that wait, and resolves when those under way have answered. */
  close(): Promise<void> {
    this.#closing = true;
    for (const job of this.#waiting.splice(0)) if (job.wanted()) job.refuse();
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #add<T>(work: () => Promise<T>, wanted: () => boolean, answer: (outcome: HashOutcome<T>) => void): boolean {
    if (this.#waiting.length >= this.#options.limit) return false;
    this.#waiting.push({
      wanted,
      run: () =>
        work().then(
          (value) => answer({ name: "done", value }),
          (error: unknown) => answer({ name: "failed", error }),
        ),
      refuse: () => answer({ name: "closing" }),
    });
    this.#next();
    return true;
  }

  #next(): void {
    while (this.#running < HASHES_AT_ONCE) {
      const job = this.#waiting.shift();
      if (job === undefined) break;
      if (!job.wanted()) continue;
      if (this.#closing) {
        job.refuse();
        continue;
      }
      this.#running++;
      void job.run().finally(() => {
        this.#running--;
        this.#next();
      });
    }
    if (this.#running === 0) this.#idle?.();
  }
}
