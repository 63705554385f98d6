/**
 * Another program may hold the database's lock for a while: an operator who looks at it with a tool of their own. If
 * SQLite waited for it inside a write, everybody would wait with it, and whoever is online would seem dead. So a write
 * that finds the database locked fails at once, and its step, which has changed nothing yet, is tried again a little
 * later, while all other requests go on.
 */
import { Database } from "bun:sqlite";

import { errorCode } from "../../net/error-code.ts";

/** How long a step is tried again while the database is locked, in ms; then it fails. */
export const RETRY_TIMEOUT = 3_000;
const RETRY_INTERVAL = 50;

/** Whether an error says that another program has the lock. */
export function isLocked(error: unknown): boolean {
  return errorCode(error).startsWith("SQLITE_BUSY");
}

/** A database that is there already; a statement waits `wait` ms for another program's lock. */
export class ExistingDatabase extends Database {
  constructor(path: string, wait: number) {
    super(path, { create: false, readwrite: true, strict: true });
    setBlockingWait(this, wait);
  }
}

/** How long a statement itself waits for the lock, in ms, and everybody with it. */
export function setBlockingWait(database: Database, wait: number): void {
  database.run(`PRAGMA busy_timeout = ${wait}`);
}

/**
 * Does a step that uses the database, in one piece, and again while the database is locked. Nothing is done for
 * somebody who is no longer there.
 * @param step must change nothing before it throws that the database is locked.
 * @returns undefined when nobody waits for it any more.
 */
export async function retryWhileLocked<T>(
  client: { readonly isAlive: boolean },
  step: () => T,
): Promise<T | undefined> {
  const end = performance.now() + RETRY_TIMEOUT;
  while (client.isAlive) {
    try {
      return step();
    } catch (error) {
      if (!isLocked(error) || performance.now() >= end) throw error;
    }
    await Bun.sleep(RETRY_INTERVAL);
  }
  return undefined;
}
