/**
 * Remote text on a terminal: no row of it may begin at column 1, where our own lines begin, not even one that
 * the terminal would begin by itself at its right edge.
 */
import { mostColumns } from "./column-width.ts";
import { graphemes } from "./graphemes.ts";

const INDENT = "    ";
/** A terminal narrower than this is written as if it were this wide. */
const MIN_COLUMNS = 12;

/** The parts that are never broken: graphemes, but for those that would fill a row, which no script has. */
function* piecesOf(line: string, columns: number): Generator<string> {
  for (const { segment } of graphemes.segment(line)) {
    if (mostColumns(segment) <= columns - INDENT.length) yield segment;
    else yield* segment;
  }
}

/** One line as rows of at most `columns`, broken behind a space where there is one in the row's second half. */
function rowsOf(line: string, columns: number, indented: boolean): string[] {
  const rows: string[] = [];
  let row = indented ? INDENT : "";
  let start = row.length;
  let width = row.length;
  // Where the row may be broken: behind its last space.
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
 * Text as a person reads it; the lines after the first are indented by four.
 * @param text made visible before; its line feeds are lines.
 * @param columns of the terminal, whose width no line exceeds on any terminal; undefined: lines stay as long as they are.
 */
export function wrapped(text: string, columns: number | undefined): string {
  if (columns === undefined) return text.replaceAll("\n", `\n${INDENT}`);
  const width = Math.max(columns, MIN_COLUMNS);
  return text
    .split("\n")
    .flatMap((line, index) => rowsOf(line, width, index > 0))
    .join("\n");
}
