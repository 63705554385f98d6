/**
 * What all connections together make the server hold: bytes that were read and not worked on yet, and answers
 * that nobody takes. Each has its own bounds; a thousand that use them up would be too much all the same.
 */

/** Bytes held for all connections; past it the heaviest are dropped. */
export const MAX_HELD = 128 * 1024 * 1024;

/** Those to be dropped, heaviest first, so that the others hold no more than `limit` bytes. */
export function tooHeavy<T extends { readonly heldBytes: number }>(
  holders: Iterable<T>,
  limit: number = MAX_HELD,
): T[] {
  const weighed = [...holders].map((holder) => ({ holder, bytes: holder.heldBytes }));
  let held = weighed.reduce((sum, { bytes }) => sum + bytes, 0);
  if (held <= limit) return [];
  weighed.sort((a, b) => b.bytes - a.bytes);
  const dropped: T[] = [];
  for (const { holder, bytes } of weighed) {
    if (held <= limit) break;
    dropped.push(holder);
    held -= bytes;
  }
  return dropped;
}
