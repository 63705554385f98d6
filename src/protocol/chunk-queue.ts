/** Chunks of bytes that wait to be decoded, first in, first out; taking one costs the same however many wait. */

/** Bytes that were read together, at `now` (ms). */
export type Chunk = { readonly bytes: Buffer; readonly now: number };

export class ChunkQueue {
  #chunks: Chunk[] = [];
  #head = 0;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#length += chunk.bytes.length;
  }

  /** The chunk that has waited longest, undefined when none does. */
  take(): Chunk | undefined {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return undefined;
    this.#length -= chunk.bytes.length;
    this.#head++;
    // Half used: move up.
    if (2 * this.#head >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    return chunk;
  }
}
