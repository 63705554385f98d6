/** A database file that another program may have locked. */
import { Database } from "bun:sqlite";

import { errorCode } from "../../net/error-code.ts";

/** Whether an error says that another program has the lock. */
export function isLocked(error: unknown): boolean {
  return errorCode(error).startsWith("SQLITE_BUSY");
}

/** A database that exists already. A statement waits `wait` ms for the lock of another program. */
export class ExistingDatabase extends Database {
  constructor(path: string, wait: number) {
    super(path, { create: false, readwrite: true, strict: true });
    setBlockingWait(this, wait);
  }
}

/** Sets how long a statement waits for the lock, in ms, which blocks the whole process. */
export function setBlockingWait(database: Database, wait: number): void {
  database.run(`PRAGMA busy_timeout = ${wait}`);
}
