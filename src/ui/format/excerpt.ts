/** Parts of a long message: the excerpt that a notice quotes, and the snippet that a search shows. */
import { visibleText } from "../../protocol/visible-text.ts";
import { folded, graphemes } from "./graphemes.ts";

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
  for (const { segment } of graphemes.segment(line)) {
    if (count === MAX_EXCERPT) return `${excerpt.trimEnd()}…`;
    excerpt += segment;
    count++;
  }
  return start.length < text.length || excerpt === "" ? `${excerpt}…` : excerpt;
}

/** Length of a snippet in code points, and how many of them precede the word. */
const SNIPPET = 300;
const BEFORE_WORD = 60;

/** The part of a message around the first of the searched words. @param words of the search; case and accents are ignored */
export function snippetOf(text: string, words: string): string {
  const points = [...text];
  if (points.length <= SNIPPET) return text;
  // For each UTF-16 unit of the folded text, the index of the code point that it comes from.
  const origins: number[] = [];
  let plain = "";
  points.forEach((point, index) => {
    const part = folded(point);
    plain += part;
    for (let unit = 0; unit < part.length; unit++) origins.push(index);
  });
  const [word = ""] = folded(words).match(/[\p{L}\p{N}]+/u) ?? [];
  const found = origins[Math.max(0, plain.indexOf(word))] ?? 0;
  const start = Math.max(0, Math.min(found - BEFORE_WORD, points.length - SNIPPET));
  const end = start + SNIPPET;
  return `${start > 0 ? "…" : ""}${points.slice(start, end).join("")}${end < points.length ? "…" : ""}`;
}
