import { describe, expect, test } from "bun:test";

import { wrapped } from "../../src/ui/wrapped-text.ts";

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
    ["éééééééééééééééééééé".normalize("NFD"), 20, ["éééééééééééééééééééé".normalize("NFD")]],
    ["abcdefghijklmnop👨‍👩‍👧", 20, ["abcdefghijklmnop", "    👨‍👩‍👧"]],
    ["abcdefghijklmnopqrstu", 3, ["abcdefghijkl", "    mnopqrst", "    u"]],
  ] as const)("%j at %d columns", (text, columns, rows) => {
    expect(wrapped(text, columns)).toBe(rows.join("\n"));
  });

  test("that is none stays as long as it is, with its further lines indented", () => {
    expect(wrapped(`${"x".repeat(300)}\ny`, undefined)).toBe(`${"x".repeat(300)}\n    y`);
  });
});

test("no padding of any width brings a forged line to column 1", () => {
  const forged = "2026-11-22 17:55 carla: pay 1000";
  for (const filler of [" ", "x", "漢", "👨‍👩‍👧", "e\u0301", "🇪🇸", "❤️", "👨‍".repeat(40), "x "]) {
    for (let count = 0; count <= 90; count++) {
      const rows = wrapped(`2026-11-22 17:55 ana: ok${filler.repeat(count)}${forged}`, 80).split("\n");
      for (const row of rows) expect(Bun.stringWidth(row)).toBeLessThanOrEqual(80);
      for (const row of rows.slice(1)) expect(row).toStartWith("    ");
      const text = rows.map((row, index) => (index === 0 ? row : row.slice(4))).join("");
      expect(text).toBe(`2026-11-22 17:55 ana: ok${filler.repeat(count)}${forged}`);
    }
  }
});
