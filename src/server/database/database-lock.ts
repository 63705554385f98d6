/**
 * One server uses a database at a time. Until it ends it holds a write transaction on a small database beside it:
 * `kill -9` frees that, and whoever reads the accounts meanwhile need not wait. A clean stop removes the file; one
 * that a crash left is used again.
 */
import type { Database } from "bun:sqlite";
import { statSync, unlinkSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { ExistingDatabase, isLocked } from "./locked-database.ts";
import { makeFile, ownerFor, type Owner } from "./owner.ts";

/** How long a start waits for another server to end, in ms: a stop takes up to 5 s. */
export const LOCK_PATIENCE = 7_000;
const RETRY_INTERVAL = 100;

export class DatabaseLock {
  readonly #path: string;
  // A Database without a reference is closed by the garbage collector, which ends its locks.
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
   * @throws what SQLite or the disk says of the file.
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
    // While it is still held: afterwards it may belong to another process.
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
    // No journal beside it: there is nothing to lose.
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("BEGIN IMMEDIATE");
    // Its last owner may have removed the file between our opening and locking it.
    if (inodeOf(path) === before) return database;
    database.close();
    return undefined;
  } catch (error) {
    database?.close();
    // It is held, or was removed just when it was opened.
    if (isLocked(error) || (database === undefined && isMade && inodeOf(path) === 0)) return undefined;
    throw error;
  }
}

/** 0 where there is no file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

/** Never opens a file that is there: closing it would end this process's own locks on it. */
function make(path: string, owner: Owner | undefined): void {
  try {
    makeFile(path, owner);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
