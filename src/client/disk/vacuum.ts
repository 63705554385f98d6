/**
 * Rewrites a profile's database: it loses its unused pages, and every trace of deleted texts. From then on it can give
 * back unused pages one by one.
 */
import type { Database } from "bun:sqlite";
import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { errorCode } from "../../net/error-code.ts";
import { emptyLog, pragma, withoutWaiting } from "./sqlite.ts";

/** How many times its size the disk must have free: a copy and the write-ahead log are made, and other programs write too. */
const FREE = 3;
const INCREMENTAL = 2;
/** Size up to which a file is rewritten after any deletion, in bytes: that takes about half a second. */
const QUICK = 48 * 1024 * 1024;
/** Deletions after which a larger one is rewritten. */
const MANY = 1_000;

/** Whether the file can give back unused pages: an earlier program's cannot before it is rewritten. */
export function canShrink(database: Database): boolean {
  return pragma(database, "auto_vacuum") === INCREMENTAL;
}

/**
 * Whether the file should be rewritten before it is used: an earlier program's cannot get smaller otherwise, and
 * deleted texts have left traces. Not if the disk has too little room.
 * @throws SQLiteError and system errors
 */
export function needsRewriting(database: Database): boolean {
  const { filename } = database;
  const { size } = statSync(filename);
  const { bavail, bsize } = statfsSync(dirname(filename));
  if (bavail * bsize < FREE * size) return false;
  if (!canShrink(database)) return true;
  const row = database.query<{ count: number }, []>("SELECT deletions - rewritten AS count FROM wipes").get();
  return (row?.count ?? 0) >= (size <= QUICK ? 1 : MANY);
}

/**
 * Rewrites the file, unless another process is writing or the disk has no room; then nothing is changed. 100 MiB take
 * about a second, in which other processes can read but not write.
 * @throws SQLiteError when the disk fails
 */
export function rewrite(database: Database): void {
  // The copy holds readable messages, so it is not made in the system's folder for temporary files.
  database.run(`PRAGMA temp_store_directory='${dirname(database.filename).replaceAll("'", "''")}'`);
  const deletions = database
    .query<{ count: number }, []>("SELECT deletions AS count FROM wipes")
    .get()?.count;
  try {
    withoutWaiting(database, () => {
      if (!canShrink(database)) database.run("PRAGMA auto_vacuum=INCREMENTAL");
      database.run("VACUUM");
      database.run("UPDATE wipes SET rewritten = ?", [deletions ?? 0]);
      emptyLog(database);
    });
  } catch (error) {
    if (errorCode(error) !== "SQLITE_FULL") throw error;
  } finally {
    database.run("PRAGMA temp_store_directory=''");
  }
}
