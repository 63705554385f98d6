/**
 * The input line of a terminal that can move its cursor. The line stays at the bottom, and everything else is printed
 * above it. The changes of one turn of the event loop are one write.
 */
import { InputLine, type InputLineOptions } from "./input-line.ts";
import { sizeOf } from "../terminal/raw-terminal.ts";
import { BLANK_FRAME, erased, frameOf, passed, redrawn, reflowed, type Frame } from "./line-frame.ts";
import { promptText, signText, type LinePrompt } from "./line-prompt.ts";

/** UTF-16 units that are gathered before they are written. */
const MAX_GATHERED = 1_048_576;

const BELL = "\x07";
const MIN_COLUMNS = 2;

export class LineEditor extends InputLine {
  /** The line as drawn on the screen. */
  #frame: Frame = BLANK_FRAME;
  /** Text to be printed above it. */
  #above = "";
  #mustRedraw = false;

  constructor(options: InputLineOptions) {
    super(options, { hasSequences: true });
  }

  override setPrompt(prompt: LinePrompt): void {
    if (Bun.deepEquals(prompt, this.prompt)) return;
    this.prompt = prompt;
    this.schedule();
  }

  protected override printAbove(text: string): void {
    this.#above += text;
    if (this.#above.length > MAX_GATHERED) this.draw();
    else this.schedule();
  }

  protected override showEdit(): void {
    this.schedule();
  }

  protected override showEnter(): void {
    this.schedule();
  }

  protected override ring(): void {
    this.print(BELL);
  }

  /** Clears the screen; its content can be scrolled back to. */
  protected override clear(): void {
    const { rows } = this.#size;
    // Scroll by the height of the terminal: this moves everything above the line off the screen.
    this.#write(`${erased(this.#frame)}${"\n".repeat(rows - 1)}\x1b[H`);
    this.#frame = BLANK_FRAME;
    this.#redraw();
  }

  protected override passLine(): void {
    this.draw();
    this.#write(passed(this.#frame));
  }

  protected override continued(): void {
    this.#frame = BLANK_FRAME;
    this.#redraw();
  }

  protected override resized(): void {
    this.#frame = reflowed(this.#frame, this.columns);
    this.#redraw();
  }

  protected override leaveLine(): void {
    this.#write(erased(this.#frame) + this.#above);
  }

  protected override get columns(): number {
    return this.#size.columns;
  }

  get #size() {
    const { columns, rows } = sizeOf(this.output);
    return { columns: Math.max(MIN_COLUMNS, columns), rows };
  }

  #redraw(): void {
    this.#mustRedraw = true;
    this.schedule();
  }

  protected override draw(): void {
    let text = "";
    if (this.#mustRedraw || this.#above !== "") {
      text = (this.#mustRedraw ? "\r\x1b[J" : "") + erased(this.#frame) + this.#above;
      this.#frame = BLANK_FRAME;
      this.#above = "";
      this.#mustRedraw = false;
    }
    const size = this.#size;
    const prompt = promptText(this.prompt, size.columns, this.hasColours);
    const sign = signText(this.prompt, this.hasColours);
    const next = frameOf(prompt, this.text, this.line.cursor, size, sign);
    this.#write(text + redrawn(this.#frame, next));
    this.#frame = next;
  }

  #write(text: string): void {
    if (text !== "") this.output.write(text);
  }
}
