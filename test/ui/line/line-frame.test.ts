import { describe, expect, test } from "bun:test";

import { mostColumns } from "../../../src/ui/format/column-width.ts";
import { BLANK_FRAME, erased, frameOf, redrawn, reflowed } from "../../../src/ui/line/line-frame.ts";
import { TerminalScreen } from "../../integration/terminal-screen.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const SIZE = { columns: 20, rows: 24 };
const PIECES = ["a", "ñ", " ", "日", "👩‍👩‍👧", "e\u0301", "0123456789", "x".repeat(19), "本語".repeat(5)];
/** Of which terminals have different opinions. */
const DISPUTED = [
  "👍🏽",
  "कि",
  "क्षि",
  "தொ",
  "🇪🇸",
  "🇪",
  "❤️",
  "\u1112\u1161\u11ab",
  "\u0301",
  "\u200d",
  "👨‍".repeat(12),
];

type WidthOfPoint = (point: string) => number;

/** What different terminals think of a code point; they agree about what is plain. */
const OPINIONS: readonly (readonly [string, WidthOfPoint])[] = [
  ["as much as it can be", mostColumns],
  ["by itself", (point) => Bun.stringWidth(point)],
  ["at least one", (point) => Math.max(1, Bun.stringWidth(point))],
  ["one if it is disputed", (point) => (/[日本語]/.test(point) ? 2 : 1)],
];

/** A terminal with an opinion about widths; of its sequences, those that the line is drawn with. */
class OpinionatedScreen {
  /** A row that was full and went on by itself. */
  wrapped = 0;
  row = 0;
  column = 0;
  #cells: string[][] = [];
  readonly #columns: number;
  readonly #widthOf: WidthOfPoint;

  constructor(columns: number, widthOf: WidthOfPoint) {
    this.#columns = columns;
    this.#widthOf = widthOf;
  }

  get rows(): string[] {
    return this.#cells.map((row) => row.join("").trimEnd()).filter((row) => row !== "");
  }

