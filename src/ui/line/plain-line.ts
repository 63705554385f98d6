/**
 * The input line of a terminal that can only append (TERM=dumb): nothing moves and nothing is erased. What is
 * typed is echoed as it comes; any other change writes the line anew on a row of its own.
 */
import { visibleText } from "../../protocol/visible-text.ts";
import { InputLine, type InputLineOptions } from "./input-line.ts";
import type { EditedLine } from "./line-edits.ts";

/** The cursor stands at the end, so of the editing keys only those that delete before it make sense. */
const KEYS: ReadonlySet<string> = new Set([
  "return",
  "enter",
  "tab",
  "backspace",
  "alt-backspace",
  "ctrl-backspace",
  "ctrl-c",
  "ctrl-d",
  "ctrl-h",
  "ctrl-l",
  "ctrl-u",
  "ctrl-w",
  "ctrl-z",
]);
/** How long after Enter the next prompt waits for the answer, in ms. */
const ANSWER = 300;

/** The row that the cursor stands on. */
type Row =
  /** Empty. */
  | { readonly name: "fresh" }
  /** Empty too, and stays so until the answer to the last line is printed, or the timer ends. */
  | { readonly name: "answering"; readonly timer: ReturnType<typeof setTimeout> }
  /** The prompt and the line stand there. */
  | { readonly name: "shown" }
  /** What stands there is not the line as it is now. */
  | { readonly name: "stale" };

export class PlainLine extends InputLine {
  /** To be written in this turn of the event loop. */
  #pending = "";
  #row: Row = { name: "fresh" };

  constructor(options: InputLineOptions) {
    super(options, { hasSequences: false, keys: KEYS });
  }

  /** Shown when the line is next written on a row of its own. */
  override setPrompt(prompt: string): void {
    this.prompt = prompt;
  }

  protected override printAbove(text: string): void {
    this.#freshRow();
    this.#pending += text;
    this.schedule();
  }

  protected override showEdit(before: EditedLine | undefined): void {
    if (before === undefined || !this.text.startsWith(before.text)) return this.#renew();
    if (this.#row.name === "shown") this.#pending += visibleText(this.text.slice(before.text.length));
    if (this.#row.name === "answering") this.#becomes({ name: "fresh" });
    this.schedule();
  }

  protected override showEnter(): void {
    // What was pasted in one go is on the screen before its answer, too.
    this.#show();
    this.#freshRow();
    // The answer is mostly printed by then: one prompt after it, and none before it.
    this.#becomes({ name: "answering", timer: setTimeout(() => this.#renew(), ANSWER) });
  }

  protected override ring(): void {
    // A terminal like this one may print the character.
  }

  protected override clear(): void {
    this.#renew();
  }

  protected override passLine(): void {
    this.#freshRow();
    this.#write();
  }

  protected override continued(): void {
    this.#renew();
  }

  protected override resized(): void {
    // Rows that were written stay as they are.
  }

  protected override leaveLine(): void {
    this.#freshRow();
    this.#write();
  }

  protected override get columns(): number | undefined {
    return this.output.columns || undefined;
  }

  protected override draw(): void {
    if (this.#row.name !== "answering") this.#show();
    this.#write();
  }

  #becomes(row: Row): void {
    if (this.#row.name === "answering") clearTimeout(this.#row.timer);
    this.#row = row;
  }

  /** The line is to be written anew. */
  #renew(): void {
    const isEmpty = this.#row.name === "fresh" || this.#row.name === "answering";
    this.#becomes({ name: isEmpty ? "fresh" : "stale" });
    this.schedule();
  }

  #freshRow(): void {
    if (this.#row.name === "shown" || this.#row.name === "stale") this.#pending += "\n";
    this.#becomes({ name: "fresh" });
  }

  #show(): void {
    if (this.#row.name === "shown") return;
    this.#freshRow();
    this.#pending += this.prompt + visibleText(this.text);
    this.#becomes({ name: "shown" });
  }

  #write(): void {
    if (this.#pending !== "") this.output.write(this.#pending);
    this.#pending = "";
  }
}
