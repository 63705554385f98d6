/** The beginning of somebody's words, where a line of ours speaks of a message. */
import { visibleText } from "../../protocol/visible-text.ts";
import { graphemes } from "./graphemes.ts";

/** Graphemes of a message that are repeated in a line about it. */
const MAX_EXCERPT = 24;
/** UTF-16 units of a message that are looked at for them. */
const MAX_EXCERPT_SOURCE = 512;

/** The beginning of a text on one line, as it may be shown. */
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

/** As `excerptOf`, between quotation marks of ours: none of its own can end them. */
export function quotable(text: string): string {
  return excerptOf(text).replace(/[«»“”„‟"]/g, "'");
}
