/** Whether the server can serve: asked by whoever sends it people, or restarts it. */
import type { Database } from "bun:sqlite";

import type { Log } from "../log/log.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";

export type Running = { readonly server: RendezvousServer; readonly database: Database };
export type ReadyState = "ready" | "starting" | "closing" | "database_unavailable";

export class Readiness {
  readonly #clock: () => number;
  readonly #log: Log;
  #running: Running | undefined;
  #checkedAt = -Infinity;
  /** The code of what is wrong with the database. */
  #fault: string | undefined;

  /** @param clock ms that never go back. */
  constructor(clock: () => number, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get running(): Running | undefined {
    return this.#running;
  }

  /** The server has started. */
  started(running: Running): void {
    this.#running = running;
  }

  /** @param age how long ago the database may have been tried, in ms: whoever asks often costs no more. */
  state(age: number): ReadyState {
    if (this.#running === undefined) return "starting";
    const { server, database } = this.#running;
    if (server.services.isClosing()) return "closing";
    const now = this.#clock();
    if (now - this.#checkedAt >= age) {
      const fault = faultOf(database);
      if (fault !== undefined && fault !== this.#fault)
        this.#log.warn("database_unavailable", { code: fault });
      if (fault === undefined && this.#fault !== undefined) this.#log.info("database_available");
      this.#fault = fault;
      this.#checkedAt = now;
    }
    return this.#fault === undefined ? "ready" : "database_unavailable";
  }
}

/**
 * Reads, and writes what is there already: one page, through the log to the disk. Waits for nobody, for the
 * whole server would wait with it.
 */
function faultOf(database: Database): string | undefined {
  try {
    const waits = database.query<{ timeout: number }, []>("PRAGMA busy_timeout").get()?.timeout ?? 0;
    database.run("PRAGMA busy_timeout = 0");
    try {
      const version = database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version;
      database.run(`PRAGMA user_version = ${version ?? 0}`);
    } finally {
      database.run(`PRAGMA busy_timeout = ${waits}`);
    }
    return undefined;
  } catch (error) {
    return String((error as { code?: unknown } | null)?.code ?? error);
  }
}
