/**
 * One server uses a database at a time. While it runs it holds a write transaction on a small database beside it,
 * which does not block readers of the accounts and ends with the process, even by `kill -9`. A clean stop removes the
 * file; after a crash the next start reuses it.
 */
import type { Database } from "bun:sqlite";
import { statSync, unlinkSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { ExistingDatabase, isLocked } from "./locked-database.ts";
import { makeFile, ownerFor, type Owner } from "./owner.ts";

/** How long a start waits for another server to stop, in ms: that takes up to 5 s. */
export const LOCK_PATIENCE = 7_000;
const RETRY_INTERVAL = 100;

export class DatabaseLock {
  readonly #path: string;
  // Without a reference the garbage collector would close it, which releases the lock.
  readonly #held: Database;
  readonly #inode: number;

  private constructor(path: string, held: Database) {
    this.#path = path;
    this.#held = held;
    this.#inode = inodeOf(path);
  }

  /**
   * Takes the lock of the database at this path, which must not be a link.
   * @param patience how long to wait for another process that has it, in ms.
   * @returns undefined when it stays taken.
   * @throws errors of SQLite or the file system.
   */
  static async acquire(databasePath: string, patience = LOCK_PATIENCE): Promise<DatabaseLock | undefined> {
    const path = `${databasePath}.lock`;
    const owner = ownerFor(databasePath);
    const end = performance.now() + patience;
    for (;;) {
      const held = tryToHold(path, owner);
      if (held !== undefined) return new DatabaseLock(path, held);
      if (performance.now() >= end) return undefined;
      await Bun.sleep(RETRY_INTERVAL);
    }
  }

  release(): void {
    // Before closing it: afterwards the file may belong to another process.
    if (inodeOf(this.#path) === this.#inode) unlinkSync(this.#path);
    this.#held.close();
  }
}

function tryToHold(path: string, owner: Owner | undefined): Database | undefined {
  let database: Database | undefined;
  let isMade = false;
  try {
    make(path, owner);
    isMade = true;
    const before = inodeOf(path);
    database = new ExistingDatabase(path, 0);
    // No journal file: there is no data to lose.
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("BEGIN IMMEDIATE");
    // Another process may have removed the file after we opened it and before we locked it.
    if (inodeOf(path) === before) return database;
    database.close();
    return undefined;
  } catch (error) {
    database?.close();
    // Another process holds it, or removed it while it was being opened.
    if (isLocked(error) || (database === undefined && isMade && inodeOf(path) === 0)) return undefined;
    throw error;
  }
}

/** 0 if there is no file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

/** Makes the file unless it exists. An existing one is not opened: closing it would drop this process's locks. */
function make(path: string, owner: Owner | undefined): void {
  try {
    makeFile(path, owner);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
