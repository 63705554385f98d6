/**
 * What is pasted into the input line. A text that is not simply a piece of one line stands there as a mark,
 * «[3 líneas]», until Enter; the editing keys take a mark as one character, so it is there whole or not at all.
 */

/** Texts kept for the marks of the line and of what the arrow keys bring back. */
export const MAX_PASTES = 16;
/** UTF-16 units of one paste. What is behind them is dropped: no message can be that long, so it is refused in words. */
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

function numbered(mark: string, number: number): string {
  const end = mark.endsWith("]") ? "]" : "";
  return `${mark.slice(0, mark.length - end.length)},${NO_BREAK_SPACE}${number}${end}`;
}

/** The texts behind the marks. */
export class PastedTexts {
  readonly #nameOf: (lines: number) => string;
  readonly #texts = new Map<string, string>();

  /** @param nameOf What a text of so many lines is shown as. */
  constructor(nameOf: (lines: number) => string) {
    this.#nameOf = nameOf;
  }

  /** Oldest first. */
  get marks(): readonly string[] {
    return [...this.#texts.keys()];
  }

  /**
   * Keeps a text and gives its mark, which no other text has. Nobody types one by accident: its spaces are
   * no-break spaces. Undefined, and nothing is kept, when MAX_PASTES are there already: forget one first.
   */
  add(text: string): string | undefined {
    if (this.#texts.size >= MAX_PASTES) return undefined;
    const name = this.#nameOf(countLines(text)).replaceAll(" ", NO_BREAK_SPACE);
    let mark = name;
    for (let number = 2; this.#texts.has(mark); number++) mark = numbered(name, number);
    this.#texts.set(mark, text);
    return mark;
  }

  forget(mark: string): void {
    this.#texts.delete(mark);
  }

  /** The line with every mark's text in its place; what looks like a mark inside such a text stays. */
  expand(line: string): string {
    const { marks } = this;
    let expanded = "";
    for (let index = 0; index < line.length;) {
      const mark = marks.find((each) => line.startsWith(each, index));
      expanded += mark === undefined ? line[index] : this.#texts.get(mark);
      index += mark?.length ?? 1;
    }
    return expanded;
  }
}
