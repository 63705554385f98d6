/** What a search shows of a long message: the passage in which its first word was found. */
import { folded } from "../prompts/choice-search.ts";

/** Characters that are shown, and how many of them stand before the word. */
const LENGTH = 300;
const BEFORE = 60;

/** @param words as they were searched for; case and accents do not matter */
export function passageOf(text: string, words: string): string {
  const points = [...text];
  if (points.length <= LENGTH) return text;
  // Where each character of the folded text comes from.
  const origins: number[] = [];
  let plain = "";
  points.forEach((point, index) => {
    const part = folded(point);
    plain += part;
    for (let unit = 0; unit < part.length; unit++) origins.push(index);
  });
  const [word = ""] = folded(words).match(/[\p{L}\p{N}]+/u) ?? [];
  const found = origins[Math.max(0, plain.indexOf(word))] ?? 0;
  const start = Math.max(0, Math.min(found - BEFORE, points.length - LENGTH));
  const end = start + LENGTH;
  return `${start > 0 ? "…" : ""}${points.slice(start, end).join("")}${end < points.length ? "…" : ""}`;
}
