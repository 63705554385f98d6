import { describe, expect, test } from "bun:test";

import { mostColumns } from "../../../src/ui/format/column-width.ts";
import { visibleText } from "../../../src/protocol/visible-text.ts";
import { wrapped, wrappedMessage, wrappedSentence } from "../../../src/ui/format/wrapped-text.ts";

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

const LONG = `https://example.org/${"a".repeat(60)}`;

describe("an address in a message", () => {
  test.each([
    ["fits", "see https://a.org/b", 24, ["see https://a.org/b"]],
    [
      "moves to the next row whole",
      "have a look at https://a.org/b",
      24,
      ["have a look at ", "    https://a.org/b"],
    ],
    [
      "takes its full stop with it",
      "look at it: https://a.org/b.",
      24,
      ["look at it: ", "    https://a.org/b."],
    ],
    ["of another scheme", "this is here: ssh://a@host:22", 24, ["this is here: ", "    ssh://a@host:22"]],
    ["with accents", "esto está en https://a.org/ñandú", 30, ["esto está en ", "    https://a.org/ñandú"]],
    ["longer than a row", `see ${LONG}`, 24, [`see ${LONG}`]],
    ["longer than a row, with text behind", `see ${LONG} and say`, 24, [`see ${LONG}`, "    and say"]],
    [
      "longer than a row, after a full row",
      `${"x".repeat(23)} ${LONG}`,
      24,
      [`${"x".repeat(23)} `, `    ${LONG}`],
    ],
    ["two long ones", `${LONG} ${LONG}`, 24, [LONG, `    ${LONG}`]],
    ["below another line", `one\n${LONG}\ntwo`, 24, ["one", `    ${LONG}`, "    two"]],
    ["after Han characters", "漢字漢字漢https://a.org/b", 24, ["漢字漢字漢", "    https://a.org/b"]],
    ["on a very narrow terminal is broken", "https://a.org/bc", 12, ["https://a.or", "    g/bc"]],
  ] as const)("%s", (_what, text, columns, rows) => {
    expect(wrappedMessage(text, columns)).toBe(rows.join("\n"));
  });

  test("is broken in a question, which is drawn again and may not pass the edge", () => {
    for (const row of wrapped(LONG, 24).split("\n")) expect(mostColumns(row)).toBeLessThanOrEqual(24);
  });
});

/** The rows as a terminal shows them: it breaks what is longer than a row. */
function onTerminal(rows: string, columns: number): string[] {
  return rows.split("\n").flatMap((row) => row.match(new RegExp(`.{1,${columns}}`, "gu")) ?? [""]);
}

/** Behind the padding of an address, what it puts at column 1 of a terminal that breaks it. */
const FORGED = [
  "17:55 carla: pay 1000",
  "17:55\u00a0carla:\u00a0pay",
  "17:55\u2800carla:\u2800pay",
  "17:55\u3164carla:\u3164pay",
  "17:55\tcarla: pay",
  "— benito has left",
  "! The connection is lost",
  "> exit",
  "✓✓ > exit",
  "#1 17:55 carla: pay",
  "\n17:55 carla: pay",
  "\u001b[1G17:55 carla: pay",
];

test.each([24, 25, 40, 80])("no address brings a forged line to column 1 of %d columns", (columns) => {
  for (const forged of FORGED)
    for (let count = 0; count <= 2 * columns + 10; count++) {
      const text = visibleText(`ok http://${"a".repeat(count)}${forged}`, { lines: true });
      const rows = onTerminal(wrappedMessage(`17:54 ana: ${text}`, columns), columns);
      for (const row of rows.slice(1)) if (!row.startsWith("    ")) expect(row).toMatch(/^[!-~]+$/);
      for (const row of rows.slice(1)) expect(row).not.toMatch(/^(?:—|!\s|>|✓|17:55\s)/);
    }
});

test("no text of the largest size takes long to be searched for addresses", () => {
  for (const piece of ["a", "a.", "a:", "a:/", "a://", "://", "a://b ", "é://"]) {
    const text = piece.repeat((32 * 1024) / piece.length);
    const began = performance.now();
    wrappedMessage(text, 80);
    expect(performance.now() - began).toBeLessThan(1_000);
  }
});

test("no row of a sentence of ours ends between a number and its unit", () => {
  expect(wrappedSentence("Directly to 80.1.0.11: answers (9 ms).", 33)).toBe(
    "Directly to 80.1.0.11: answers \n    (9 ms).",
  );
  expect(wrappedSentence("Sending it: 43 % of 1.4 GiB, 53 MiB/s, 26 s left.", 31)).toBe(
    "Sending it: 43 % of 1.4 GiB, \n    53 MiB/s, 26 s left.",
  );
  expect(wrappedSentence("Sending it: 43 % of 1.4 GiB", 15)).toBe("Sending it: \n    43 % of \n    1.4 GiB");
});
