/** Characters as a person counts them, each deleted by one Backspace; and texts as a person compares them. */
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
