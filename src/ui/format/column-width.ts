/**
 * The width of a text on a terminal. Terminals disagree about vowel signs, joined emoji, Korean letters, and
 * characters newer than their Unicode version. A text that must not pass the right edge is measured as the widest
 * terminal draws it: one that joins nothing and draws each code point by itself.
 */

/**
 * Characters that take two columns on some terminal in common use: those that East Asian fonts draw wide (in the
 * ranges of the Linux console, which are the widest), and pictographs that some terminals draw as text.
 */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

/**
 * Characters of the same width on every terminal, except those set to draw accented letters as wide as Han
 * characters: Latin letters without separate accents, the marks of our own lines, kana, Han characters and Korean
 * syllables.
 */
const PLAIN =
  /^[\x20-\x7e\xa1-\xa8\xaa-\xac\xaf-\u02ff\u1e00-\u1eff\u2010-\u2015\u2018-\u201f\u2026\u2713\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3]*$/;

/** The most columns of one code point: at least one, and at least two outside the first plane. */
function mostColumnsOfPoint(point: string): number {
  if (point >= " " && point <= "~") return 1;
  return Math.max(point.length, WIDE.test(point) ? 2 : 1, Bun.stringWidth(point));
}

/**
 * The most columns that a text takes on any terminal.
 * @param text visible text without escape sequences and line feeds
 */
export function mostColumns(text: string): number {
  let columns = 0;
  for (const point of text) columns += mostColumnsOfPoint(point);
  return columns;
}

/** Whether a text takes exactly `mostColumns` columns on every terminal. @param text as in `mostColumns` */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}
