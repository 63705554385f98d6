/**
 * Only one process of this machine has an account online. It writes its pid and command into `lock.db` and then
 * holds a write transaction there until it ends. `kill -9` releases the lock, and other processes can read who
 * holds it.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, rmSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { lockFile } from "./folders.ts";
import { isDamage, isStorageFailure } from "./sqlite.ts";

/** How long a commit waits for processes that read the owner, in ms. */
const READER_TIMEOUT = 1_000;

/** The command of an owner that exports the account: nobody need wait for it. */
export const EXPORTING = "profile export";

export type LockOwner = { readonly pid: number; readonly command: string };

/** The account is online in another process of this machine. */
export class ProfileLockedError extends Error {
  readonly owner: LockOwner | undefined;

  constructor(owner: LockOwner | undefined) {
    super(`locked by ${owner === undefined ? "another process" : `${owner.pid} (${owner.command})`}`);
    this.owner = owner;
  }
}

export class ProfileLock {
  // Kept, because the garbage collector would close the database and release the lock.
  readonly #database: Database;
  /** Whether the previous holder was not shut down cleanly. */
  readonly followsUncleanEnd: boolean;

  private constructor(database: Database, followsUncleanEnd: boolean) {
    this.#database = database;
    this.followsUncleanEnd = followsUncleanEnd;
  }

  /** @throws ProfileLockedError when another process holds it. */
  static acquire(folder: string, owner: LockOwner): ProfileLock {
    try {
      return ProfileLock.#acquire(folder, owner);
    } catch (error) {
      if (!isDamage(error)) throw error;
      // No process can hold a lock in a damaged file, and it stores nothing else.
      rmSync(lockFile(folder));
      return ProfileLock.#acquire(folder, owner);
    }
  }

  static #acquire(folder: string, owner: LockOwner): ProfileLock {
    const file = lockFile(folder);
    // As in `openStore`: opening and closing an existing file would release this process's locks.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    const database = new Database(file, { create: true, strict: true });
    try {
      database.run("PRAGMA busy_timeout=0");
      database.run("BEGIN IMMEDIATE");
      database.run("CREATE TABLE IF NOT EXISTS owner (pid INTEGER NOT NULL, command TEXT NOT NULL)");
      const isOwnerLeft = database.query("SELECT 1 FROM owner").get() !== null;
      database.run("DELETE FROM owner");
      database.run("INSERT INTO owner VALUES (?, ?)", [owner.pid, owner.command]);
      // Another process may be reading the owner, and a commit waits for readers.
      database.run(`PRAGMA busy_timeout=${READER_TIMEOUT}`);
      database.run("COMMIT");
      database.run("PRAGMA busy_timeout=0");
      // Another process may have taken the lock in between; then this throws.
      database.run("BEGIN IMMEDIATE");
      return new ProfileLock(database, isOwnerLeft);
    } catch (error) {
      const busy = errorCode(error).startsWith("SQLITE_BUSY");
      const holder = busy ? readOwner(database) : undefined;
      database.close();
      if (busy) throw new ProfileLockedError(holder);
      throw error;
    }
  }

  /** Releases the lock after a clean shutdown: the next holder has nothing to check. */
  release(): void {
    try {
      this.#database.run("DELETE FROM owner");
      this.#database.run(`PRAGMA busy_timeout=${READER_TIMEOUT}`);
      this.#database.run("COMMIT");
    } catch (error) {
      // If the owner stays in the file, the next start checks the profile: that is all.
      if (!isStorageFailure(error)) throw error;
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
    } finally {
      this.#database.close();
    }
  }

  /** Releases the lock and leaves the owner: the next holder checks the profile. */
  abandon(): void {
    this.#database.run("ROLLBACK");
    this.#database.close();
  }
}

function readOwner(database: Database): LockOwner | undefined {
  try {
    return database.query<LockOwner, []>("SELECT pid, command FROM owner").get() ?? undefined;
  } catch (error) {
    // The holder has just made the file, so the owner is not committed yet.
    if (errorCode(error).startsWith("SQLITE_")) return undefined;
    throw error;
  }
}
