/**
 * One connection to Valkey (or Redis). Bun's client neither ends a wait on a server that is silent nor recovers from a
 * handshake that has failed: each command has a timer here, and after any failure the next one gets a new client.
 */
import { RedisClient } from "bun";

import { errorCode } from "../../net/error-code.ts";
import type { Script } from "./scripts.ts";

/** How long after a failure nothing is dialled, in ms: what is asked meanwhile fails at once. */
const REDIAL = 100;

/** Valkey cannot be asked now. Whether a command that was under way has been done is not known. */
export class ValkeyBusy extends Error {
  constructor(cause: unknown) {
    super("Valkey cannot be asked now", { cause });
  }
}

/** What was asked, and how that went. */
export type ValkeyCounts = { commands: number; errors: number; seconds: number };

export class Valkey {
  readonly counts: ValkeyCounts = { commands: 0, errors: 0, seconds: 0 };
  readonly #url: string;
  readonly #patience: number;
  #dialled: Promise<RedisClient> | undefined;
  #client: RedisClient | undefined;
  #failedAt = -Infinity;
  #isClosed = false;

  /** @param patience how long a command may take, in ms */
  constructor(url: string, patience: number) {
    this.#url = url;
    this.#patience = patience;
  }

  /** @throws ValkeyBusy, also for what Valkey itself refuses */
  async run({ text, sha, keys }: Script, args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send("EVALSHA", [sha, ...rest]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.send("EVAL", [text, ...rest]);
    }
  }

  /** @param patience for a command that blocks, in ms. @throws ValkeyBusy */
  async send(command: string, args: readonly string[], patience = this.#patience): Promise<unknown> {
    const begun = performance.now();
    this.counts.commands++;
    let client: RedisClient | undefined;
    try {
      client = await this.#connected();
      return await inTime(client.send(command, [...args]), patience);
    } catch (error) {
      // A refusal leaves the connection as it was.
      if (errorCode(error) !== "ERR_REDIS_SERVER_ERROR") this.#drop(client);
      if (!isUnknownScript(error)) this.counts.errors++;
      throw new ValkeyBusy(error);
    } finally {
      this.counts.seconds += (performance.now() - begun) / 1_000;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#drop(this.#client);
  }

  #connected(): Promise<RedisClient> {
    if (this.#isClosed) throw new Error("closed");
    if (this.#dialled === undefined) {
      if (performance.now() - this.#failedAt < REDIAL) throw new Error("it could not be reached just now");
      this.#dialled = this.#dial();
    }
    return this.#dialled;
  }

  async #dial(): Promise<RedisClient> {
    const client = new RedisClient(this.#url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: this.#patience,
    });
    this.#client = client;
    try {
      await inTime(client.connect(), this.#patience);
      return client;
    } catch (error) {
      this.#drop(client);
      throw error;
    }
  }

  #drop(client: RedisClient | undefined): void {
    if (client === undefined || client !== this.#client) return;
    this.#client = undefined;
    this.#dialled = undefined;
    this.#failedAt = performance.now();
    client.close();
  }
}

function isUnknownScript(error: unknown): boolean {
  const cause = error instanceof ValkeyBusy ? error.cause : error;
  return cause instanceof Error && cause.message.startsWith("NOSCRIPT");
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
