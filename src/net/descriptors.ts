/**
 * The descriptors of this process. When none is left, a listener cannot accept the connection that waits, wakes
 * up for it again and again, and uses a whole core; and files cannot be opened. So connections never get the
 * last few: one connection too many is accepted and ended, which frees its descriptor at once.
 */

/** Descriptors kept for files: the database and what SQLite puts beside it, logs, a backup. */
const RESERVED = 32;
/** At most this share is kept where the limit is low. */
const MOST_RESERVED = 1 / 4;

/** Descriptors that this process may have open at once; Infinity where the system does not say. */
export function descriptorLimit(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Infinity;
}

/** Descriptors that connections may have, of `limit` that the process may have. */
export function descriptorsForConnections(limit: number): number {
  return limit - Math.min(RESERVED, Math.floor(limit * MOST_RESERVED));
}
