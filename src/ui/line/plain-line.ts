/**
 * The input line of a terminal that can only write on (TERM=dumb): nothing moves and nothing is erased. What is
 * typed is echoed as it comes; whatever else changes the line writes it anew on a row of its own.
 */
import type { Key } from "node:readline";

import { visibleText } from "../../protocol/visible-text.ts";
import type { InputLine, InputLineEvents, InputLineOptions } from "./input-line.ts";
import { completed, offersLine } from "./completion.ts";
import { EMPTY_LINE, edited, inserted, MAX_LINE, type EditedLine } from "./line-edits.ts";
import { isLineText, PastedTexts } from "./pasted-text.ts";
import { HeldTerminal } from "../terminal/raw-terminal.ts";
import { TypedHistory } from "./history.ts";

/** The keys that take something away before the cursor, which always stands at the end here. */
const CUTTING_KEYS = ["u", "w", "h"];
/** How long after Enter the next head waits for what the line leads to, in ms. */
const ANSWER = 300;

export class DumbLine implements InputLine {
  readonly #terminal: HeldTerminal;
  readonly #output: NodeJS.WriteStream;
  readonly #events: InputLineEvents;
  readonly #pastes: PastedTexts;
  readonly #typed: TypedHistory;
  #line: EditedLine = EMPTY_LINE;
  #head: string;
  /** To be written in this turn of the event loop. */
  #pending = "";
  /** The row that the cursor stands on says what the line is. */
  #isShown = false;
  /** Nothing is on the row that the cursor stands on. */
  #isFreshRow = true;
  #isScheduled = false;
  /** A line was entered, and what it leads to is not printed yet. */
  #isAnswering = false;
  #isClosed = false;
  #wasTab = false;

  constructor({ input, output, head, history, pastedLines, events }: InputLineOptions) {
    this.#output = output;
    this.#events = events;
    this.#head = head;
    this.#pastes = new PastedTexts(pastedLines);
    this.#typed = new TypedHistory(history);
    this.#terminal = new HeldTerminal(
      { input, output, hasSequences: false },
      {
        key: (typed, key) => this.#key(typed, key),
        resized: () => undefined,
        continued: () => this.#renew(),
        gone: () => events.leaving(),
      },
    );
    this.#renew();
  }

  get text(): string {
    return this.#line.text;
  }

  get history(): readonly string[] {
    return this.#typed.without(this.#pastes.marks);
  }

  print(text: string): void {
    if (this.#isClosed) return;
    this.#freshRow();
    this.#pending += text;
    this.#isFreshRow = true;
    this.#renew();
  }

  /** Shown when the line is next written on a row of its own. */
  setHead(head: string): void {
    this.#head = head;
  }

  offer(text: string): boolean {
    if (this.text !== "") return false;
    const shown = isLineText(text) ? text : this.#pastes.add(text);
    if (shown === undefined) return false;
    this.#line = inserted(this.#line, shown);
    this.#renew();
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#freshRow();
    this.#write();
    this.#isClosed = true;
    this.#terminal.close();
  }

  #key(typed: string | undefined, key: Key): void {
    const wasTab = this.#wasTab;
    this.#wasTab = false;
    const name = key.name ?? "";
    if (name === "return" || name === "enter") this.#enter();
    else if (name === "tab") this.#complete(wasTab);
    else if (name === "backspace" || (key.ctrl === true && CUTTING_KEYS.includes(name)))
      this.#change(edited(this.#line, key, this.#pastes.marks));
    else if (key.ctrl === true) this.#control(name);
    else if (typed !== undefined && key.meta !== true && isLineText(typed)) this.#insert(typed);
  }

  #control(name: string): void {
    if (name === "c" && this.text !== "") this.#change({ ...this.#line, text: "", cursor: 0 });
    else if (name === "c" || (name === "d" && this.text === "")) this.#events.leaving();
    else if (name === "l") this.#renew();
    else if (name === "z") this.#suspend();
  }

  #change(line: EditedLine): void {
    if (line === this.#line) return;
    this.#line = line;
    this.#renew();
    this.#events.edited(line.text === "");
  }

  /** Adds to the end of the line and echoes that. */
  #insert(text: string): void {
    if (this.text.length + text.length > MAX_LINE) return;
    this.#line = inserted(this.#line, text);
    this.#isAnswering = false;
    if (this.#isShown) this.#pending += visibleText(text);
    this.#schedule();
    this.#events.edited(false);
  }

  #enter(): void {
    const { text } = this;
    this.#typed.add(text);
    // What was typed in one go is on the screen before its answer, too.
    this.#show();
    this.#line = { ...EMPTY_LINE, cut: this.#line.cut };
    this.#freshRow();
    // What the line leads to is mostly printed by then: one head behind it, and none before it.
    this.#isAnswering = true;
    this.#schedule();
    setTimeout(() => {
      if (this.#isAnswering) this.#renew();
    }, ANSWER);
    if (text !== "") this.#events.edited(true);
    this.#events.line(text, (line) => this.#pastes.expand(line));
  }

  #complete(isSecond: boolean): void {
    const { text } = this;
    const offered = this.#events.complete(text);
    const whole = completed(text, true, offered);
    if (whole !== text && whole.startsWith(text)) this.#insert(whole.slice(text.length));
    else if (whole !== text) this.#change({ ...this.#line, text: whole, cursor: whole.length });
    else if (isSecond && offered.offers.length > 1)
      this.print(offersLine(offered.shown, this.#output.columns || undefined));
    else this.#wasTab = true;
  }

  #suspend(): void {
    this.#freshRow();
    this.#write();
    this.#terminal.suspend();
  }

  /** The line is to be written anew. */
  #renew(): void {
    this.#isAnswering = false;
    this.#isShown = false;
    this.#schedule();
  }

  #freshRow(): void {
    if (!this.#isFreshRow) this.#pending += "\n";
    this.#isFreshRow = true;
    this.#isShown = false;
  }

  #show(): void {
    if (this.#isShown) return;
    this.#freshRow();
    this.#pending += this.#head + visibleText(this.text);
    this.#isFreshRow = false;
    this.#isShown = true;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isClosed) return;
      if (!this.#isAnswering) this.#show();
      this.#write();
    });
  }

  #write(): void {
    if (this.#pending !== "") this.#output.write(this.#pending);
    this.#pending = "";
  }
}
