/**
 * Where the edited line stands on the screen, and the shortest output that turns one drawing into the next. We
 * end each row before any terminal could wrap it, so all terminals agree about rows. Columns are counted only in
 * characters that are equally wide on every terminal; in a row with others the cursor gets to its place by
 * writing again what stands before it.
 */
import { visibleText } from "../../protocol/visible-text.ts";
import { isPlain, mostColumns } from "../format/column-width.ts";
import { graphemes } from "../format/graphemes.ts";

export type Size = { readonly columns: number; readonly rows: number };

/** A row of the drawing, from 0, and how many of its units stand before the place. */
export type Place = { readonly row: number; readonly units: number };

export type Frame = {
  /** Each row as its units, mostly a character each and none empty; the prompt is the first one. */
  readonly rows: readonly (readonly string[])[];
  readonly cursor: Place;
};

const START: Place = { row: 0, units: 0 };

/** Nothing is drawn, and the cursor stands at the beginning of a free row. */
export const BLANK_FRAME: Frame = { rows: [[]], cursor: START };

/** Columns that are left for the text, at least: a longer prompt is replaced by the short one. */
const MIN_TEXT_COLUMNS = 8;
const SHORT_PROMPT = "> ";

const COMBINING = /^\p{M}/u;

/**
 * The prompt and the text in rows; of a line that would fill more than half the screen, the rows up to the cursor.
 * `cursor`: UTF-16 units of the text before it. Needs at least two columns.
 */
export function frameOf(prompt: string, text: string, cursor: number, size: Size): Frame {
  const promptColumns = mostColumns(Bun.stripANSI(prompt));
  const fits = promptColumns <= size.columns - MIN_TEXT_COLUMNS;
  let row = [fits ? prompt : SHORT_PROMPT];
  let column = fits ? promptColumns : SHORT_PROMPT.length;
  const rows: string[][] = [row];
  let place: Place = START;
  for (const { segment, index } of graphemes.segment(text)) {
    const shown = visibleText(segment);
    const whole = mostColumns(shown);
    const isBroken = whole > size.columns;
    for (const [part, unit] of (isBroken ? [...shown] : [shown]).entries()) {
      const width = isBroken ? mostColumns(unit) : whole;
      if (column + width > size.columns) {
        row = [];
        rows.push(row);
        column = 0;
      }
      if (part === 0 && index <= cursor) place = { row: rows.length - 1, units: row.length };
      if (unit !== "") row.push(unit);
      column += width;
    }
  }
  if (cursor >= text.length) {
    // The cursor cannot stand after the last column.
    if (column >= size.columns) {
      row = [];
      rows.push(row);
    }
    place = { row: rows.length - 1, units: row.length };
  }
  const most = Math.max(1, Math.floor(size.rows / 2));
  const first = Math.max(0, place.row - most + 1);
  return { rows: rows.slice(first, first + most), cursor: { row: place.row - first, units: place.units } };
}

/** To a place in `row`, which is how the row it leads to stands on the screen, at least up to there. */
function move(from: Place, to: Place, row: readonly string[]): string {
  if (from.row === to.row && from.units === to.units) return "";
  const rows = to.row - from.row;
  const vertical = rows === 0 ? "" : `\x1b[${Math.abs(rows)}${rows < 0 ? "A" : "B"}`;
  const before = row.slice(0, to.units).join("");
  const plain = Bun.stripANSI(before);
  if (!isPlain(plain)) return `${vertical}\r${before}`;
  const columns = mostColumns(plain);
  return `${vertical}\r${columns > 0 ? `\x1b[${columns}C` : ""}`;
}

/** Takes the line off the screen; the cursor then stands at the beginning of its first row. */
export function erased({ rows, cursor }: Frame): string {
  const isBlank = rows.every((row) => row.length === 0);
  return isBlank ? "" : `${move(cursor, START, [])}\x1b[J`;
}

/** Leaves the line where it is, and moves to the beginning of the next row. */
export function passed({ rows, cursor }: Frame): string {
  return `${move(cursor, { row: rows.length - 1, units: 0 }, [])}\r\n`;
}

/** Turns one drawing of the line into the other. */
export function redrawn(from: Frame, to: Frame): string {
  let row = 0;
  while (row < to.rows.length - 1 && row < from.rows.length - 1 && isSame(from.rows[row], to.rows[row]))
    row++;
  const [old = [], next = []] = [from.rows[row], to.rows[row]];
  let kept = 0;
  while (kept < next.length && kept < old.length && next[kept] === old[kept]) kept++;
  // A combining mark has joined what is before it.
  if (kept > 0 && (COMBINING.test(old[kept] ?? "") || COMBINING.test(next[kept] ?? ""))) kept--;
  const cursorRow = to.rows[to.cursor.row] ?? [];
  const isLonger = old.length > kept || from.rows.length > row + 1;
  if (!isLonger && row === to.rows.length - 1 && kept === next.length)
    return move(from.cursor, to.cursor, cursorRow);
  // After a full row the cursor still stands in its last column, so erasing would take that character.
  if (isLonger && kept > 0 && kept === next.length) kept--;
  const rest = [next.slice(kept), ...to.rows.slice(row + 1)].map((units) => units.join(""));
  const begin = move(from.cursor, { row, units: kept }, next);
  const written = { row: to.rows.length - 1, units: to.rows.at(-1)?.length ?? 0 };
  const end = move(written, to.cursor, cursorRow);
  return `${begin}${isLonger ? "\x1b[J" : ""}${rest.join("\r\n")}${end}`;
}

function isSame(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.length === other.length && one.every((unit, index) => unit === other[index]);
}

/**
 * The drawing as the terminal shows it after its width changed: it breaks rows that no longer fit. Where it broke
 * them is a guess by the usual widths: too few rows leave a row of the line on the screen, too many would erase
 * what was printed above it.
 */
export function reflowed({ rows, cursor }: Frame, columns: number): Frame {
  const broken: string[][] = [];
  let place: Place = START;
  for (const [index, units] of rows.entries()) {
    let row: string[] = [];
    broken.push(row);
    let column = 0;
    if (index === cursor.row) place = { row: broken.length - 1, units: 0 };
    for (const [number, unit] of units.entries())
      for (const { segment } of graphemes.segment(Bun.stripANSI(unit))) {
        const width = Bun.stringWidth(segment);
        if (column + width > columns) {
          row = [];
          broken.push(row);
          column = 0;
        }
        row.push(segment);
        column += width;
        if (index === cursor.row && number < cursor.units)
          place = { row: broken.length - 1, units: row.length };
      }
  }
  return { rows: broken, cursor: place };
}
