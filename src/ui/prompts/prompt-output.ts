/** The output stream of one prompt of @inquirer/prompts: writes to the terminal until it is cleared. */
import { Writable } from "node:stream";

import { CURSOR_SHOWN } from "../terminal/raw-terminal.ts";

/** Everything that moves the cursor between rows: line feeds, and the sequences for up and down. */
const ROW_MOVES = /\n|\x1b\[(\d+)?([AB])/g;

/**
 * @inquirer/prompts erases an aborted prompt in a later microtask, when something else may be on the screen. So this
 * stream counts the rows, erases them at once, and drops what is written later.
 */
export class PromptOutput extends Writable {
  readonly #terminal: NodeJS.WriteStream;
  /** Row of the cursor; 0 is the first row of the prompt. */
  #row = 0;

  constructor(terminal: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  /** Read by @inquirer/prompts to break its rows. */
  get columns(): number {
    return this.#terminal.columns;
  }

  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    for (const [, count = "1", direction] of text.matchAll(ROW_MOVES)) {
      this.#row = Math.max(0, this.#row + (direction === "A" ? -Number(count) : Number(count)));
    }
    this.#terminal.write(text);
    done();
  }

  clear(): void {
    this.destroy();
    this.#terminal.write(`${this.#row > 0 ? `\x1b[${this.#row}A` : ""}\r\x1b[J${CURSOR_SHOWN}`);
  }
}
