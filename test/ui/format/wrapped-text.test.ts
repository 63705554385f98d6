import { describe, expect, test } from "bun:test";

import { mostColumns } from "../../../src/ui/format/column-width.ts";
import { wrapped } from "../../../src/ui/format/wrapped-text.ts";

describe("a text on a terminal", () => {
  test.each([
    ["short", 20, ["short"]],
    ["", 20, [""]],
    ["exactly twenty wide.", 20, ["exactly twenty wide."]],
    ["a sentence of several words", 20, ["a sentence of ", "    several words"]],
    ["abcdefghijklmnopqrstuvwxyz", 20, ["abcdefghijklmnopqrst", "    uvwxyz"]],
    ["one\ntwo", 20, ["one", "    two"]],
    ["one\n\ntwo", 20, ["one", "    ", "    two"]],
    ["one\nabcdefghijklmnopqrs", 20, ["one", "    abcdefghijklmnop", "    qrs"]],
    ["漢字漢字漢字漢字漢字漢字", 20, ["漢字漢字漢字漢字漢字", "    漢字"]],
    ["x漢字漢字漢字漢字漢字漢", 20, ["x漢字漢字漢字漢字漢", "    字漢"]],
    // A terminal that joins no accents has room for half as many of these.
    ["éééééééééééé".normalize("NFD"), 20, ["éééééééééé", "    éé"].map((row) => row.normalize("NFD"))],
    ["कि".repeat(12), 20, ["कि".repeat(10), `    ${"कि".repeat(2)}`]],
    ["👍🏽".repeat(6), 20, ["👍🏽".repeat(5), "    👍🏽"]],
    ["abcdefghijklmnop👨‍👩‍👧", 20, ["abcdefghijklmnop", "    👨‍👩‍👧"]],
    ["abcdefghi漢", 6, ["abcdef", "    gh", "    i", "    漢"]],
    ["abcdefghi", 3, ["abcdef", "    gh", "    i"]],
  ] as const)("%j at %d columns", (text, columns, rows) => {
    expect(wrapped(text, columns)).toBe(rows.join("\n"));
  });

  test("that is none stays as long as it is, with its further lines indented", () => {
    expect(wrapped(`${"x".repeat(300)}\ny`, undefined)).toBe(`${"x".repeat(300)}\n    y`);
  });
});

/** Of which terminals have different opinions, or had in older versions. */
const FILLERS = [
  " ",
  "x",
  "x ",
  "漢",
  "👨‍👩‍👧",
  "e\u0301",
  "\u0301",
  "🇪🇸",
  "🇪",
  "❤",
  "❤️",
  "1️⃣",
  "👍🏽",
  "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
  "👨‍".repeat(40),
  "कि",
  "कि ",
  "क्षि",
  "தொ",
  "ตั้ำ",
  "\u1112\u1161\u11ab",
  "\u1161",
  "か\u3099",
  "\u3248",
  "𝐀",
  "\u{1fae9}",
];

test.each([6, 7, 11, 23, 40, 80, 81])(
  "no padding brings a forged line to column 1 of %d columns",
  (columns) => {
    const forged = "2026-11-22 17:55 carla: pay 1000";
    for (const filler of FILLERS) {
      for (let count = 0; count <= columns + 10; count++) {
        const rows = wrapped(`2026-11-22 17:55 ana: ok${filler.repeat(count)}${forged}`, columns).split("\n");
        for (const row of rows) expect(mostColumns(row)).toBeLessThanOrEqual(columns);
        for (const row of rows.slice(1)) expect(row).toStartWith("    ");
        const text = rows.map((row, index) => (index === 0 ? row : row.slice(4))).join("");
        expect(text).toBe(`2026-11-22 17:55 ana: ok${filler.repeat(count)}${forged}`);
      }
    }
  },
);
