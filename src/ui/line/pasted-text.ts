/**
 * Texts pasted into the input line. A text that is long or has several lines is shown as a placeholder, «[3 líneas]»,
 * until Enter. The editing keys treat a placeholder as one character.
 */
import type { Key } from "node:readline";

/** Number of pasted texts that are kept for the line and its history. */
export const MAX_PASTES = 16;
/** UTF-16 units of one paste; the rest is dropped. This is more than a message may have, so the message is refused. */
export const MAX_PASTE = 1_048_576;
/** Code points of a paste that is inserted as if it were typed. */
const MAX_TYPED_PASTE = 1_000;

const NOT_TYPED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const NO_BREAK_SPACE = "\u00a0";

/** Whether a text can be in the line as it is: one line, without control characters. */
export function isLineText(text: string): boolean {
  return !NOT_TYPED.test(text);
}

/** The pasted text with line feeds: terminals send CR for a line end. One line end at the end is removed. */
export function pastedText(received: string): string {
  return received.slice(0, MAX_PASTE).toWellFormed().replace(/\r\n?/g, "\n").replace(/\n$/, "");
}

/** Whether a paste is inserted as if it were typed. */
export function isTypedPaste(text: string): boolean {
  // A code point has at most two units, so a longer text need not be counted.
  return isLineText(text) && text.length <= 2 * MAX_TYPED_PASTE && [...text].length <= MAX_TYPED_PASTE;
}

function countLines(text: string): number {
  // Not by a regular expression: /\n+$/ takes minutes for a paste of empty lines.
  let end = text.length;
  while (text[end - 1] === "\n") end--;
  return text.slice(0, end).split("\n").length;
}

function numbered(placeholder: string, number: number): string {
  const end = placeholder.endsWith("]") ? "]" : "";
  return `${placeholder.slice(0, placeholder.length - end.length)},${NO_BREAK_SPACE}${number}${end}`;
}

/** Placeholders and their texts. */
export class PastedTexts {
  readonly #nameOf: (lines: number) => string;
  readonly #texts = new Map<string, string>();

  /** @param nameOf gives the placeholder for a number of lines */
  constructor(nameOf: (lines: number) => string) {
    this.#nameOf = nameOf;
  }

  /** Oldest first. */
  get placeholders(): readonly string[] {
    return [...this.#texts.keys()];
  }

  /**
   * Keeps a text and returns its placeholder, which is unique. It has no-break spaces, so that it is not typed by
   * accident.
   * @returns undefined if MAX_PASTES texts are kept already
   */
  add(text: string): string | undefined {
    if (this.#texts.size >= MAX_PASTES) return undefined;
    const name = this.#nameOf(countLines(text)).replaceAll(" ", NO_BREAK_SPACE);
    let placeholder = name;
    for (let number = 2; this.#texts.has(placeholder); number++) placeholder = numbered(name, number);
    this.#texts.set(placeholder, text);
    return placeholder;
  }

  forget(placeholder: string): void {
    this.#texts.delete(placeholder);
  }

  /** Replaces every placeholder by its text; a placeholder inside such a text is not replaced. */
  expand(line: string): string {
    return this.parts(line).join("");
  }

  /** What was typed and what was pasted, in turn, beginning with what was typed. */
  parts(line: string): string[] {
    const { placeholders } = this;
    const parts: string[] = [];
    let typed = "";
    for (let index = 0; index < line.length;) {
      const placeholder = placeholders.find((each) => line.startsWith(each, index));
      if (placeholder === undefined) typed += line[index];
      else {
        parts.push(typed, this.#texts.get(placeholder) ?? "");
        typed = "";
      }
      index += placeholder?.length ?? 1;
    }
    return [...parts, typed];
  }
}

/** A paste whose end is missing ends when no key has come for this long, in ms. */
const PASTE_END_WAIT = 2_000;

/** Joins the keys of a bracketed paste. */
export class PasteReader {
  readonly #onPaste: (received: string) => void;
  /** What has been received of the current paste. */
  #paste: { received: string; readonly timer: NodeJS.Timeout } | undefined;

  /** @param onPaste takes the pasted text, which is not empty */
  constructor(onPaste: (received: string) => void) {
    this.#onPaste = onPaste;
  }

  get isReading(): boolean {
    return this.#paste !== undefined;
  }

  /** Takes a key if it belongs to a paste. @returns whether it does */
  takes(typed: string | undefined, key: Key): boolean {
    if (key.name === "paste-end") {
      this.#end();
      return true;
    }
    if (key.name === "paste-start") {
      this.#paste ??= { received: "", timer: setTimeout(() => this.#end(), PASTE_END_WAIT) };
      return true;
    }
    const paste = this.#paste;
    if (paste === undefined) return false;
    if (paste.received.length < MAX_PASTE) paste.received += key.sequence ?? typed ?? "";
    // Ctrl-C does not extend the wait: people type it when nothing seems to happen.
    if (key.name !== "c" || key.ctrl !== true) paste.timer.refresh();
    return true;
  }

  /** Drops the current paste. */
  close(): void {
    clearTimeout(this.#paste?.timer);
    this.#paste = undefined;
  }

  #end(): void {
    const received = this.#paste?.received ?? "";
    this.close();
    if (received !== "") this.#onPaste(received);
  }
}
