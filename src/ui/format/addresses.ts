/**
 * Finds addresses (`scheme://…`) in visible text. An address has no spaces and nothing that looks like one, and no sign
 * with which a line of ours begins: its end can stand at column 1, where the terminal puts it, and look like no line.
 */

/** The characters of RFC 3986 and the letters, marks and digits of all scripts. Bounded, so that no text takes long. */
const ADDRESS = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}:\/\/[\p{L}\p{M}\p{N}\-._~:/?#[\]@!$&'()*+,;=%]+/giu;

/** The addresses of a text in order, each with what stands right behind it without a space, a full stop for example. */
export function addressesIn(text: string): { readonly index: number; readonly address: string }[] {
  // Most texts have none.
  if (!text.includes("://")) return [];
  return Array.from(text.matchAll(ADDRESS), ({ 0: address, index }) => ({ index, address }));
}
