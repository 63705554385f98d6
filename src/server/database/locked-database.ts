/**
 * Another program may hold the database's lock for a while: an operator who looks at it with a tool of his
 * own. SQLite would wait for it inside a write, and with it everybody: whoever is online would seem dead.
 * So a write that finds it locked fails at once, and its request, nothing of which is done yet, is begun
 * again a little later, while all others go on.
 */
import type { Database } from "bun:sqlite";

/** How long a request waits for the lock, in ms; then it is `server_busy`. */
export const LOCK_PATIENCE = 3_000;
const RETRY_INTERVAL = 50;

/** Whether an error says that another program has the lock. */
export function isLocked(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code).startsWith("SQLITE_BUSY");
}

/** How long a statement itself waits for the lock, in ms, and everybody with it. */
export function setBlockingWait(database: Database, wait: number): void {
  database.run(`PRAGMA busy_timeout = ${wait}`);
}

export type Patience = {
  /** Whether anyone still waits for it; else it is not begun again. */
  isWanted(): boolean;
  failed(error: unknown): void;
};

/**
 * Does `step` now, and again for a while as long as it throws that the database is locked. What it threw so
 * must have been thrown before it changed anything.
 */
export function withPatience(step: () => void, { isWanted, failed }: Patience): void {
  const end = performance.now() + LOCK_PATIENCE;
  const attempt = () => {
    try {
      step();
    } catch (error) {
      if (!isLocked(error) || performance.now() >= end) failed(error);
      else setTimeout(() => isWanted() && attempt(), RETRY_INTERVAL);
    }
  };
  attempt();
}
