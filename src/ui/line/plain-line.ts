/**
 * The input line of a terminal that can only append (TERM=dumb): the cursor is never moved and nothing is erased.
 * Typed characters are echoed; after any other change the line is written again on a new row.
 */
import { InputLine, type InputLineOptions } from "./input-line.ts";
import { shownInLine, type EditedLine } from "./line-edits.ts";
import { promptText, type LinePrompt } from "./line-prompt.ts";
import { sizeOf } from "../terminal/raw-terminal.ts";

/** The cursor is always at the end, so only the editing keys that delete before it are used. */
const KEYS: ReadonlySet<string> = new Set([
  "return",
  "enter",
  "line-break",
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
/** How long the next prompt waits for output after Enter, in ms. */
const ANSWER = 300;

/** The row of the cursor. */
type Row =
  /** Empty. */
  | { readonly name: "fresh" }
  /** Empty after Enter; the prompt is written when output was printed, or when the timer ends. */
  | { readonly name: "answering"; readonly timer: ReturnType<typeof setTimeout> }
  /** It shows the prompt and the line. */
  | { readonly name: "shown" }
  /** It shows the line before its last change. */
  | { readonly name: "stale" };

export class PlainLine extends InputLine {
  /** Text to be written in this turn of the event loop. */
  #pending = "";
  #row: Row = { name: "fresh" };

  constructor(options: InputLineOptions) {
    super(options, { hasSequences: false, keys: KEYS });
  }

  /** The new prompt is shown when the line is next written on a new row; what stands behind the text never is. */
  override setPrompt(prompt: LinePrompt): void {
    this.prompt = prompt;
  }

  protected override printAbove(text: string): void {
    this.#freshRow();
    this.#pending += text;
    this.schedule();
  }

  protected override showEdit(before: EditedLine | undefined): void {
    if (before === undefined || !this.text.startsWith(before.text)) return this.#renew();
    if (this.#row.name === "shown") this.#pending += shownInLine(this.text.slice(before.text.length));
    if (this.#row.name === "answering") this.#becomes({ name: "fresh" });
    this.schedule();
  }

  protected override showEnter(): void {
    // If text and Enter arrived together, the line was not written yet.
    this.#show();
    this.#freshRow();
    // Mostly the answer is printed before the timer ends, so that there is only one prompt, after it.
    this.#becomes({ name: "answering", timer: setTimeout(() => this.#renew(), ANSWER) });
  }

  protected override ring(): void {
    // A dumb terminal may print the BEL character.
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
    // Written rows cannot be changed.
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

  /** Schedules writing the whole line again. */
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
    const { columns } = sizeOf(this.output);
    this.#pending += promptText(this.prompt, columns, this.hasColours) + shownInLine(this.text);
    this.#becomes({ name: "shown" });
  }

  #write(): void {
    if (this.#pending !== "") this.output.write(this.#pending);
    this.#pending = "";
  }
}
