/** Bytes of one text joined with others into buffers of about this size, so that a long queue is not copied twice. */
const JOIN_LIMIT = 256 * 1024;

/**
 * What waits to be written: lines, joined into buffers late, and the rest of what a socket took in part.
 * Its bound is its owner's: `QUEUE_LIMIT` of a connection.
 */
export class Outgoing {
  #texts: string[] = [];
  #textLength = 0;
  #buffers: Buffer[] = [];
  #bufferLength = 0;

  /** About how many bytes wait. */
  get length(): number {
    return this.#textLength + this.#bufferLength;
  }

  add(line: string): void {
    this.#texts.push(line);
    this.#textLength += line.length;
    if (this.#textLength >= JOIN_LIMIT) this.#join();
  }

  /** What is to be written next; undefined when nothing waits. */
  first(): Buffer | undefined {
    this.#join();
    return this.#buffers[0];
  }

  /** The socket took the first `count` bytes of what `first` gave. */
  taken(count: number): void {
    const buffer = this.#buffers[0];
    if (buffer === undefined) return;
    this.#bufferLength -= count;
    if (count < buffer.length) this.#buffers[0] = buffer.subarray(count);
    else this.#buffers.shift();
  }

  clear(): void {
    this.#texts = [];
    this.#buffers = [];
    this.#textLength = this.#bufferLength = 0;
  }

  #join(): void {
    if (this.#texts.length === 0) return;
    const buffer = Buffer.from(this.#texts.length === 1 ? (this.#texts[0] as string) : this.#texts.join(""));
    this.#texts = [];
    this.#textLength = 0;
    this.#buffers.push(buffer);
    this.#bufferLength += buffer.length;
  }
}
