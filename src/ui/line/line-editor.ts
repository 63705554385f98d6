/**
 * The input line of a terminal that can move its cursor. `node:readline` takes the keys apart; what they do and
 * how it looks are pure functions beside this file. All that happens in one turn of the event loop is one write.
 */
import type { Key } from "node:readline";

import { completed, offersLine } from "./completion.ts";
import { EMPTY_LINE, edited, inserted, MAX_LINE, type EditedLine } from "./line-edits.ts";
import { BLANK_FRAME, erased, frameOf, passed, redrawn, reflowed, type Frame } from "./line-frame.ts";
import type { InputLine, InputLineEvents, InputLineOptions } from "./input-line.ts";
import { PasteReader } from "./paste-reader.ts";
import { isLineText, isTypedPaste, PastedTexts, pastedText } from "./pasted-text.ts";
import { HeldTerminal } from "../terminal/raw-terminal.ts";
import { TypedHistory } from "./history.ts";

/** UTF-16 units that are printed in one write. */
const MAX_GATHERED = 1_048_576;

const BELL = "\x07";
/** Of a terminal that does not tell its size. */
const USUAL_SIZE = { columns: 80, rows: 24 };
const MIN_COLUMNS = 2;

export class EditableLine implements InputLine {
  readonly #terminal: HeldTerminal;
  readonly #output: NodeJS.WriteStream;
  readonly #events: InputLineEvents;
  readonly #pastes: PastedTexts;
  readonly #typed: TypedHistory;
  readonly #paste = new PasteReader((text) => this.#pasted(text));
  #line: EditedLine = EMPTY_LINE;
  #head: string;
  /** As it stands on the screen. */
  #frame: Frame = BLANK_FRAME;
  /** To be printed above it. */
  #above = "";
  #mustRedraw = false;
  #isScheduled = false;
  #isClosed = false;
  /** Tab was the last key, and could add nothing. */
  #wasTab = false;