  /** Where the next character would stand is different behind a full row, but the cursor is seen in it. */
  get cursor() {
    return { row: this.row, column: Math.min(this.column, this.#columns - 1) };
  }

  feed(text: string): void {
    for (const [part, count, final] of text.matchAll(/\x1b\[(\d*)([A-Z])|[^]/gu)) {
      if (final === "A") this.row -= Number(count);
      else if (final === "B") this.row += Number(count);
      else if (final === "C") this.column += Number(count);
      else if (final === "J") this.#erase();
      else if (part === "\r") this.column = 0;
      else if (part === "\n") this.row++;
      else this.#put(part);
    }
  }

  #cellsOf(row: number): string[] {
    return (this.#cells[row] ??= new Array<string>(this.#columns).fill(" "));
  }

  #erase(): void {
    this.#cells.length = Math.min(this.#cells.length, this.row + 1);
    this.#cellsOf(this.row).fill(" ", this.cursor.column);
  }

  #put(point: string): void {
    const width = this.#widthOf(point);
    if (width > 0 && this.column + width > this.#columns) {
      this.wrapped++;
      this.row++;
      this.column = 0;
    }
    const cells = this.#cellsOf(this.row);
    if (width === 0) cells[this.column - 1] += point;
    else cells[this.column] = point;
    for (let more = 1; more < width; more++) cells[this.column + more] = "";
    this.column += width;
  }
}

describe("the drawing of the line", () => {
  test("has the cursor where the next character would stand", () => {
    expect(frameOf("> ", "abc", 1, SIZE).cursor).toEqual({ row: 0, units: 2 });
    expect(frameOf("> ", "x".repeat(18), 18, SIZE).cursor).toEqual({ row: 1, units: 0 });
    expect(frameOf("> ", `${"x".repeat(17)}日`, 17, SIZE).cursor).toEqual({ row: 1, units: 0 });
  });

  test("is at most half the screen, with the cursor in it", () => {
    const text = "0123456789".repeat(50);
    const [atEnd, atStart] = [text.length, 0].map((cursor) => frameOf("> ", text, cursor, SIZE));
    expect(atEnd?.rows).toHaveLength(12);
    expect(atEnd?.cursor.row).toBe(11);
    expect(atStart?.rows).toHaveLength(12);
    expect(atStart?.cursor).toEqual({ row: 0, units: 1 });
    expect(frameOf("> ", text, 250, { columns: 20, rows: 1 }).rows).toHaveLength(1);
  });

  test("shows nothing that could move a cursor or reverse a line", () => {
    const { rows } = frameOf("> ", "a\x1b[2Jb\u202ec\nd", 0, SIZE);
    expect(rows.flat().join("")).not.toMatch(/[\x00-\x1f\u202e]/);
  });

  test("leaves out a prompt that has no room", () => {
    expect(frameOf("Anastasia escribiendo… > ", "hola", 4, SIZE).rows[0]?.[0]).toBe("> ");
  });

  test("turns into any other one on the screen, whatever stood there", () => {
    const seed = testSeed();
    const { integer, pick } = seededRandom(seed);
    const screen = new TerminalScreen(SIZE.columns, SIZE.rows);
    screen.feed("above\r\n");
    let text = "";
    let frame = BLANK_FRAME;
    for (let step = 0; step < 800; step++) {
      const kind = integer(4);
      const pieces = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
      const at = integer(pieces.length + 1);
      const piece = pick(PIECES);
      if (kind === 0) pieces.splice(at, integer(12));
      else pieces.splice(at, kind === 1 ? 1 : 0, piece);
      text = pieces.join("").slice(0, 200).toWellFormed();
      const cursor = pieces.slice(0, at).join("").length;
      const prompt = kind === 3 ? "✓✓ > " : "✓ > ";
      const next = frameOf(prompt, text, Math.min(cursor, text.length), SIZE);
      screen.feed(redrawn(frame, next));
      frame = next;
      const fresh = new TerminalScreen(SIZE.columns, SIZE.rows);
      fresh.feed(`above\r\n${redrawn(BLANK_FRAME, next)}`);
      const seen = { seed, step, rows: screen.rows, cursor: screen.cursor };
      expect(seen).toEqual({ seed, step, rows: fresh.rows, cursor: fresh.cursor });
      const before = next.rows[next.cursor.row]?.slice(0, next.cursor.units).join("") ?? "";
      expect(screen.cursor).toEqual({ row: next.cursor.row + 1, col: Bun.stringWidth(before) });
    }
    screen.feed(erased(frame));
    expect(screen.transcript).toBe("above");
    expect(screen.unknown).toEqual([]);
  });

  test.each(OPINIONS)("is the same where each character is as wide: %s", (_name, widthOf) => {
    const seed = testSeed();
    const { integer, pick } = seededRandom(seed);
    const screen = new OpinionatedScreen(SIZE.columns, widthOf);
    let pieces: string[] = [];
    let frame = BLANK_FRAME;
    for (let step = 0; step < 600; step++) {
      const at = integer(pieces.length + 1);
      pieces.splice(at, integer(4) === 0 ? integer(8) : 0, pick(integer(2) === 0 ? PIECES : DISPUTED));
      pieces = pieces.slice(0, 30);
      const text = pieces.join("");
      const cursors = [...new Intl.Segmenter().segment(text)].map(({ index }) => index);
      for (const cursor of [text.length, pick(cursors), pick(cursors)]) {
        const next = frameOf("✓ > ", text, cursor, SIZE);
        screen.feed(redrawn(frame, next));
        frame = next;
        const fresh = new OpinionatedScreen(SIZE.columns, widthOf);
        fresh.feed(next.rows.map((row) => row.join("")).join("\r\n"));
        const { rows } = fresh;
        fresh.row = next.cursor.row;
        fresh.column = 0;
        fresh.feed(next.rows[next.cursor.row]?.slice(0, next.cursor.units).join("") ?? "");
        const seen = { seed, step, text, wrapped: screen.wrapped, rows: screen.rows, cursor: screen.cursor };
        expect(seen).toEqual({ seed, step, text, wrapped: 0, rows, cursor: fresh.cursor });
      }
    }
    screen.feed(erased(frame));
    expect(screen.rows).toEqual([]);
  });

  test("writes a mark at its beginning together with the prompt that bears it", () => {
    const screen = new OpinionatedScreen(SIZE.columns, (point) => Bun.stringWidth(point));
    const [longer, mark] = ["\u0301日", "\u0301"].map((text) => frameOf("> ", text, text.length, SIZE));
    if (longer === undefined || mark === undefined) throw new Error("two frames");
    screen.feed(redrawn(BLANK_FRAME, longer) + redrawn(longer, mark));
    expect(screen.rows).toEqual(["> \u0301"]);
  });

  test("is known after a narrower terminal has broken its rows", () => {
    const frame = frameOf("\x1b[32m✓\x1b[39m > ", "x".repeat(40), 30, { columns: 40, rows: 24 });
    expect(frame.cursor).toEqual({ row: 0, units: 31 });
    const narrow = reflowed(frame, 15);
    expect(narrow.rows.map((row) => row.length)).toEqual([15, 15, 10, 4]);
    expect(narrow.cursor).toEqual({ row: 2, units: 4 });
    // A wider one does not join rows that were ended by us.
    expect(reflowed(frame, 60).cursor).toEqual({ row: 0, units: 34 });
    expect(reflowed(frame, 60).rows).toHaveLength(2);
    expect(reflowed(BLANK_FRAME, 10)).toEqual(BLANK_FRAME);
  });
});
