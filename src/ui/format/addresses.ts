/**
 * Finds addresses (`scheme://…`) in visible text, and makes them links. An address has no spaces and nothing that looks
 * like one, and no sign with which a line of ours begins: its end can stand at column 1, where the terminal puts it,
 * and look like no line.
 */

/** The characters of RFC 3986 and the letters, marks and digits of all scripts. Bounded, so that no text takes long. */
const ADDRESS = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}:\/\/[\p{L}\p{M}\p{N}\-._~:/?#[\]@!$&'()*+,;=%]+/giu;

/**
 * What may become a link: an address that a browser opens, and that has only the characters that a link may have.
 * Other schemes would start other programs of this machine with what somebody else wrote.
 */
const LINKABLE = /^https?:\/\/[a-z0-9[][!-~]*$/i;
/** Longest address that all terminals take as a link. */
const MAX_LINK = 2_083;
/** Signs at the end of an address that belong to the sentence around it. */
const SENTENCE_END = /[.,;:!?']$/;

/** The addresses of a text in order, each with what stands right behind it without a space, a full stop for example. */
export function addressesIn(text: string): { readonly index: number; readonly address: string }[] {
  // Most texts have none.
  if (!text.includes("://")) return [];
  return Array.from(text.matchAll(ADDRESS), ({ 0: address, index }) => ({ index, address }));
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

/** An address without what the sentence around it put behind it: «(see https://example.org).» */
function withoutEnd(address: string): string {
  let end = address;
  let closing = count(end, ")") - count(end, "(");
  while (SENTENCE_END.test(end) || (closing > 0 && end.endsWith(")"))) {
    if (end.endsWith(")")) closing--;
    end = end.slice(0, -1);
  }
  // The bracket of an IPv6 address is its own.
  return end.endsWith("]") && !end.includes("[") ? end.slice(0, -1) : end;
}

/**
 * Makes each address of the web a link (OSC 8) to exactly what is shown.
 * @param shown visible text in rows, in which no address is broken
 */
export function withLinks(shown: string): string {
  let linked = "";
  let from = 0;
  for (const { index, address } of addressesIn(shown)) {
    // An address that an excerpt has cut off leads elsewhere.
    const isCut = shown[index + address.length] === "…" || shown[index - 1] === "…";
    if (isCut || address.length > MAX_LINK || !LINKABLE.test(address)) continue;
    const target = withoutEnd(address);
    linked += `${shown.slice(from, index)}\x1b]8;;${target}\x1b\\${target}\x1b]8;;\x1b\\`;
    from = index + target.length;
  }
  return linked + shown.slice(from);
}
