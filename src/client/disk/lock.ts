/**
 * One process has an account online on this machine. It has written its pid and command into `lock.db`
 * and holds a write transaction there to its end; `kill -9` frees it, and others can still read who
 * holds it.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, rmSync } from "node:fs";

import { lockFile } from "./folders.ts";
import { isDamage, isStorageFailure } from "./sqlite.ts";

/** How long taking the lock waits for those who read its owner, in ms. */
const READER_PATIENCE = 1_000;

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
  // A Database without a reference is closed by the collector, and its locks end.
  readonly #database: Database;
  /** Whether the process that had the account online last did not end well. */
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
      // Nobody can hold a lock in a file that is no database, and nothing else is in it.
      rmSync(lockFile(folder));
      return ProfileLock.#acquire(folder, owner);
    }
  }

  static #acquire(folder: string, owner: LockOwner): ProfileLock {
    const file = lockFile(folder);
    // As in `openStore`: opening and closing would end this process's own locks.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    const database = new Database(file, { create: true, strict: true });
    try {
      database.run("PRAGMA busy_timeout=0");
      database.run("BEGIN IMMEDIATE");
      database.run("CREATE TABLE IF NOT EXISTS owner (pid INTEGER NOT NULL, command TEXT NOT NULL)");
      const isOwnerLeft = database.query("SELECT 1 FROM owner").get() !== null;
      database.run("DELETE FROM owner");
      database.run("INSERT INTO owner VALUES (?, ?)", [owner.pid, owner.command]);
      // Whoever is refused at this moment reads who holds the lock, and a commit waits for readers.
      database.run(`PRAGMA busy_timeout=${READER_PATIENCE}`);
      database.run("COMMIT");
      database.run("PRAGMA busy_timeout=0");
      // Whoever slips in between has the lock, and this process says so.
      database.run("BEGIN IMMEDIATE");
      return new ProfileLock(database, isOwnerLeft);
    } catch (error) {
      const busy = (error as { code?: string }).code?.startsWith("SQLITE_BUSY") === true;
      const holder = busy ? readOwner(database) : undefined;
      database.close();
      if (busy) throw new ProfileLockedError(holder);
      throw error;
    }
  }

  /** Frees the account after a good end: the next one has nothing to check. */
  release(): void {
    try {
      this.#database.run("DELETE FROM owner");
      this.#database.run(`PRAGMA busy_timeout=${READER_PATIENCE}`);
      this.#database.run("COMMIT");
    } catch (error) {
      // A line that stays costs the next start a check, and nothing else.
      if (!isStorageFailure(error)) throw error;
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
    } finally {
      this.#database.close();
    }
  }

  /** Frees the account, and lets the next one find an unclean end. */
  abandon(): void {
    this.#database.run("ROLLBACK");
    this.#database.close();
  }
}

function readOwner(database: Database): LockOwner | undefined {
  try {
    return database.query<LockOwner, []>("SELECT pid, command FROM owner").get() ?? undefined;
  } catch (error) {
    // The holder is between its first lines: there is a lock, and its name is not readable yet.
    if ((error as { code?: string }).code?.startsWith("SQLITE_") === true) return undefined;
    throw error;
  }
}
