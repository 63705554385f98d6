/**
 * A database whose file can be copied byte by byte: nobody writes to it, and its write-ahead log is empty, so the file alone
 * is the database. Whoever copies it must close its descriptor after the database: before, that would release the locks of
 * this process.
 */
import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";

import { emptyLog } from "./sqlite.ts";

/** How long other processes may go on reading older states, in ms; pause between two attempts. */
const PATIENCE = 5_000;
const PAUSE = 20;

/**
 * Runs `work` while the file stands still; other processes can read. What `work` then writes by this connection is committed
 * after it, or undone if it throws.
 * @throws SQLiteError, and what `work` throws
 */
export async function whileStill<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await begin(database);
  try {
    const result = await work();
    database.run("COMMIT");
    return result;
  } finally {
    if (database.inTransaction) database.run("ROLLBACK");
  }
}

async function begin(database: Database): Promise<void> {
  for (const end = performance.now() + PATIENCE; ; await Bun.sleep(PAUSE)) {
    emptyLog(database);
    database.run("BEGIN IMMEDIATE");
    // Another process may have written in between.
    if ((statSync(`${database.filename}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
    database.run("ROLLBACK");
    if (performance.now() >= end)
      throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  }
}
