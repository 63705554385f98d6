/** What the editing keys do to the line, as a pure function; the keys are those of every shell's line. */
import type { Key } from "node:readline";
import { graphemes } from "../format/graphemes.ts";

export type EditedLine = {
  readonly text: string;
  /** UTF-16 units before the cursor; never inside a character or a mark. */
  readonly cursor: number;
  /** What was cut last, for Ctrl-Y. */
  readonly cut: string;
};

export const EMPTY_LINE: EditedLine = { text: "", cursor: 0, cut: "" };

/** UTF-16 units of the line; a message of 32 KiB fits, and what is typed behind it is refused. */
export const MAX_LINE = 65_536;
/** UTF-16 units that one character is looked for in; flags and families of emoji are far shorter. */
const MAX_CHARACTER = 64;

const WORD = /^[\p{L}\p{N}\p{M}_]/u;

type Kind = "space" | "word" | "mark" | "other";

function isAscii(code: number): boolean {
  return code < 0x80;
}

/** What one step to the left passes: a mark or a character; empty at the beginning. */
function before(text: string, cursor: number, marks: readonly string[]): string {
  const mark = marks.find((each) => text.endsWith(each, cursor));
  if (mark !== undefined) return mark;
  // Nothing joins an ASCII character to what stands before it.
  if (isAscii(text.charCodeAt(cursor - 1))) return text.charAt(cursor - 1);
  let last = "";
  const near = text.slice(Math.max(0, cursor - MAX_CHARACTER), cursor);
  for (const { segment } of graphemes.segment(near)) last = segment;
  return last;
}

/** What one step to the right passes; empty at the end. */
function after(text: string, cursor: number, marks: readonly string[]): string {
  const mark = marks.find((each) => text.startsWith(each, cursor));
  if (mark !== undefined) return mark;
  if (isAscii(text.charCodeAt(cursor)) && isAscii(text.charCodeAt(cursor + 1))) return text.charAt(cursor);
  for (const { segment } of graphemes.segment(text.slice(cursor, cursor + MAX_CHARACTER))) return segment;
  return "";
}

function kindOf(step: string, marks: readonly string[]): Kind {
  if (marks.includes(step)) return "mark";
  if (step.trim() === "") return "space";
  return WORD.test(step) ? "word" : "other";
}

/** How many UTF-16 units a word is long, and the spaces between it and the cursor. */
function wordLength({ text, cursor }: EditedLine, marks: readonly string[], step: typeof before): number {
  const direction = step === before ? -1 : 1;
  let length = 0;
  let word: Kind | undefined;
  for (;;) {
    const next = step(text, cursor + direction * length, marks);
    if (next === "") return length;
    const kind = kindOf(next, marks);
    if (word === undefined) word = kind === "space" ? undefined : kind;
    else if (kind !== word || kind === "mark") return length;
    length += next.length;
  }
}

/** The line with a text put in at the cursor. */
export function inserted(line: EditedLine, text: string): EditedLine {
  const whole = line.text.slice(0, line.cursor) + text + line.text.slice(line.cursor);
  return { ...line, text: whole, cursor: line.cursor + text.length };
}

function moved(line: EditedLine, distance: number): EditedLine {
  return distance === 0 ? line : { ...line, cursor: line.cursor + distance };
}

function removed(line: EditedLine, from: number, to: number): EditedLine {
  return from === to ? line : { ...line, text: line.text.slice(0, from) + line.text.slice(to), cursor: from };
}

function cutOut(line: EditedLine, from: number, to: number): EditedLine {
  return from === to ? line : { ...removed(line, from, to), cut: line.text.slice(from, to) };
}

/** The characters on both sides of the cursor change places, and the cursor goes behind them. */
function transposed(line: EditedLine, marks: readonly string[]): EditedLine {
  const right = after(line.text, line.cursor, marks);
  const middle = right === "" ? line.cursor - before(line.text, line.cursor, marks).length : line.cursor;
  const second = after(line.text, middle, marks);
  const first = before(line.text, middle, marks);
  if (first === "" || second === "") return line;
  const rest = removed(line, middle - first.length, middle + second.length);
  return inserted(rest, second + first);
}

function controlEdit(line: EditedLine, name: string, marks: readonly string[]): EditedLine {
  const { text, cursor } = line;
  switch (name) {
    case "a":
      return moved(line, -cursor);
    case "e":
      return moved(line, text.length - cursor);
    case "b":
      return moved(line, -before(text, cursor, marks).length);
    case "f":
      return moved(line, after(text, cursor, marks).length);
    case "h":
      return removed(line, cursor - before(text, cursor, marks).length, cursor);
    case "d":
      return removed(line, cursor, cursor + after(text, cursor, marks).length);
    case "u":
      return cutOut(line, 0, cursor);
    case "k":
      return cutOut(line, cursor, text.length);
    case "w":
      return wordEdit(line, "backspace", marks);
    case "y":
      return inserted(line, line.cut);
    case "t":
      return transposed(line, marks);
    default:
      return wordEdit(line, name, marks);
  }
}

/** Alt with a letter, Ctrl or Alt with an arrow, Backspace or Delete. */
function wordEdit(line: EditedLine, name: string, marks: readonly string[]): EditedLine {
  const { cursor } = line;
  switch (name) {
    case "left":
    case "b":
      return moved(line, -wordLength(line, marks, before));
    case "right":
    case "f":
      return moved(line, wordLength(line, marks, after));
    case "backspace":
      return cutOut(line, cursor - wordLength(line, marks, before), cursor);
    case "delete":
    case "d":
      return cutOut(line, cursor, cursor + wordLength(line, marks, after));
    default:
      return line;
  }
}

const PLAIN_KEYS: { readonly [name: string]: string } = {
  left: "b",
  right: "f",
  home: "a",
  end: "e",
  backspace: "h",
  delete: "d",
};

/** The line after an editing key; the same object when the key changes nothing or is none. Typed text is `inserted`. */
export function edited(line: EditedLine, key: Key, marks: readonly string[]): EditedLine {
  const name = key.name ?? "";
  if (key.meta === true) return wordEdit(line, name, marks);
  if (key.ctrl === true) return controlEdit(line, name, marks);
  const plain = PLAIN_KEYS[name];
  return plain === undefined ? line : controlEdit(line, plain, marks);
}
