/** Whether the server is ready, for load balancers and supervisors. */
import type { Database } from "bun:sqlite";

import { errorCode } from "../../net/error-code.ts";
import { setBlockingWait } from "../database/locked-database.ts";
import type { Log } from "../log/log.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";

export type Running = { readonly server: RendezvousServer; readonly database: Database };
type ReadyState = "ready" | "starting" | "closing" | "database_unavailable";

/** The last check of the database: its time in ms, and the code of its error if it failed. */
type Check = { readonly at: number; readonly fault: string | undefined };

type State =
  | { readonly name: "starting" }
  | { readonly name: "started"; readonly running: Running; readonly checked: Check };

export class Readiness {
  readonly #clock: () => number;
  readonly #log: Log;
  #state: State = { name: "starting" };

  /** @param clock ms that never go back. */
  constructor(clock: () => number, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined until the server has started. */
  get running(): Running | undefined {
    return this.#state.name === "started" ? this.#state.running : undefined;
  }

  /** The server has started. */
  started(running: Running): void {
    this.#state = { name: "started", running, checked: { at: -Infinity, fault: undefined } };
  }

  /** @param maxAge longest age of the last check of the database, in ms, so that frequent calls are cheap. */
  state(maxAge: number): ReadyState {
    if (this.#state.name === "starting") return "starting";
    const { running } = this.#state;
    if (running.server.services.isClosing()) return "closing";
    let { checked } = this.#state;
    const now = this.#clock();
    if (now - checked.at >= maxAge) {
      const fault = faultOf(running);
      if (fault !== undefined && fault !== checked.fault) {
        this.#log.warn("database_unavailable", { code: fault });
      }
      if (fault === undefined && checked.fault !== undefined) this.#log.info("database_available");
      checked = { at: now, fault };
      this.#state = { name: "started", running, checked };
    }
    return checked.fault === undefined ? "ready" : "database_unavailable";
  }
}

/**
 * Looks whether the database is still in its place, reads one page of it and writes it back, unchanged, through
 * SQLite's log to the disk. It does not wait for a lock, which would block the whole server.
 */
function faultOf({ server, database }: Running): string | undefined {
  try {
    server.services.databaseFile.check();
    const waits = database.query<{ timeout: number }, []>("PRAGMA busy_timeout").get()?.timeout ?? 0;
    setBlockingWait(database, 0);
    try {
      const version = database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version;
      database.run(`PRAGMA user_version = ${version ?? 0}`);
    } finally {
      setBlockingWait(database, waits);
    }
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}
