/**
 * Another program may lock the database for a while, such as a tool with which the operator looks at it. If SQLite
 * waited for the lock inside a write, it would block the whole server. So a write to a locked database fails at once,
 * and its step, which has not changed anything yet, is retried a little later while other requests go on.
 */
import { Database } from "bun:sqlite";

import { errorCode } from "../../net/error-code.ts";

/** How long a step is retried while the database is locked, in ms; then it fails. */
export const RETRY_TIMEOUT = 3_000;
const RETRY_INTERVAL = 50;

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

/**
 * Runs a step that uses the database, and retries it while the database is locked and the client is connected.
 * @param step must not change, charge, count or record anything before it fails because of the lock.
 * @returns undefined if the client has disconnected.
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
