/** Splits texts into user-perceived characters. */
export const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text without its last grapheme. */
export function withoutLastGrapheme(text: string): string {
  return [...graphemes.segment(text)]
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join("");
}
