/**
 * The descriptors of this process. When none is left, files cannot be opened, and a listener cannot accept a waiting
 * connection, wakes up for it again and again, and uses a whole core. So connections never get the last few: a
 * connection beyond the limit is accepted and closed, which frees its descriptor at once.
 */

/** Descriptors kept for files: the database and what SQLite puts beside it, logs, a backup. */
const RESERVED = 32;
/** At most this share of a low limit is kept. */
const MOST_RESERVED = 1 / 4;

/** Descriptors that this process may have open at once; Infinity if the system does not report it. */
export function descriptorLimit(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Infinity;
}

/** Descriptors that connections may have, of `limit` that the process may have. */
export function descriptorsForConnections(limit: number): number {
  return limit - Math.min(RESERVED, Math.floor(limit * MOST_RESERVED));
}
