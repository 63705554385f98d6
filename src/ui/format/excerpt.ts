/** Parts of a long message: the excerpt that a notice quotes, and the snippet that a search shows. */
import { folded, FOLDED_WORD, wordsOf } from "../../protocol/normal-form.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { graphemesOf } from "./graphemes.ts";

/** Length of an excerpt in graphemes. */
const MAX_EXCERPT = 24;
/** UTF-16 units of the message that are read for it. */
const MAX_EXCERPT_SOURCE = 512;

/** The beginning of a text as visible text on one line. */
export function excerptOf(text: string): string {
  const start = text.slice(0, MAX_EXCERPT_SOURCE);
  const line = visibleText(start.replace(/\s+/g, " ").trim());
  let excerpt = "";
  let count = 0;
  for (const { segment } of graphemesOf(line)) {
    if (count === MAX_EXCERPT) return `${excerpt.trimEnd()}…`;
    excerpt += segment;
    count++;
  }
  return start.length < text.length || excerpt === "" ? `${excerpt}…` : excerpt;
}

/** Length of a snippet in code points, and how many of them precede the word. */
const SNIPPET = 300;
const BEFORE_WORD = 60;

/**
 * The part of a message around the first of the searched words, which are compared as the search compares them.
 * @param length code points at most @param before how many of them precede the word
 */
export function snippetOf(text: string, words: string, length = SNIPPET, before = BEFORE_WORD): string {
  const points = [...text];
  if (points.length <= length) return text;
  const found = placeOf(text, words);
  const start = Math.max(0, Math.min(found - before, points.length - length));
  const end = start + length;
  return `${start > 0 ? "…" : ""}${points.slice(start, end).join("")}${end < points.length ? "…" : ""}`;
}

/** The code point of `text` at which the first of the typed words begins; 0: it does not occur. */
function placeOf(text: string, typed: string): number {
  const wanted = typed
    .split(/[\s\p{Cc}]+/u)
    .map(wordsOf)
    .find((phrase) => phrase.length > 0);
  if (wanted === undefined) return 0;
  // For each UTF-16 unit of the folded text, the code point of the grapheme that it comes from.
  const origins: number[] = [];
  let plain = "";
  let point = 0;
  for (const { segment } of graphemesOf(text)) {
    const part = folded(segment);
    plain += part;
    for (let unit = 0; unit < part.length; unit++) origins.push(point);
    point += [...segment].length;
  }
  const found = [...plain.matchAll(FOLDED_WORD)];
  const match = found.find((_, index) => wanted.every((word, next) => found[index + next]?.[0] === word));
  return match === undefined ? 0 : (origins[match.index] ?? 0);
}
