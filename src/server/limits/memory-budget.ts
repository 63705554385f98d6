/**
 * A limit on the memory that all connections use together for unhandled requests and unsent answers. Each connection
 * has limits of its own, but a thousand connections that reach them would need too much.
 */

/** Bytes for all connections; beyond it the heaviest are dropped. */
const MAX_MEMORY = 128 * 1024 * 1024;

/** The connections to drop, heaviest first, so that the others hold at most `limit` bytes. */
export function overBudget<T extends { readonly heldBytes: number }>(
  connections: Iterable<T>,
  limit: number = MAX_MEMORY,
): T[] {
  const weighed = [...connections].map((connection) => ({ connection, bytes: connection.heldBytes }));
  let sum = weighed.reduce((total, { bytes }) => total + bytes, 0);
  if (sum <= limit) return [];
  weighed.sort((a, b) => b.bytes - a.bytes);
  const dropped: T[] = [];
  for (const { connection, bytes } of weighed) {
    if (sum <= limit) break;
    dropped.push(connection);
    sum -= bytes;
  }
  return dropped;
}
