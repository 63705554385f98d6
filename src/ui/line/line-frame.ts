/**
 * Lays out the edited line in rows, and computes the shortest output that turns one drawing into the next. Each row
 * ends before any terminal would wrap it, so all terminals agree about rows. Columns are counted only in characters
 * of the same width on every terminal; in a row with other characters, the cursor is moved by writing again what is
 * before its place.
 */
import { isPlain, mostColumns } from "../format/column-width.ts";
import { graphemesOf } from "../format/graphemes.ts";
import { shownInLine } from "./line-edits.ts";
import { MIN_TEXT_COLUMNS } from "./line-prompt.ts";

export type Size = { readonly columns: number; readonly rows: number };

/** A place in the drawing: its row, from 0, and the number of units before it in that row. */
export type Place = { readonly row: number; readonly units: number };

export type Frame = {
  /** The units of each row. A unit is mostly one character and never empty; the first one is the prompt. */
  readonly rows: readonly (readonly string[])[];
  readonly cursor: Place;
};

const START: Place = { row: 0, units: 0 };

/** Nothing is drawn, and the cursor is at the start of an empty row. */
export const BLANK_FRAME: Frame = { rows: [[]], cursor: START };

/** Used if the prompt leaves too few columns for the text. */
const SHORT_PROMPT = "> ";

const COMBINING = /^\p{M}/u;

/**
 * Lays out the prompt and the text. If they would fill more than half of the screen, only the rows up to the cursor
 * are drawn.
 * @param cursor UTF-16 units of the text before the cursor @param size at least two columns
 * @param sign stands behind the text if its row has room for it
 */
export function frameOf(prompt: string, text: string, cursor: number, size: Size, sign = ""): Frame {
  const promptColumns = mostColumns(Bun.stripANSI(prompt));
  const fits = promptColumns <= size.columns - MIN_TEXT_COLUMNS;
  let row = [fits ? prompt : SHORT_PROMPT];
  let column = fits ? promptColumns : SHORT_PROMPT.length;
  const rows: string[][] = [row];
  let place: Place = START;
  for (const { segment, index } of graphemesOf(text)) {
    const shown = shownInLine(segment);
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
    // The cursor cannot be after the last column.
    if (column >= size.columns) {
      row = [];
      rows.push(row);
    }
    place = { row: rows.length - 1, units: row.length };
  }
  if (sign !== "" && column + mostColumns(Bun.stripANSI(sign)) <= size.columns) row.push(sign);
  const most = Math.max(1, Math.floor(size.rows / 2));
  const first = Math.max(0, place.row - most + 1);
  return { rows: rows.slice(first, first + most), cursor: { row: place.row - first, units: place.units } };
}

/** Moves the cursor. @param row the units of the target row, as they are on the screen up to the target */
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

/** Erases the line; the cursor is then at the start of its first row. */
export function erased({ rows, cursor }: Frame): string {
  const isBlank = rows.every((row) => row.length === 0);
  return isBlank ? "" : `${move(cursor, START, [])}\x1b[J`;
}

/** Leaves the line on the screen and moves to the start of the next row. */
export function passed({ rows, cursor }: Frame): string {
  return `${move(cursor, { row: rows.length - 1, units: 0 }, [])}\r\n`;
}

/** The output that turns one drawing into the other. */
export function redrawn(from: Frame, to: Frame): string {
  let row = 0;
  while (row < to.rows.length - 1 && row < from.rows.length - 1 && isSame(from.rows[row], to.rows[row]))
    row++;
  const [old = [], next = []] = [from.rows[row], to.rows[row]];
  let same = 0;
  while (same < next.length && same < old.length && next[same] === old[same]) same++;
  // A combining mark changes how the unit before it is drawn.
  const withoutMark = (count: number): number =>
    count > 0 && [old, next].some((units) => COMBINING.test(units[count] ?? ""))
      ? withoutMark(count - 1)
      : count;
  let kept = withoutMark(same);
  const cursorRow = to.rows[to.cursor.row] ?? [];
  const isLonger = old.length > kept || from.rows.length > row + 1;
  if (!isLonger && row === to.rows.length - 1 && kept === next.length)
    return move(from.cursor, to.cursor, cursorRow);
  // After a full row the cursor is still in the last column, so erasing would remove that character.
  if (isLonger && kept > 0 && kept === next.length) kept = withoutMark(kept - 1);
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
 * The drawing after the width of the terminal has changed: the terminal breaks rows that no longer fit. Where it
 * breaks them is estimated by the usual widths. With too few rows a row of the line stays on the screen; too many
 * would erase what was printed above it.
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
      for (const { segment } of graphemesOf(Bun.stripANSI(unit))) {
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
