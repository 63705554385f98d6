/** What one prompt of @inquirer/prompts writes to: the terminal, until the prompt is taken off it. */
import { Writable } from "node:stream";

/** What moves between rows: line feeds, and the cursor up and down. */
const ROW_MOVES = /\n|\x1b\[(\d*)([AB])/g;
const CURSOR_SHOWN = "\x1b[?25h";

/**
 * Knows in which row of the prompt the cursor stands, since @inquirer/prompts breaks its lines at the
 * terminal's edge by itself. So a prompt can be taken off at once; @inquirer/prompts itself clears an
 * aborted one only later, when something else stands there already.
 */
export class PromptScreen extends Writable {
  readonly #output: NodeJS.WriteStream;
  #row = 0;
  #isOff = false;

  constructor(output: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.#output = output;
  }

  // @inquirer/prompts asks for these.
  get isTTY(): boolean {
    return true;
  }
  get columns(): number {
    return this.#output.columns;
  }
  get rows(): number {
    return this.#output.rows;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.#isOff) {
      const text = chunk.toString();
      for (const [move, count, direction] of text.matchAll(ROW_MOVES)) {
        const rows = move === "\n" ? 1 : Number(count === "" ? 1 : count);
        this.#row = Math.max(0, this.#row + (direction === "A" ? -rows : rows));
      }
      this.#output.write(text);
    }
    done();
  }

  /** Clears what the prompt has drawn, and lets nothing of it through any more. */
  takeOff(): void {
    if (this.#isOff) return;
    this.#isOff = true;
    this.#output.write(`${this.#row > 0 ? `\x1b[${this.#row}A` : ""}\r\x1b[J${CURSOR_SHOWN}`);
  }
}
