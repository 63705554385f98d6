/** Puts the keys of a bracketed paste together again. */
import type { Key } from "node:readline";

import { MAX_PASTE } from "./pasted-text.ts";

/** A paste whose end does not come is over when nothing has come for so long, in ms. */
const PASTE_END_WAIT = 2_000;

export class PasteReader {
  readonly #onPaste: (received: string) => void;
  /** What has come of the paste under way. */
  #received: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param onPaste Called with what stood in the brackets, of at most MAX_PASTE units. */
  constructor(onPaste: (received: string) => void) {
    this.#onPaste = onPaste;
  }

  get isReading(): boolean {
    return this.#received !== undefined;
  }

  /** Whether a key belongs to a paste. */
  takes(typed: string | undefined, key: Key): boolean {
    if (key.name === "paste-end") {
      this.#end();
      return true;
    }
    if (key.name === "paste-start") {
      this.#received ??= "";
      this.#timer ??= setTimeout(() => this.#end(), PASTE_END_WAIT);
      return true;
    }
    if (this.#received === undefined) return false;
    if (this.#received.length < MAX_PASTE) this.#received += key.sequence ?? typed ?? "";
    // Ctrl-C does not put the end off: it is what one types when nothing seems to happen.
    if (key.name !== "c" || key.ctrl !== true) this.#timer?.refresh();
    return true;
  }

  /** Drops what has come. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#received = undefined;
  }

  #end(): void {
    const received = this.#received;
    this.close();
    if (received !== undefined && received !== "") this.#onPaste(received);
  }
}
