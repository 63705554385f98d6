/**
 * Whether the links to peers are read. A program that cannot keep up with what arrives pauses it: nothing is lost,
 * because a peer keeps, and sends again, what was not acknowledged.
 */
export class LinkReading {
  /** Continues each link that is held; undefined: links are read. */
  #held: Set<() => void> | undefined;

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  pause(): void {
    this.#held ??= new Set();
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const readOn of held) readOn();
  }

  /** Calls `readOn` once reading is resumed. */
  hold(readOn: () => void): void {
    this.#held?.add(readOn);
  }

  /** The link of this `readOn` is closed. */
  release(readOn: () => void): void {
    this.#held?.delete(readOn);
  }
}
