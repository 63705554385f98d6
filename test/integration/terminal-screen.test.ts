import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AtTerminal, masked } from "./at-terminal.ts";
import { TerminalScreen } from "./terminal-screen.ts";

setDefaultTimeout(30_000);

function screenOf(cols: number, rows: number, ...pieces: readonly string[]): TerminalScreen {
  const screen = new TerminalScreen(cols, rows);
  for (const piece of pieces) screen.feed(piece);
  return screen;
}

/** All that a screen tells. */
function told({ rows, scrollback, cursor, ...rest }: TerminalScreen) {
  return { rows, scrollback, cursor, ...rest };
}

describe("the emulated screen", () => {
  test("wraps only when a character follows the last column", () => {
    const full = screenOf(5, 3, "abcde");
    expect(full.cursor).toEqual({ row: 0, col: 4 });
    full.feed("\r\nf");
    expect(full.rows).toEqual(["abcde", "f", ""]);
    expect(screenOf(5, 3, "abcdef").rows).toEqual(["abcde", "f", ""]);
    // Colours leave the wrap due; every movement and erasure ends it.
    expect(screenOf(5, 3, "abcde\x1b[31mf").rows).toEqual(["abcde", "f", ""]);
    expect(screenOf(5, 3, "abcde\x1b[Kf").rows).toEqual(["abcdf", "", ""]);
    expect(screenOf(5, 3, "abcde\x1b[5Gf").rows).toEqual(["abcdf", "", ""]);
    expect(screenOf(5, 3, "abcde\bf").rows).toEqual(["abcfe", "", ""]);
    expect(screenOf(5, 3, "abcde\x1b7\x1b[H-\x1b8f").rows).toEqual(["-bcde", "f", ""]);
  });

  test("takes a wide character to the next row rather than halve it", () => {
    expect(screenOf(5, 2, "abcd世x").rows).toEqual(["abcd", "世x"]);
    expect(screenOf(5, 2, "abc世").cursor).toEqual({ row: 0, col: 4 });
    expect(screenOf(5, 2, "abc世x").rows).toEqual(["abc世", "x"]);
  });

  test("blanks the rest of a wide character that is overwritten, erased or cut", () => {
    expect(screenOf(8, 1, "世界x\x1b[2Gy").rows).toEqual([" y界x"]);
    expect(screenOf(8, 1, "世界x\x1b[1Gy").rows).toEqual(["y 界x"]);
    expect(screenOf(8, 1, "世界x\x1b[4G\x1b[K").rows).toEqual(["世"]);
    const cut = screenOf(8, 1, "a世界");
    cut.resize(4, 1);
    expect(cut.rows).toEqual(["a世"]);
  });

  test.each([
    ["a combining mark", "e\u0301", 1],
    ["marks without a composed form", "q\u0301\u0323", 1],
    ["an emoji of several", "👩‍👩‍👧", 2],
    ["a skin tone", "👍🏽", 2],
    ["a flag", "🇪🇸", 2],
    ["an emoji selector", "❤️", 2],
    ["a Hangul syllable of parts", "\u1112\u1161\u11ab", 2],
  ])("gives %s one place, whole or unit by unit", (_what, grapheme, width) => {
    for (const pieces of [[`${grapheme}x`], [...`${grapheme}x`], `${grapheme}x`.split("")]) {
      const screen = screenOf(9, 1, ...pieces);
      expect(screen.rows).toEqual([`${grapheme}x`]);
      expect(screen.cursor.col).toBe(width + 1);
    }
    // At the edge it goes to the next row as one.
    const edge = screenOf(4, 2, "abc", ...grapheme);
    expect(edge.rows).toEqual(width === 1 ? [`abc${grapheme}`, ""] : ["abc", grapheme]);
  });

  test("reads a sequence that comes in pieces as it reads it whole", () => {
    const written =
      "\x1b]0;title\x07a\x1b[?2004h\x1b[31;1mb\x1b[0m\x1b[2;3Hc\x1b]52;c;YQ==\x1b\\\x1b]8;id=1;x:;y\x07d\x1b]8;;\x1b\\\x1b7\x1b[?25l👍🏽\r\n";
    const whole = screenOf(10, 3, written);
    expect(whole).toMatchObject({
      rows: ["ab", "  cd👍🏽", ""],
      title: "title",
      clipboard: ["a"],
      links: [{ target: "x:;y", shown: "d" }],
      bracketedPaste: true,
      cursorVisible: false,
      unknown: [],
      bells: 0,
      cursorMoves: 2,
    });
    for (let size = 1; size < 8; size++) {
      const pieces = written.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(told(screenOf(10, 3, ...pieces))).toEqual(told(whole));
    }
  });

  test("scrolls at the bottom, keeps what has left, and ends the transcript where the text ends", () => {
    const screen = screenOf(4, 2, "one\r\ntwo\r\nthree");
    expect(screen.scrollback).toEqual(["one", "two"]);
    expect(screen.rows).toEqual(["thre", "e"]);
    screen.feed("\x1b[H\x1b[J");
    expect(screen.transcript).toBe("one\ntwo");
    // Upwards nothing scrolls.
    screen.feed("\x1b[9A^");
    expect(screen.rows).toEqual(["^", ""]);
  });

  test("a line feed alone keeps the column", () => {
    expect(screenOf(4, 2, "ab\nc").rows).toEqual(["ab", "  c"]);
  });

  test.each([
    ["\x1b[J", ["aaaa", "b", ""]],
    ["\x1b[1J", ["", "  bb", "cccc"]],
    ["\x1b[2J", ["", "", ""]],
    ["\x1b[K", ["aaaa", "b", "cccc"]],
    ["\x1b[1K", ["aaaa", "  bb", "cccc"]],
    ["\x1b[2K", ["aaaa", "", "cccc"]],
    ["\x1b[Ax", ["axaa", "bbbb", "cccc"]],
    ["\x1b[0Bx", ["aaaa", "bbbb", "cxcc"]],
    ["\x1b[9Cx", ["aaaa", "bbbx", "cccc"]],
    ["\x1b[2Dx", ["aaaa", "xbbb", "cccc"]],
    ["\x1b[Ex", ["aaaa", "bbbb", "xccc"]],
    ["\x1b[Fx", ["xaaa", "bbbb", "cccc"]],
    ["\x1b[3Gx", ["aaaa", "bbxb", "cccc"]],
    ["\x1b[;2fx", ["axaa", "bbbb", "cccc"]],
    ["\x1b[s\x1b[H\x1b[ux", ["aaaa", "bxbb", "cccc"]],
    ["\tx", ["aaaa", "bbbx", "cccc"]],
  ])("%j does what xterm does", (sequence, rows) => {
    const screen = screenOf(4, 3, "aaaa\r\nbbbb\r\ncccc\x1b[2;2H", sequence);
    expect(screen.rows).toEqual(rows);
    expect(screen.unknown).toEqual([]);
  });

  test("says what it does not understand and shows none of it", () => {
    const strange = [
      "\x1b[?1049h",
      "\x1b[5;7r",
      "\x1bM",
      "\x1bPq#0\x1b\\",
      "\x9b",
      "\x00",
      "\x7f",
      "\x1b]4;1;?\x07",
    ];
    const screen = screenOf(20, 1, "a", strange.join(""), "b", "\x1b[12\u00e9");
    expect(screen.rows).toEqual(["abé"]);
    expect(screen.unknown).toEqual([...strange, "\x1b[12"]);
  });

  test("counts movements, erasures and bells, not colours", () => {
    const plain = screenOf(20, 2, "\x1b[1mtext\x1b[0m\x07\r\n\x1b[?2004h");
    expect([plain.cursorMoves, plain.bells]).toEqual([0, 1]);
    expect(screenOf(20, 2, "ab\x1b[G\x1b[J\b").cursorMoves).toBe(2);
  });

  test("cuts at a narrower edge, and a lower screen sends its top rows above", () => {
    const screen = screenOf(6, 3, "abcdef\r\nghi\r\njkl");
    screen.resize(4, 2);
    expect(screen.scrollback).toEqual(["abcdef"]);
    expect(screen.rows).toEqual(["ghi", "jkl"]);
    expect(screen.cursor).toEqual({ row: 1, col: 3 });
    screen.resize(2, 3);
    expect(screen.rows).toEqual(["ab", "gh", "jk"]);
    expect(screen.cursor).toEqual({ row: 2, col: 1 });
    screen.resize(6, 4);
    expect(screen.rows).toEqual(["ab", "gh", "jk", ""]);
    const blankBelow = screenOf(6, 3, "abc");
    blankBelow.resize(6, 1);
    expect([blankBelow.scrollback, blankBelow.rows]).toEqual([[], ["abc"]]);
  });
});

