/**
 * Whether the links to peers are read. They are not while the disk, or every face of the account, falls behind with what
 * arrives: nothing is lost, because a peer keeps, and sends again, what was not acknowledged.
 */
export class LinkReading {
  /** Continues each link that is held; undefined: links are read. */
  #held: Set<() => void> | undefined;
  /** Whether each face keeps up. */
  readonly #keepsUp = new Map<object, boolean>();
  #isDiskBehind = false;

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** To be called when a face comes, and when it falls behind or has caught up. */
  set(face: object, keepsUp: boolean): void {
    this.#keepsUp.set(face, keepsUp);
    this.#update();
  }

  /** To be called when too much waits for the disk, and when it does no longer. */
  setDiskBehind(isBehind: boolean): void {
    this.#isDiskBehind = isBehind;
    this.#update();
  }

  /** The face has left. */
  leave(face: object): void {
    this.#keepsUp.delete(face);
    this.#update();
  }

  #update(): void {
    const areFacesBehind = this.#keepsUp.size > 0 && !this.#keepsUp.values().some((keepsUp) => keepsUp);
    if (this.#isDiskBehind || areFacesBehind) {
      this.#held ??= new Set();
      return;
    }
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