  constructor({ input, output, head, history, pastedLines, events }: InputLineOptions) {
    this.#output = output;
    this.#events = events;
    this.#head = head;
    this.#pastes = new PastedTexts(pastedLines);
    this.#typed = new TypedHistory(history);
    this.#terminal = new HeldTerminal(
      { input, output, hasSequences: true },
      {
        key: (typed, key) => this.#key(typed, key),
        resized: () => this.#resized(),
        continued: () => this.#continued(),
        gone: () => events.leaving(),
      },
    );
    this.#schedule();
  }

  get text(): string {
    return this.#line.text;
  }

  get history(): readonly string[] {
    return this.#typed.without(this.#pastes.marks);
  }

  print(text: string): void {
    if (this.#isClosed) return;
    this.#above += text;
    if (this.#above.length > MAX_GATHERED) this.#draw();
    else this.#schedule();
  }

  setHead(head: string): void {
    if (head === this.#head) return;
    this.#head = head;
    this.#schedule();
  }

  offer(text: string): boolean {
    if (this.#line.text !== "" || this.#paste.isReading) return false;
    const shown = isLineText(text) && text.length <= MAX_LINE ? text : this.#marked(text);
    if (shown === undefined) return false;
    this.#line = inserted(this.#line, shown);
    this.#schedule();
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#write(erased(this.#frame) + this.#above);
    this.#line = EMPTY_LINE;
    this.#isClosed = true;
    this.#paste.close();
    this.#terminal.close();
  }

  #key(typed: string | undefined, key: Key): void {
    if (this.#paste.takes(typed, key)) return;
    const wasTab = this.#wasTab;
    this.#wasTab = false;
    if (key.name === "return" || key.name === "enter") this.#enter();
    else if (key.name === "tab") this.#complete(wasTab);
    else if (key.name === "up" || (key.ctrl === true && key.name === "p"))
      this.#recall(this.#typed.older(this.text));
    else if (key.name === "down" || (key.ctrl === true && key.name === "n"))
      this.#recall(this.#typed.newer());
    else if (key.ctrl === true && key.name === "c") this.#interrupt();
    else if (key.ctrl === true && key.name === "d" && this.text === "") this.#events.leaving();
    else if (key.ctrl === true && key.name === "z") this.#suspend();
    else if (key.ctrl === true && key.name === "l") this.#clear();
    else if (typed !== undefined && key.ctrl !== true && key.meta !== true && isLineText(typed))
      this.#insert(typed);
    else this.#change(edited(this.#line, key, this.#pastes.marks));
  }

  #change(line: EditedLine): void {
    if (line === this.#line) return;
    const isOther = line.text !== this.#line.text;
    this.#line = line;
    this.#schedule();
    if (isOther) this.#events.edited(line.text === "");
  }

  #insert(text: string): void {
    if (this.text.length + text.length > MAX_LINE) this.print(BELL);
    else this.#change(inserted(this.#line, text));
  }

  #replace(text: string, cursor: number): void {
    this.#change({ ...this.#line, text, cursor });
  }

  #enter(): void {
    const { text } = this;
    this.#typed.add(text);
    this.#replace("", 0);
    this.#events.line(text, (line) => this.#pastes.expand(line));
  }

  #interrupt(): void {
    if (this.text === "") this.#events.leaving();
    else this.#replace("", 0);
  }

  #recall(text: string | undefined): void {
    if (text !== undefined) this.#replace(text, text.length);
  }

  #complete(isSecond: boolean): void {
    const { text, cursor } = this.#line;
    const before = text.slice(0, cursor);
    const offered = this.#events.complete(before);
    const whole = completed(before, cursor === text.length, offered);
    if (whole !== before) this.#replace(whole + text.slice(cursor), whole.length);
    else if (isSecond && offered.offers.length > 1) this.print(offersLine(offered.shown, this.#size.columns));
    else this.#wasTab = true;
  }

  #pasted(received: string): void {
    const text = pastedText(received);
    if (isTypedPaste(text)) this.#insert(text);
    else {
      const mark = this.#marked(text);
      if (mark === undefined) this.print(BELL);
      else this.#insert(mark);
    }
  }

  /** The mark of a text; undefined when the line is full of marks. */
  #marked(text: string): string | undefined {
    const mark = this.#pastes.add(text);
    if (mark !== undefined) return mark;
    const unused = this.#pastes.marks.find((each) => !this.text.includes(each));
    if (unused === undefined) return undefined;
    this.#pastes.forget(unused);
    this.#typed.forget(unused);
    return this.#pastes.add(text);
  }

  #suspend(): void {
    this.#draw();
    this.#write(passed(this.#frame));
    this.#terminal.suspend();
  }

  #continued(): void {
    this.#frame = BLANK_FRAME;
    this.#redraw();
  }

  #resized(): void {
    this.#frame = reflowed(this.#frame, this.#size.columns);
    this.#redraw();
  }

  get #size() {
    const { columns, rows } = this.#output;
    return { columns: Math.max(MIN_COLUMNS, columns || USUAL_SIZE.columns), rows: rows || USUAL_SIZE.rows };
  }

  #redraw(): void {
    this.#mustRedraw = true;
    this.#schedule();
  }

  /** Clears the screen; what stood on it can be scrolled back to. */
  #clear(): void {
    const { rows } = this.#size;
    // From whatever row the line stood in, these scroll away all that is above it and no blank row.
    this.#write(`${erased(this.#frame)}${"\n".repeat(rows - 1)}\x1b[H`);
    this.#frame = BLANK_FRAME;
    this.#redraw();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#draw();
    });
  }

  #draw(): void {
    let text = "";
    if (this.#mustRedraw || this.#above !== "") {
      text = (this.#mustRedraw ? "\r\x1b[J" : "") + erased(this.#frame) + this.#above;
      this.#frame = BLANK_FRAME;
      this.#above = "";
      this.#mustRedraw = false;
    }
    const next = frameOf(this.#head, this.#line.text, this.#line.cursor, this.#size);
    this.#write(text + redrawn(this.#frame, next));
    this.#frame = next;
  }

  #write(text: string): void {
    if (text !== "") this.#output.write(text);
  }
}
