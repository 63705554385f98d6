/** The editing keys as a table of pure functions; they do what they do in a shell. */
import type { Key } from "node:readline";
import { visibleText } from "../../protocol/visible-text.ts";
import { graphemesOf } from "../format/graphemes.ts";

export type EditedLine = {
  readonly text: string;
  /** UTF-16 units before the cursor; never inside a character or a placeholder. */
  readonly cursor: number;
  /** The text cut last, for Ctrl-Y. */
  readonly cut: string;
};

export const EMPTY_LINE: EditedLine = { text: "", cursor: 0, cut: "" };

/** UTF-16 units of the line: a message of 32 KiB fits. */
export const MAX_LINE = 65_536;
/** Maximum length of one character in UTF-16 units; flags and family emoji are far shorter. */
const MAX_CHARACTER = 64;

/** A line break in the line. */
const LINE_BREAK_SIGN = "\u23ce";

/** The text as it is drawn in the line: a row of its own for each line would move everything above it. */
export function shownInLine(text: string): string {
  return visibleText(text.replaceAll("\n", LINE_BREAK_SIGN));
}

const WORD = /^[\p{L}\p{N}\p{M}_]/u;

type Kind = "space" | "word" | "placeholder" | "other";

function isAscii(code: number): boolean {
  return code < 0x80;
}

/** The placeholder or character before the cursor; empty at the beginning. */
function before(text: string, cursor: number, placeholders: readonly string[]): string {
  const placeholder = placeholders.find((each) => text.endsWith(each, cursor));
  if (placeholder !== undefined) return placeholder;
  // An ASCII character never joins the character before it.
  if (isAscii(text.charCodeAt(cursor - 1))) return text.charAt(cursor - 1);
  let last = "";
  const near = text.slice(Math.max(0, cursor - MAX_CHARACTER), cursor);
  for (const { segment } of graphemesOf(near)) last = segment;
  return last;
}

/** The placeholder or character after the cursor; empty at the end. */
function after(text: string, cursor: number, placeholders: readonly string[]): string {
  const placeholder = placeholders.find((each) => text.startsWith(each, cursor));
  if (placeholder !== undefined) return placeholder;
  if (isAscii(text.charCodeAt(cursor)) && isAscii(text.charCodeAt(cursor + 1))) return text.charAt(cursor);
  for (const { segment } of graphemesOf(text.slice(cursor, cursor + MAX_CHARACTER))) return segment;
  return "";
}

function kindOf(step: string, placeholders: readonly string[]): Kind {
  if (placeholders.includes(step)) return "placeholder";
  if (step.trim() === "") return "space";
  return WORD.test(step) ? "word" : "other";
}

/** Length of the next word, with the spaces between it and the cursor, in UTF-16 units. @param step `before` or `after` */
function wordLength(
  { text, cursor }: EditedLine,
  placeholders: readonly string[],
  step: typeof before,
): number {
  const direction = step === before ? -1 : 1;
  let length = 0;
  let word: Kind | undefined;
  for (;;) {
    const next = step(text, cursor + direction * length, placeholders);
    if (next === "") return length;
    const kind = kindOf(next, placeholders);
    if (word === undefined) word = kind === "space" ? undefined : kind;
    else if (kind !== word || kind === "placeholder") return length;
    length += next.length;
  }
}

/** The line with a text inserted at the cursor. */
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

/** Swaps the characters on both sides of the cursor, and moves the cursor after them. */
function transposed(line: EditedLine, placeholders: readonly string[]): EditedLine {
  const right = after(line.text, line.cursor, placeholders);
  const middle =
    right === "" ? line.cursor - before(line.text, line.cursor, placeholders).length : line.cursor;
  const second = after(line.text, middle, placeholders);
  const first = before(line.text, middle, placeholders);
  if (first === "" || second === "") return line;
  const rest = removed(line, middle - first.length, middle + second.length);
  return inserted(rest, second + first);
}

/** @param placeholders each is treated as one character */
type Edit = (line: EditedLine, placeholders: readonly string[]) => EditedLine;

const toStart: Edit = (line) => moved(line, -line.cursor);
const toEnd: Edit = (line) => moved(line, line.text.length - line.cursor);
const left: Edit = (line, placeholders) => moved(line, -before(line.text, line.cursor, placeholders).length);
const right: Edit = (line, placeholders) => moved(line, after(line.text, line.cursor, placeholders).length);
const wordLeft: Edit = (line, placeholders) => moved(line, -wordLength(line, placeholders, before));
const wordRight: Edit = (line, placeholders) => moved(line, wordLength(line, placeholders, after));
const backspace: Edit = (line, placeholders) =>
  removed(line, line.cursor - before(line.text, line.cursor, placeholders).length, line.cursor);
const deleteNext: Edit = (line, placeholders) =>
  removed(line, line.cursor, line.cursor + after(line.text, line.cursor, placeholders).length);
const cutToStart: Edit = (line) => cutOut(line, 0, line.cursor);
const cutToEnd: Edit = (line) => cutOut(line, line.cursor, line.text.length);
const cutWordLeft: Edit = (line, placeholders) =>
  cutOut(line, line.cursor - wordLength(line, placeholders, before), line.cursor);
const cutWordRight: Edit = (line, placeholders) =>
  cutOut(line, line.cursor, line.cursor + wordLength(line, placeholders, after));
const paste: Edit = (line) => inserted(line, line.cut);

/** Key, named as by `keyName` → edit. */
const EDITS: ReadonlyMap<string, Edit> = new Map([
  ["home", toStart],
  ["ctrl-a", toStart],
  ["end", toEnd],
  ["ctrl-e", toEnd],
  ["left", left],
  ["ctrl-b", left],
  ["right", right],
  ["ctrl-f", right],
  ["ctrl-left", wordLeft],
  ["alt-left", wordLeft],
  ["alt-b", wordLeft],
  ["ctrl-right", wordRight],
  ["alt-right", wordRight],
  ["alt-f", wordRight],
  ["backspace", backspace],
  ["ctrl-h", backspace],
  ["delete", deleteNext],
  ["ctrl-d", deleteNext],
  ["ctrl-u", cutToStart],
  ["ctrl-k", cutToEnd],
  ["ctrl-w", cutWordLeft],
  ["ctrl-backspace", cutWordLeft],
  ["alt-backspace", cutWordLeft],
  ["ctrl-delete", cutWordRight],
  ["alt-delete", cutWordRight],
  ["alt-d", cutWordRight],
  ["ctrl-y", paste],
  ["ctrl-t", transposed],
]);

/** Keys that do the same with and without Ctrl or Alt. */
const UNMODIFIED = ["return", "enter", "tab", "up", "down"];

/**
 * The name of a key with its modifier: `left`, `ctrl-left`, `alt-left`; `line-break` for Enter with Shift or Alt; empty
 * for a key without a name.
 */
export function keyName({ name = "", ctrl, meta, shift }: Key): string {
  if ((name === "return" || name === "enter") && (meta === true || shift === true)) return "line-break";
  if (UNMODIFIED.includes(name)) return name;
  return `${ctrl === true ? "ctrl-" : meta === true ? "alt-" : ""}${name}`;
}

/** The line after a key; the same object if the key changes nothing. @param key named as by `keyName` */
export function edited(line: EditedLine, key: string, placeholders: readonly string[]): EditedLine {
  return EDITS.get(key)?.(line, placeholders) ?? line;
}
