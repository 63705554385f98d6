/**
 * Breaks text into rows. Remote text must never start at column 1, where our own lines start, so rows are broken here
 * before a terminal would wrap them at its right edge.
 */
import { isPlain, mostColumns } from "./column-width.ts";
import { graphemesOf } from "./graphemes.ts";

const INDENT = "    ";
/** A narrower terminal is treated as this wide. */
const MIN_COLUMNS = INDENT.length + 2;
/** Most UTF-16 units of texts that should be broken into rows in one turn of the event loop: they take up to 200 ms. */
export const MAX_UNITS_AT_ONCE = 256 * 1024;

/** The parts that are never broken: graphemes. One that would fill a whole row, which no script has, is split. */
function* piecesOf(line: string, columns: number): Generator<string> {
  // Each plain character is a grapheme; to find the graphemes of 32 KiB takes tens of milliseconds.
  if (isPlain(line)) return yield* line;
  for (const { segment } of graphemesOf(line)) {
    if (mostColumns(segment) <= columns - INDENT.length) yield segment;
    else yield* segment;
  }
}

/** One line as rows of at most `columns`, broken after the last space if that is in the second half of the row. */
function rowsOf(line: string, columns: number, indented: boolean): string[] {
  const begin = indented ? INDENT : "";
  const room = columns - begin.length;
  // No code point has more units than columns.
  if (line.length <= room && mostColumns(line) <= room) return [begin + line];
  const rows: string[] = [];
  let row = begin;
  let start = row.length;
  let width = row.length;
  // Where the row may be broken: after its last space.
  let space = 0;
  let widthAtSpace = 0;
  for (const piece of piecesOf(line, columns)) {
    const more = mostColumns(piece);
    if (width + more > columns && row.length > start) {
      const fits = INDENT.length + width - widthAtSpace + more <= columns;
      const atSpace = widthAtSpace * 2 > columns && piece !== " " && fits;
      const rest = atSpace ? row.slice(space) : "";
      rows.push(atSpace ? row.slice(0, space) : row);
      width = INDENT.length + (atSpace ? width - widthAtSpace : 0);
      row = INDENT + rest;
      start = INDENT.length;
      space = widthAtSpace = 0;
    }
    row += piece;
    width += more;
    if (piece === " ") {
      space = row.length;
      widthAtSpace = width;
    }
  }
  rows.push(row);
  return rows;
}

/**
 * Breaks a text into rows; all rows after the first are indented by four.
 * @param text visible text; it may contain line feeds
 * @param columns width of the terminal, which no row exceeds on any terminal; undefined: lines are only indented
 */
export function wrapped(text: string, columns: number | undefined): string {
  if (columns === undefined) return text.replaceAll("\n", `\n${INDENT}`);
  const width = Math.max(columns, MIN_COLUMNS);
  return text
    .split("\n")
    .flatMap((line, index) => rowsOf(line, width, index > 0))
    .join("\n");
}
