/** What one prompt of @inquirer/prompts draws on: the terminal, until it is cleared. */
import { Writable } from "node:stream";

import { CURSOR_SHOWN } from "../terminal/raw-terminal.ts";

/** What moves the cursor between rows: line feeds, and the sequences for up and down. */
const ROW_MOVES = /\n|\x1b\[(\d+)?([AB])/g;

/**
 * @inquirer/prompts clears an aborted prompt only in a later microtask, when something else may stand there
 * already. So its rows are counted here, it is cleared at once, and nothing that it writes later gets through.
 */
export class PromptOutput extends Writable {
  readonly #terminal: NodeJS.WriteStream;
  /** Of the cursor; 0 is the prompt's first. */
  #row = 0;

  constructor(terminal: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  /** @inquirer/prompts breaks its rows there. */
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