/** Answers each line of keys, and what its terminal tells it, in words. */
const PROGRAM = `
import readline from "node:readline";
process.stdout.write("\\u001b[?25l\\u001b[?2004h");
process.stdin.setRawMode(true);
process.stdout.on("resize", () => console.log(\`now \${process.stdout.columns} × \${process.stdout.rows}\`));
process.on("SIGTERM", () => { console.log("told to end"); process.exit(7); });
process.stdin.on("data", (keys) => {
  console.log(JSON.stringify(String(keys)));
  if (String(keys) === "crash") process.exit(9);
  if (String(keys) !== "q") return;
  process.stdin.setRawMode(false);
  process.stdout.write("\\u001b[?25h\\u001b[?2004l" + "last words ".repeat(5000));
  process.exit(3);
});
console.log(\`at \${process.stdout.columns} × \${process.stdout.rows}\`);
`;

describe("a program at a terminal", () => {
  const folder = mkdtempSync(join(tmpdir(), "paloma-terminal-"));
  const file = join(folder, "program.ts");
  writeFileSync(file, PROGRAM);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("learns its size, keys and pastes, and gives the terminal back with all that it wrote", async () => {
    const program = new AtTerminal([], { program: { file } });
    expect(program.isRestored).toBe(true);
    await program.showsRow(/^at 80 × 24$/);
    expect([program.isInLineMode, program.cursorIsShown, program.isRestored]).toEqual([false, false, false]);
    program.resize(40, 12);
    expect(await program.showsRow(/^now/)).toBe("now 40 × 12");
    program.paste("two\nlines");
    await program.shows(String.raw`"\u001b[200~two\rlines\u001b[201~"`);
    program.type("q");
    expect(await program.ended()).toBe(3);
    expect(program.text.split("last words ")).toHaveLength(5001);
    expect(program.text).toEndWith("last words ");
    expect(program.screen.rows.at(-1)).toEndWith("last words");
    expect(program.isRestored).toBe(true);
    program.close();
  });

  test("a terminal that is left as it was set is not restored", async () => {
    const program = new AtTerminal([], { program: { file } });
    await program.shows("at 80");
    program.type("crash");
    expect(await program.ended()).toBe(9);
    expect(program.isRestored).toBe(false);
    program.close();
  });

  test("a wait fails with the screen when the program ends before, also by a signal", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 7],
      ["SIGKILL", 137],
    ] as const) {
      const program = new AtTerminal([], { program: { file } });
      await program.shows("at 80");
      const waiting = program.until((screen) => screen.bells > 0, "a bell");
      program.signal(signal);
      const failure = await waiting.then(String, String);
      expect(failure).toStartWith("Error: a bell never came, and the program ended.");
      expect(failure).toContain("\n  |at 80 × 24\n");
      expect(await program.ended()).toBe(code);
      program.close();
    }
  });
});

test("a masked screen is the same on every day and machine", () => {
  const fingerprint = "3f2a 91bc 0d4e 77a1 3f2a 91bc 0d4e 77a1";
  expect(
    masked([
      "──── domingo, 22 de noviembre de 2026 ────",
      "Domingo 2 de mayo",
      "--- Sunday, 22 November 2026 ----- May 7, 2025",
      "19:14 beto ✓: a las 9:05.",
      "2026-11-22 19:14 127.0.0.1:39211 [::1]:8443 localhost:443",
      `  ${fingerprint}`,
      "12345 67890 12345 67890 12",
      "345 3:1, 2 de 3, 1234 5678",
    ]),
  ).toEqual([
    "─── jueves, 1 de enero de 2026 ───",
    "Jueves 1 de enero",
    "--- Thursday, 1 January 2026 --- January 1, 2026",
    "00:00 beto ✓: a las 00:00.",
    "2026-01-01 00:00 127.0.0.1:50000 [::1]:50000 localhost:50000",
    `  ${fingerprint.replace(/[0-9a-f]/g, "0")}`,
    "00000 00000 00000 00000 00",
    "000 3:1, 2 de 3, 1234 5678",
  ]);
});
