/**
 * What is pasted into the input line. A text that is more than a piece of one line stands there as a placeholder,
 * «[3 líneas]», until Enter. To the editing keys a placeholder is one character: it is there whole or not at all.
 */
import type { Key } from "node:readline";

/** Texts kept for the placeholders of the line and of its history. */
export const MAX_PASTES = 16;
/** UTF-16 units of one paste; the rest is dropped. No message can be that long, so it is refused with a sentence. */
export const MAX_PASTE = 1_048_576;
/** Code points that are pasted as if they had been typed. */
const MAX_TYPED_PASTE = 1_000;

const NOT_TYPED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const NO_BREAK_SPACE = "\u00a0";

/** Whether a text may stand in the line as it is: one line, without control characters. */
export function isLineText(text: string): boolean {
  return !NOT_TYPED.test(text);
}

/** A paste as it was copied: terminals send a line end as CR. One line end behind the last line is not part of it. */
export function pastedText(received: string): string {
  return received.slice(0, MAX_PASTE).toWellFormed().replace(/\r\n?/g, "\n").replace(/\n$/, "");
}

/** Whether a paste goes into the line as if it had been typed. */
export function isTypedPaste(text: string): boolean {
  // A code point is at most two units, so what is longer need not be counted.
  return isLineText(text) && text.length <= 2 * MAX_TYPED_PASTE && [...text].length <= MAX_TYPED_PASTE;
}

function countLines(text: string): number {
  return text.replace(/\n+$/, "").split("\n").length;
}

function numbered(placeholder: string, number: number): string {
  const end = placeholder.endsWith("]") ? "]" : "";
  return `${placeholder.slice(0, placeholder.length - end.length)},${NO_BREAK_SPACE}${number}${end}`;
}

/** The texts that the placeholders stand for. */
export class PastedTexts {
  readonly #nameOf: (lines: number) => string;
  readonly #texts = new Map<string, string>();

  /** @param nameOf the placeholder of a text of so many lines */
  constructor(nameOf: (lines: number) => string) {
    this.#nameOf = nameOf;
  }

  /** Oldest first. */
  get placeholders(): readonly string[] {
    return [...this.#texts.keys()];
  }

  /**
   * Keeps a text and gives its placeholder, which no other text has. Nobody types one by accident: its spaces
   * are no-break spaces.
   * @returns undefined when MAX_PASTES are kept already: then forget one first.
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

  /** The line with the text of every placeholder; what looks like a placeholder inside such a text stays. */
  expand(line: string): string {
    const { placeholders } = this;
    let expanded = "";
    for (let index = 0; index < line.length;) {
      const placeholder = placeholders.find((each) => line.startsWith(each, index));
      expanded += placeholder === undefined ? line[index] : this.#texts.get(placeholder);
      index += placeholder?.length ?? 1;
    }
    return expanded;
  }
}

/** A paste without an end is over when nothing has come for so long, in ms. */
const PASTE_END_WAIT = 2_000;

/** Puts the keys of a bracketed paste together again. */
export class PasteReader {
  readonly #onPaste: (received: string) => void;
  /** The paste under way, as far as it has come. */
  #paste: { received: string; readonly timer: NodeJS.Timeout } | undefined;

  /** @param onPaste takes what stood between the brackets, not empty */
  constructor(onPaste: (received: string) => void) {
    this.#onPaste = onPaste;
  }

  get isReading(): boolean {
    return this.#paste !== undefined;
  }

  /** Whether a key belongs to a paste. */
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
    // Ctrl-C does not put the end off: people type it when nothing seems to happen.
    if (key.name !== "c" || key.ctrl !== true) paste.timer.refresh();
    return true;
  }

  /** Drops what has come. */
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
