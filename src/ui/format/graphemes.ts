/** Characters as a person counts them: what one Backspace takes away. */
export const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text without its last character. */
export function withoutLastGrapheme(text: string): string {
  return [...graphemes.segment(text)]
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join("");
}

/** A text for comparing it with what was typed: without case and accents. */
export function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
