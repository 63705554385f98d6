/**
 * Where the edited line stands on the screen, and the shortest way there from where it stood. Rows are ended
 * by us, not by the terminal's wrapping, so every terminal agrees about them.
 */
import { visibleText } from "../../protocol/visible-text.ts";

export type Size = { readonly columns: number; readonly rows: number };

export type Frame = {
  /** Each row as the characters in it; the head is the first one. */
  readonly rows: readonly (readonly string[])[];
  /** From 0; `column` is smaller than the terminal's columns. */
  readonly cursor: { readonly row: number; readonly column: number };
};

/** Nothing is drawn, and the cursor stands at the beginning of a free row. */
export const BLANK_FRAME: Frame = { rows: [[]], cursor: { row: 0, column: 0 } };

/** What is left of the screen's width beside the head, at least, in columns; a longer head is not shown. */
const MIN_TEXT_COLUMNS = 8;
const NO_HEAD = "> ";

const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function widthOf(row: readonly string[]): number {
  return Bun.stringWidth(row.join(""));
}

/**
 * The head and the text in rows; of a line that would fill more than half the screen, the rows up to the cursor.
 * `cursor`: UTF-16 units of the text before it. Needs at least two columns.
 */
export function frameOf(head: string, text: string, cursor: number, size: Size): Frame {
  const fits = Bun.stringWidth(head) <= size.columns - MIN_TEXT_COLUMNS;
  const firstUnit = fits ? head : NO_HEAD;
  let row = [firstUnit];
  let column = Bun.stringWidth(firstUnit);
  const rows: string[][] = [row];
  let place = { row: 0, column };
  for (const { segment, index } of characters.segment(text)) {
    const shown = visibleText(segment);
    const width = Bun.stringWidth(shown);
    if (column + width > size.columns) {
      row = [];
      rows.push(row);
      column = 0;
    }
    if (index <= cursor) place = { row: rows.length - 1, column };
    row.push(shown);
    column += width;
  }
  if (cursor >= text.length) {
    // The cursor cannot stand behind the last column.
    if (column >= size.columns) {
      rows.push([]);
      column = 0;
    }
    place = { row: rows.length - 1, column };
  }
  const most = Math.max(1, Math.floor(size.rows / 2));
  const first = Math.max(0, place.row - most + 1);
  return { rows: rows.slice(first, first + most), cursor: { row: place.row - first, column: place.column } };
}

type Place = Frame["cursor"];

function move(from: Place, to: Place): string {
  const rows = to.row - from.row;
  const up = rows < 0 ? `\x1b[${-rows}A` : "";
  const down = rows > 0 ? `\x1b[${rows}B` : "";
  if (from.column === to.column) return up + down;
  return `${up}${down}\r${to.column > 0 ? `\x1b[${to.column}C` : ""}`;
}

/** Takes the line off the screen; the cursor then stands at the beginning of its first row. */
export function erased({ rows, cursor }: Frame): string {
  const isBlank = rows.every((row) => row.length === 0);
  return isBlank ? "" : `${move(cursor, { row: 0, column: 0 })}\x1b[J`;
}

/** Leaves the line where it is and goes to the beginning of the row behind it. */
export function passed({ rows, cursor }: Frame): string {
  return `${move(cursor, { row: rows.length - 1, column: cursor.column })}\r\n`;
}

/** Turns one drawing of the line into the other. */
export function redrawn(from: Frame, to: Frame): string {
  let row = 0;
  while (row < to.rows.length - 1 && row < from.rows.length - 1 && isSame(from.rows[row], to.rows[row]))
    row++;
  const [old = [], next = []] = [from.rows[row], to.rows[row]];
  let kept = 0;
  while (kept < next.length && kept < old.length && next[kept] === old[kept]) kept++;
  const isLonger = old.length > kept || from.rows.length > row + 1;
  // Behind a full row the cursor still stands in its last column, so erasing would take that character.
  if (isLonger && kept > 0 && kept === next.length) kept--;
  const change = { row, column: widthOf(next.slice(0, kept)) };
  const rest = [next.slice(kept), ...to.rows.slice(row + 1)];
  if (!isLonger && rest.length === 1 && kept === next.length) return move(from.cursor, to.cursor);
  const lastRow = rest.length === 1 ? next : (to.rows.at(-1) ?? []);
  const written = { row: to.rows.length - 1, column: widthOf(lastRow) };
  const text = rest.map((each) => each.join("")).join("\r\n");
  return `${move(from.cursor, change)}${isLonger ? "\x1b[J" : ""}${text}${move(written, to.cursor)}`;
}

function isSame(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.length === other.length && one.every((unit, index) => unit === other[index]);
}

/** The drawing as the terminal has it after its width changed: it breaks rows that no longer fit. */
export function reflowed({ rows, cursor }: Frame, columns: number): Frame {
  const broken: string[][] = [];
  let place = { row: 0, column: 0 };
  for (const [index, units] of rows.entries()) {
    let row: string[] = [];
    broken.push(row);
    let column = 0;
    let before = 0;
    for (const unit of units.flatMap((each) => [...characters.segment(Bun.stripANSI(each))])) {
      const width = Bun.stringWidth(unit.segment);
      if (column + width > columns) {
        row = [];
        broken.push(row);
        column = 0;
      }
      row.push(unit.segment);
      column += width;
      before += width;
      if (index === cursor.row && before <= cursor.column) place = { row: broken.length - 1, column };
    }
    if (index === cursor.row && cursor.column === 0) place = { row: broken.length - 1, column: 0 };
  }
  return { rows: broken, cursor: place };
}
