/** Splits texts into user-perceived characters. */
let segmenter: Intl.Segmenter | undefined;

export function graphemesOf(text: string): Intl.Segments {
  // Made at its first use: that takes some ten milliseconds, and most commands need none.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** The text without its last grapheme. */
export function withoutLastGrapheme(text: string): string {
  return [...graphemesOf(text)]
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join("");
}
