/**
 * The write-ahead log of a profile's database, and when its commits are on the disk.
 *
 * `openStore` sets `synchronous=FULL`: a commit returns when it is on the disk. A commit in `lightly` returns when it is in
 * the log, and `sync` writes the log to the disk without keeping the event loop waiting. That is sound:
 *
 * 1. kill -9 loses nothing: the log is in the system's memory, where the next process finds it.
 * 2. A power cut loses only the last commits: SQLite reads the log up to the first frame whose checksum, which continues
 *    that of the frame before, is wrong. A sync writes every frame that was in the file when it began, those of other
 *    connections and processes too, and so does each FULL commit. So what is on the disk is never behind a gap.
 * 3. A checkpoint syncs the log, copies it into the database, and syncs that; only then is the log written from its start
 *    again, behind a new header, which is synced before the first frame. A commit that was copied is on the disk by way of
 *    the database, and later ones are in the same file. So one sync is enough at any time.
 * 4. That file stays the same one while a connection of this process is open: only the last connection deletes it, and
 *    TRUNCATE and VACUUM keep it. It carries no locks, so that a descriptor beside SQLite's own may be closed.
 *
 * On other systems than Linux `lightly` changes nothing: on macOS `fdatasync` does not reach the disk.
 */
import type { Database } from "bun:sqlite";
import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";

import { errorCode } from "../../net/error-code.ts";
import { pragma } from "./sqlite.ts";

const SYNCS_LATER = process.platform === "linux";

/** The log could not be written to the disk; `code` is SQLite's for that. */
export class SyncError extends Error {
  readonly code = "SQLITE_IOERR_FSYNC";

  constructor(cause: unknown) {
    super("the write-ahead log could not be synced", { cause });
  }
}

/** Whether what was written may never come to the disk, although later syncs succeed: Linux reports that only once. */
export function isSyncFailure(error: unknown): boolean {
  return /^SQLITE_IOERR_(?:DIR_)?FSYNC/.test(errorCode(error));
}

/**
 * Runs what makes one commit, which is in the log then, and on the disk after the next sync. Within another transaction
 * it is on the disk when that is.
 */
export function lightly<T>(database: Database, commit: () => T): T {
  if (!SYNCS_LATER || database.inTransaction) return commit();
  database.run("PRAGMA synchronous=NORMAL");
  try {
    return commit();
  } finally {
    database.run("PRAGMA synchronous=FULL");
  }
}

/** What writes light commits to the disk. */
export interface CommitLog {
  /** Everything that was committed before comes to the disk. @param done is called then, or with why not */
  sync(done: (error: Error | null) => void): void;
  /** As `sync`, at once. @throws system errors */
  syncNow(): void;
}

export class WriteAheadLog implements CommitLog {
  /** Undefined: every commit returns when it is on the disk. */
  readonly #descriptor: number | undefined;

  /**
   * To be made before the first light commit: that something could not be written is told to who has the file open.
   * @param database open in WAL mode, and for as long as this log
   * @throws system errors
   */
  constructor(database: Database) {
    if (!SYNCS_LATER) return;
    const file = `${database.filename}-wal`;
    // SQLite opens it, or makes it, with the first read.
    pragma(database, "schema_version");
    this.#descriptor = openSync(file, "r");
    // It may be new, and SQLite syncs its name only by the connection that has made it.
    const folder = openSync(dirname(file), "r");
    fsyncSync(folder);
    closeSync(folder);
  }

  sync(done: (error: Error | null) => void): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) done(null);
    // What this turn of the event loop writes to a line goes first: to wake another thread takes as long as to send it.
    else queueMicrotask(() => fdatasync(descriptor, done));
  }

  syncNow(): void {
    if (this.#descriptor !== undefined) fdatasyncSync(this.#descriptor);
  }

  /** No sync may be under way. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}
