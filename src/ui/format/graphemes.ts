/** Splits texts into user-perceived characters, and folds texts for comparison. */
import { normalForm } from "../../protocol/normal-form.ts";

export const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text without its last grapheme. */
export function withoutLastGrapheme(text: string): string {
  return [...graphemes.segment(text)]
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join("");
}

/** A text without case and accents, for comparison. */
export function folded(text: string): string {
  return normalForm(text, "NFD").replace(/\p{M}/gu, "").toLowerCase();
}
