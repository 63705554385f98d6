import { describe, expect, test } from "bun:test";

import { BLANK_FRAME, erased, frameOf, redrawn, reflowed } from "../../../src/ui/screen/line-frame.ts";
import { TerminalScreen } from "../../integration/terminal-screen.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const SIZE = { columns: 20, rows: 24 };
const PIECES = ["a", "ñ", " ", "日", "👩‍👩‍👧", "e\u0301", "0123456789", "x".repeat(19), "本語".repeat(5)];

describe("the drawing of the line", () => {
  test("has the cursor where the next character would stand", () => {
    expect(frameOf("> ", "abc", 1, SIZE).cursor).toEqual({ row: 0, column: 3 });
    expect(frameOf("> ", "x".repeat(18), 18, SIZE).cursor).toEqual({ row: 1, column: 0 });
    expect(frameOf("> ", `${"x".repeat(17)}日`, 17, SIZE).cursor).toEqual({ row: 1, column: 0 });
  });

  test("is at most half the screen, with the cursor in it", () => {
    const text = "0123456789".repeat(50);
    const [atEnd, atStart] = [text.length, 0].map((cursor) => frameOf("> ", text, cursor, SIZE));
    expect(atEnd?.rows).toHaveLength(12);
    expect(atEnd?.cursor.row).toBe(11);
    expect(atStart?.rows).toHaveLength(12);
    expect(atStart?.cursor).toEqual({ row: 0, column: 2 });
    expect(frameOf("> ", text, 250, { columns: 20, rows: 1 }).rows).toHaveLength(1);
  });

  test("shows nothing that could move a cursor or turn a line round", () => {
    const { rows } = frameOf("> ", "a\x1b[2Jb\u202ec\nd", 0, SIZE);
    expect(rows.flat().join("")).not.toMatch(/[\x00-\x1f\u202e]/);
  });

  test("leaves out a head that has no room", () => {
    expect(frameOf("Anastasia escribe… > ", "hola", 4, SIZE).rows[0]?.[0]).toBe("> ");
  });

  test("turns into any other one on the screen, whatever stood there", () => {
    const seed = testSeed();
    const { integer, pick } = seededRandom(seed);
    const screen = new TerminalScreen(SIZE.columns, SIZE.rows);
    screen.feed("above\r\n");
    let text = "";
    let frame = BLANK_FRAME;
    for (let step = 0; step < 2_000; step++) {
      const kind = integer(4);
      const pieces = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
      const at = integer(pieces.length + 1);
      const piece = pick(PIECES);
      if (kind === 0) pieces.splice(at, integer(12));
      else pieces.splice(at, kind === 1 ? 1 : 0, piece);
      text = pieces.join("").slice(0, 200).toWellFormed();
      const cursor = pieces.slice(0, at).join("").length;
      const head = kind === 3 ? "✓✓ > " : "✓ > ";
      const next = frameOf(head, text, Math.min(cursor, text.length), SIZE);
      screen.feed(redrawn(frame, next));
      frame = next;
      const fresh = new TerminalScreen(SIZE.columns, SIZE.rows);
      fresh.feed(`above\r\n${redrawn(BLANK_FRAME, next)}`);
      const seen = { seed, step, rows: screen.rows, cursor: screen.cursor };
      expect(seen).toEqual({ seed, step, rows: fresh.rows, cursor: fresh.cursor });
      expect(screen.cursor).toEqual({ row: next.cursor.row + 1, col: next.cursor.column });
    }
    screen.feed(erased(frame));
    expect(screen.transcript).toBe("above");
    expect(screen.unknown).toEqual([]);
  });

  test("is known after a narrower terminal has broken its rows", () => {
    const frame = frameOf("\x1b[32m✓\x1b[39m > ", "x".repeat(40), 30, { columns: 40, rows: 24 });
    expect(frame.cursor).toEqual({ row: 0, column: 34 });
    const narrow = reflowed(frame, 15);
    expect(narrow.rows.map((row) => row.length)).toEqual([15, 15, 10, 4]);
    expect(narrow.cursor).toEqual({ row: 2, column: 4 });
    // A wider one does not join rows that were ended by us.
    expect(reflowed(frame, 60).cursor).toEqual(frame.cursor);
    expect(reflowed(frame, 60).rows).toHaveLength(2);
    expect(reflowed(BLANK_FRAME, 10)).toEqual(BLANK_FRAME);
  });
});
