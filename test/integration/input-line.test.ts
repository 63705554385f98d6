import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { mostColumns } from "../../src/ui/format/column-width.ts";
import { AtTerminal, type TerminalOptions } from "./at-terminal.ts";
import { editLines } from "./input-line-program.ts";
import { FOCUS, KEY } from "./keys.ts";

/** The line as a process of its own. */
const APART = { file: join(import.meta.dir, "input-line-program.ts") };

let opened: AtTerminal[] = [];
afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  opened = [];
});

const SMALL = { program: editLines, cols: 40, rows: 16 };
type LineOptions = TerminalOptions & { readonly term?: string };

/** The program at a terminal, ready for keys. */
async function atLine({ term = "xterm-256color", ...options }: LineOptions = {}): Promise<AtTerminal> {
  const terminal = new AtTerminal([], { ...SMALL, environment: { TERM: term }, ...options });
  opened.push(terminal);
  await terminal.shows("yo > ");
  return terminal;
}

/** Rows from the top, without the blank ones below. */
function shown({ screen }: AtTerminal): string[] {
  return screen.rows.join("\n").replace(/\n+$/, "").split("\n");
}

function showsRows(terminal: AtTerminal, rows: readonly string[]): Promise<void> {
  const wanted = rows.join("\n");
  return terminal.until(() => shown(terminal).join("\n") === wanted, `the rows\n${wanted}\n`);
}

async function ended(terminal: AtTerminal): Promise<void> {
  expect(await terminal.ended()).toBe(0);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.unknown).toEqual([]);
}

describe("the line at a terminal", () => {
  test("a typed line comes whole, is taken off the screen, and an empty line follows", async () => {
    const terminal = await atLine();
    terminal.type(`${"señor ".repeat(20)}👩‍👩‍👧 日本${KEY.enter}`);
    const sent = JSON.stringify(`${"señor ".repeat(20)}👩‍👩‍👧 日本`);
    await terminal.shows('日本"');
    await terminal.until(() => shown(terminal).at(-1) === "yo >", "an empty line");
    expect(shown(terminal).slice(0, -1).join("").replaceAll(" ", "")).toBe(
      `line ${sent}`.replaceAll(" ", ""),
    );
    terminal.type(KEY.ctrlD);
    await ended(terminal);
    expect(shown(terminal).slice(-2)).toEqual(["leaving", "closed"]);
  });

  test("Shift-Enter and Alt-Enter break the line, which stays one row, and what is no key leaves nothing", async () => {
    for (const term of ["xterm-256color", "dumb"]) {
      const terminal = await atLine({ term });
      terminal.type("uno\u001b[27;2;13~dos\u001b[<0;3;4M\u001b]11;rgb:1e1e/1e1e/2e2e\u0007\u001b\rtr");
      await terminal.shows("yo > uno⏎dos⏎tr");
      terminal.type("\u001b[?64;1;2c\u001b[13;2u");
      terminal.type(KEY.backspace);
      terminal.type(`es${KEY.enter}`);
      await terminal.shows(`line ${JSON.stringify("uno\ndos\ntres")}`);
      terminal.type(KEY.ctrlD);
      await ended(terminal);
    }
  });

  test("a line is edited in its middle while a hundred messages arrive", async () => {
    const terminal = await atLine();
    terminal.type(`/flood 100${KEY.enter}`);
    for (const key of `${"uno dos ".repeat(10)}fin`) terminal.type(key);
    terminal.type(`${KEY.escape}b${"ñ"}${KEY.left}${KEY.backspace}${KEY.home}¡${KEY.end}!`);
    await terminal.shows("message 100");
    await terminal.until(() => shown(terminal).join("\n").endsWith("dosñfin!"), "the edited line");
    const all = terminal.screen.transcript;
    const numbers = [...all.matchAll(/^message (\d+) 👩‍👩‍👧/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    // Nothing of the line stays among the messages.
    expect(all.match(/yo >/g)).toHaveLength(1);
    expect(
      all
        .slice(all.indexOf("yo >"))
        .replaceAll("\n", "")
        .match(/uno dos/g),
    ).toHaveLength(10);
    terminal.type(KEY.enter);
    await terminal.shows(`line ${JSON.stringify(`¡${"uno dos ".repeat(9)}uno dosñfin!`)}`);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("wide characters never stand half in a row", async () => {
    const terminal = await atLine({ cols: 20 });
    terminal.type("日本語日本語日本語日本");
    await showsRows(terminal, ["yo > 日本語日本語日", "本語日本"]);
    terminal.type(`${KEY.left.repeat(5)}x`);
    await showsRows(terminal, ["yo > 日本語日本語x日", "本語日本"]);
    expect(terminal.screen.cursor).toEqual({ row: 0, col: 18 });
    terminal.type("y");
    await showsRows(terminal, ["yo > 日本語日本語xy", "日本語日本"]);
    expect(terminal.screen.cursor).toEqual({ row: 1, col: 0 });
    terminal.type(KEY.backspace);
    await showsRows(terminal, ["yo > 日本語日本語x日", "本語日本"]);
    terminal.type(`${KEY.backspace}${KEY.backspace}👩‍👩‍👧`);
    // Three women side by side would have no room.
    await showsRows(terminal, ["yo > 日本語日本", "👩‍👩‍👧日本語日本"]);
    terminal.type(KEY.backspace);
    await showsRows(terminal, ["yo > 日本語日本日本", "語日本"]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test.each([
    ["skin tones", "👍🏽 👍🏽 fin de la línea, larga para que se parta", "🏽 fin de ", 1],
    ["vowel signs beside their letters", `${"कि".repeat(20)} तीन`, "तीन", 3],
  ])("%s leave no copy of the line, and the cursor finds its place", async (_name, text, behind, more) => {
    const terminal = await atLine();
    terminal.type(`/flood 40${KEY.enter}`);
    for (const key of text) terminal.type(key);
    const at = text.lastIndexOf(behind) + behind.length - more;
    const steps = [...new Intl.Segmenter().segment(text.slice(at))].length;
    for (let step = 0; step < steps; step++) terminal.type(KEY.left);
    terminal.type("_");
    const whole = `yo > ${text.slice(0, at)}_${text.slice(at)}`.replaceAll(" ", "");
    await terminal.shows("message 40");
    const line = () => shown(terminal).join("").replaceAll(" ", "");
    await terminal.until(() => line().endsWith(whole), "the edited line");
    expect(terminal.screen.transcript.match(/yo >/g)).toHaveLength(1);
    // Also a terminal that joins nothing has not broken a row.
    const ofLine = shown(terminal).slice(shown(terminal).findIndex((each) => each.startsWith("yo >")));
    for (const each of ofLine) expect(mostColumns(each)).toBeLessThanOrEqual(40);
    const { row, col } = terminal.screen.cursor;
    expect(terminal.screen.rows[row]).toContain("_");
    const before = terminal.screen.rows[row]?.split("_")[0] ?? "";
    expect(col).toBe(Bun.stringWidth(`${before}_`));
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test("Ctrl-L clears the screen, of which nothing is lost, and the line stays", async () => {
    const terminal = await atLine();
    terminal.type(`uno${KEY.enter}dos${KEY.enter}hola${KEY.left}`);
    await showsRows(terminal, ['line "uno"', 'line "dos"', "yo > hola"]);
    terminal.type("\x0c");
    await showsRows(terminal, ["yo > hola"]);
    expect(terminal.screen.cursor).toEqual({ row: 0, col: 8 });
    expect(terminal.screen.scrollback).toEqual(['line "uno"', 'line "dos"']);
    terminal.type(`${"x".repeat(40)}\x0c${KEY.backspace.repeat(40)}${KEY.enter}`);
    await showsRows(terminal, ['line "hola"', "yo >"]);
    expect(terminal.screen.scrollback).toEqual(['line "uno"', 'line "dos"']);
    terminal.type(`/flood 20${KEY.enter}`);
    await terminal.until(() => shown(terminal).at(-2)?.startsWith("message 20 ") === true, "the last one");
    const before = terminal.screen.transcript;
    terminal.type("\x0c");
    await showsRows(terminal, ["yo >"]);
    expect(terminal.screen.transcript).toBe(before);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("the cursor goes on to a new row when the last column is filled", async () => {
    const terminal = await atLine({ cols: 20 });
    terminal.type("123456789012345");
    await showsRows(terminal, ["yo > 123456789012345"]);
    await terminal.until(({ cursor }) => cursor.row === 1 && cursor.col === 0, "a new row");
    terminal.type(KEY.left);
    await terminal.until(({ cursor }) => cursor.row === 0 && cursor.col === 19, "the last column");
    expect(shown(terminal)).toEqual(["yo > 123456789012345"]);
    terminal.type("\x0b");
    await showsRows(terminal, ["yo > 12345678901234"]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test("typing at the end writes only what was typed, and a changed prompt leaves what is above", async () => {
    const terminal = await atLine();
    terminal.type("hola");
    await showsRows(terminal, ["yo > hola"]);
    const { cursorMoves } = terminal.screen;
    for (const key of " qué tal") terminal.type(key);
    await showsRows(terminal, ["yo > hola qué tal"]);
    expect(terminal.screen.cursorMoves).toBe(cursorMoves);
    terminal.type(`${KEY.enter}/prompt ✓✓${KEY.enter}abc`);
    await showsRows(terminal, ['line "hola qué tal"', "✓✓ > abc"]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test("a sign behind the text does not move it, and gives way where the row is full", async () => {
    const terminal = await atLine();
    terminal.type(`/sign escribe…${KEY.enter}`);
    await showsRows(terminal, ["yo >   escribe…"]);
    terminal.type("hola");
    await showsRows(terminal, ["yo > hola  escribe…"]);
    expect(terminal.screen.cursor.col).toBe("yo > hola".length);
    terminal.type(KEY.left + KEY.backspace);
    await showsRows(terminal, ["yo > hoa  escribe…"]);
    expect(terminal.screen.cursor.col).toBe("yo > ho".length);
    terminal.type(`${KEY.ctrlC}/sign ${KEY.enter}`);
    await showsRows(terminal, ["yo >"]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test("control characters and unknown keys leave the line as it is", async () => {
    const terminal = await atLine();
    terminal.type("ab");
    for (const code of [0, 7, 15, 17, 18, 19, 22, 24, 28, 29, 30, 31])
      terminal.type(String.fromCharCode(code));
    terminal.type(`${KEY.escape}[15~${KEY.escape}[200;3u${KEY.escape}[Ic\u0085\u009b`);
    await showsRows(terminal, ["yo > abc"]);
    terminal.type(KEY.enter);
    await terminal.shows('line "abc"');
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("what was cut comes back, a word of Spanish is one word, and Ctrl-D deletes forward", async () => {
    const terminal = await atLine();
    terminal.type(
      `mañana vendrá${KEY.ctrlW}${KEY.left}${KEY.home}\x04${KEY.ctrlY}${KEY.end}${KEY.ctrlU}>${KEY.ctrlY}${KEY.ctrlY}${KEY.enter}`,
    );
    await terminal.shows(`line ${JSON.stringify(">vendráañana vendráañana ")}`);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("a line of 32 KiB is taken, of which the rows around the cursor are shown", async () => {
    const terminal = await atLine({ cols: 80, rows: 24 });
    const long = `${"0123456789abcdef".repeat(2_047)}0123456789abcde`;
    terminal.type(`${long}!`);
    await terminal.until(() => shown(terminal).at(-1)?.endsWith("!") === true, "the end of the line");
    expect(shown(terminal).length).toBeLessThanOrEqual(12);
    terminal.type(KEY.home);
    await terminal.until(() => shown(terminal)[0]?.startsWith("yo > 0123") === true, "its beginning");
    terminal.type(KEY.enter);
    await terminal.until(() => shown(terminal).at(-1) === "yo >", "an empty line");
    expect(terminal.screen.transcript.replaceAll("\n", "")).toBe(`line "${long}!"yo >`);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("Ctrl-C clears the line, and leaves when it is empty", async () => {
    const terminal = await atLine();
    terminal.type(`abc${KEY.ctrlC}`);
    await showsRows(terminal, ["yo >"]);
    terminal.type(`d${KEY.enter}`);
    await terminal.shows('line "d"');
    expect(terminal.text).not.toContain("leaving");
    terminal.type(KEY.ctrlC);
    await ended(terminal);
    expect(shown(terminal).slice(-2)).toEqual(["leaving", "closed"]);
  });

  test("a program that ends by an exception has given the terminal back", async () => {
    const terminal = await atLine({ program: APART });
    terminal.type(`/throw${KEY.enter}`);
    expect(await terminal.exited).toBe(1);
    await terminal.until(() => terminal.isRestored, "the terminal as it was");
  });
});

describe("history and completion", () => {
  test("the arrows bring back what was typed, and what was being typed", async () => {
    const terminal = await atLine();
    terminal.type(`uno${KEY.enter}dos${KEY.enter}dos${KEY.enter}tr${KEY.up}${KEY.up}`);
    await terminal.until(() => shown(terminal).at(-1) === "yo > uno", "the first line");
    terminal.type(`${KEY.up}${KEY.down}${KEY.down}${KEY.down}es`);
    await terminal.until(() => shown(terminal).at(-1) === "yo > tres", "the line under way");
    terminal.type(KEY.enter);
    await terminal.shows('line "tres"');
    terminal.type(KEY.ctrlC);
    await ended(terminal);
    expect(terminal.text).toContain("leaving");
  });

  test("the next line has the history of the one before", async () => {
    const terminal = await atLine();
    terminal.type(`uno${KEY.enter}`);
    await terminal.shows('line "uno"');
    terminal.paste("a\nb");
    terminal.type(`${KEY.enter}/again${KEY.enter}`);
    await terminal.until(({ bracketedPaste }) => bracketedPaste, "a line");
    terminal.type(`${KEY.up}${KEY.up}`);
    // A paste is known to its own line only, so it is not among them.
    await terminal.until(() => shown(terminal).at(-1) === "yo > uno", "the first line");
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test("Tab completes as far as it is certain, and a second one shows what there is", async () => {
    const terminal = await atLine();
    terminal.type(`b${KEY.tab}`);
    await showsRows(terminal, ["yo > Bruno"]);
    expect(terminal.screen.cursor.col).toBe("yo > Bruno ".length);
    terminal.type(`y a${KEY.tab}`);
    await showsRows(terminal, ["yo > Bruno y Ana"]);
    terminal.type(KEY.tab);
    terminal.type(KEY.tab);
    await showsRows(terminal, ["Ana  Anastasia", "yo > Bruno y Ana"]);
    terminal.type(`s${KEY.tab}${KEY.tab}x${KEY.enter}`);
    await terminal.shows('line "Bruno y Anastasia x"');
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });
});

describe("pastes", () => {
  test("one line is inserted, several stand as a placeholder and are sent as they were copied", async () => {
    const terminal = await atLine();
    terminal.type("<>");
    terminal.type(KEY.left);
    terminal.paste("una línea\n");
    await showsRows(terminal, ["yo > <una línea>"]);
    terminal.paste("dos\n\tlíneas\x1b[31m\n");
    await showsRows(terminal, ["yo > <una línea[2 líneas]>"]);
    terminal.paste("otras\ndos");
    await showsRows(terminal, ["yo > <una línea[2 líneas][2 líneas, 2]>"]);
    terminal.type(KEY.enter);
    await terminal.shows(`typed "<una línea[2\u00a0líneas][2\u00a0líneas,\u00a02]>"`);
    const sent = JSON.stringify("<una líneados\n\tlíneas\x1b[31motras\ndos>");
    expect(terminal.screen.transcript.replaceAll("\n", "")).toContain(`line ${sent}`);
    terminal.type(`${KEY.up}${KEY.home}x${KEY.enter}`);
    await terminal.until(() => terminal.text.match(/typed "/g)?.length === 2, "the recalled line");
    expect(terminal.screen.transcript.replaceAll("\n", "")).toContain("x<una líneados");
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("a placeholder is passed, deleted and cut as one character", async () => {
    const terminal = await atLine();
    terminal.type("a");
    terminal.paste("1\n2");
    terminal.type(`b${KEY.left}${KEY.left}_`);
    await showsRows(terminal, ["yo > a_[2 líneas]b"]);
    terminal.type(`${KEY.end}${KEY.left}${KEY.backspace}`);
    await showsRows(terminal, ["yo > a_b"]);
    terminal.paste("3\n4");
    terminal.type(KEY.ctrlW);
    await showsRows(terminal, ["yo > a_b"]);
    terminal.type(`${KEY.ctrlY}${KEY.enter}`);
    await terminal.shows(`line ${JSON.stringify("a_3\n4b")}`);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("no paste presses Enter, and one whose end is lost ends after a while", async () => {
    const terminal = await atLine();
    terminal.type(`${KEY.escape}[200~uno\rdos\r\x03`);
    await showsRows(terminal, ["yo > [3 líneas]"]);
    terminal.type(`${KEY.escape}[201~!${KEY.enter}`);
    await terminal.shows(`line ${JSON.stringify("uno\ndos\n\x03!")}`);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });

  test("a paste of a mebibyte is one placeholder", async () => {
    const terminal = await atLine();
    terminal.paste("0123456789abcde\n".repeat(65_536));
    await showsRows(terminal, ["yo > [65536 líneas]"]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });
});

describe("resizing", () => {
  test("a wider terminal has the line once, in fewer rows", async () => {
    const terminal = await atLine({ cols: 20 });
    terminal.type(`antes${KEY.enter}${"abcde".repeat(6)}`);
    await showsRows(terminal, ['line "antes"', "yo > abcdeabcdeabcde", "abcdeabcdeabcde"]);
    terminal.resize(60, 16);
    await showsRows(terminal, ['line "antes"', `yo > ${"abcde".repeat(6)}`]);
    terminal.type("!");
    await showsRows(terminal, ['line "antes"', `yo > ${"abcde".repeat(6)}!`]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });

  test("a narrower terminal has the line once", async () => {
    const terminal = await atLine({ cols: 60 });
    terminal.type(`antes${KEY.enter}${"abcde".repeat(4)}${KEY.left.repeat(20)}`);
    await showsRows(terminal, ['line "antes"', `yo > ${"abcde".repeat(4)}`]);
    terminal.resize(20, 8);
    await showsRows(terminal, ['line "antes"', "yo > abcdeabcdeabcde", "abcde"]);
    terminal.type(`${KEY.ctrlC}${KEY.ctrlC}`);
    await ended(terminal);
  });
});

describe("keys typed ahead", () => {
  test("are not echoed, and reach the password prompt and then the line", async () => {
    const terminal = new AtTerminal(["password"], SMALL);
    opened.push(terminal);
    await terminal.shows("working");
    terminal.type(`dropped${KEY.ctrlC}`);
    await terminal.shows("interrupted");
    // A report of the focus between them, in two reads, is none of them.
    terminal.type(`sés${FOCUS.out.slice(0, 2)}`);
    await terminal.shows("14 bytes held");
    terminal.type(`${FOCUS.out.slice(2)}amo${KEY.enter}`);
    await terminal.shows("19 bytes held");
    terminal.signal("SIGUSR1");
    await terminal.shows(`"value":"sésamo"`);
    expect(terminal.text.replace(`"value":"sésamo"`, "")).not.toMatch(/dropped|sésamo/);
    await terminal.shows("yo > ");
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });
});

describe("a terminal that can only append", () => {
  test("gets no sequence at all, and the line can be typed, corrected, completed and sent", async () => {
    const terminal = await atLine({ term: "dumb" });
    terminal.type(`holx${KEY.backspace}a`);
    await terminal.until(() => shown(terminal).at(-1) === "yo > hola", "the corrected line");
    terminal.type(` b${KEY.tab}${KEY.up}${KEY.left}y${KEY.enter}`);
    await terminal.shows('line "hola bruno y"'.replace("bruno", "Bruno"));
    terminal.type("otra línea que sobra");
    terminal.type(`${KEY.ctrlU}an${KEY.tab}`);
    await terminal.until(() => shown(terminal).at(-1) === "yo > Ana", "the completed name");
    terminal.type(KEY.tab);
    terminal.type(KEY.tab);
    await terminal.shows("Ana  Anastasia\r\nyo > Ana");
    terminal.type(`${KEY.ctrlW}${KEY.enter}${KEY.ctrlC}`);
    await ended(terminal);
    expect(terminal.raw).not.toMatch(/[\x1b\x08\x07]/);
    expect(terminal.screen.cursorMoves).toBe(0);
  });

  test("what arrives stands on rows of its own, and what is being typed follows it", async () => {
    const terminal = await atLine({ term: "dumb", cols: 80 });
    terminal.type(`/flood 2${KEY.enter}`);
    await terminal.shows("message 2");
    terminal.type("medio");
    await terminal.until(() => shown(terminal).at(-1) === "yo > medio", "the line");
    for (const row of shown(terminal)) expect(row).toMatch(/^(message \d 👩‍👩‍👧 ñ+|yo >.*)$/);
    terminal.type(KEY.ctrlC);
    await terminal.until(() => shown(terminal).at(-1) === "yo >", "an empty line");
    terminal.type(KEY.ctrlD);
    await ended(terminal);
  });

  test("several lines that come at once are several lines", async () => {
    const terminal = await atLine({ term: "dumb" });
    terminal.type("uno\rdos\ntres\r");
    await terminal.shows('line "tres"');
    expect([...terminal.text.matchAll(/line "(\w+)"/g)].map(([, word]) => word)).toEqual([
      "uno",
      "dos",
      "tres",
    ]);
    terminal.type(KEY.ctrlC);
    await ended(terminal);
  });
});
