/** Bytes queued to a connection before `overflow` is called (PROTOCOL 4 and 5). */
export const QUEUE_LIMIT = 1024 * 1024;

/** Characters joined before they become bytes, so that a long queue is not copied twice. */
const JOIN_LIMIT = 256 * 1024;

/** Takes a third of the time of `Buffer.from`, which copies joined text into one piece first. */
const ENCODER = new TextEncoder();

/**
 * The write side of a connection: lines that wait as text and are encoded late, and the rest of what the socket took
 * in part. The connection reports when `QUEUE_LIMIT` is exceeded.
 */
export class Outgoing {
  #text = "";
  #first: Uint8Array | undefined;
  /** After the first; undefined until needed, as most connections never need it. */
  #further: Uint8Array[] | undefined;
  /** Bytes of `#first` and `#further`. */
  #bytes = 0;
  /** Until the queue is empty: `blocked` if the socket did not take all of it, `overflow` beyond `QUEUE_LIMIT`. */
  #pressure: "none" | "blocked" | "overflow" = "none";

  /** About how many bytes wait. */
  get length(): number {
    return this.#text.length + this.#bytes;
  }

  /** Whether more than `QUEUE_LIMIT` bytes wait and `overflows` has not said so. */
  get isOverLimit(): boolean {
    return this.length > QUEUE_LIMIT && this.#pressure !== "overflow";
  }

  add(line: string): void {
    this.#text += line;
    if (this.#text.length >= JOIN_LIMIT) this.#encode();
  }

  /** @param bytes are kept until they are written, and must not change. */
  addBytes(bytes: Uint8Array): void {
    this.#encode();
    this.#append(bytes);
  }

  /** Writes until the queue is empty or the socket is full. @returns how many bytes were written */
  writeTo(socket: { write(bytes: Uint8Array): number }): number {
    let total = 0;
    this.#encode();
    while (this.#first !== undefined) {
      const { length } = this.#first;
      const taken = socket.write(this.#first);
      // The socket is closed; its `close` handler reports that.
      if (taken < 0) break;
      total += taken;
      this.#taken(taken);
      if (taken < length) {
        if (this.#pressure === "none") this.#pressure = "blocked";
        break;
      }
    }
    return total;
  }

  /** Whether more than `QUEUE_LIMIT` bytes wait; true once until the queue is empty. */
  overflows(): boolean {
    if (!this.isOverLimit) return false;
    this.#pressure = "overflow";
    return true;
  }

  /** Whether `overflows` was true since the queue was last empty. */
  get hasOverflowed(): boolean {
    return this.#pressure === "overflow";
  }

  /** Whether the queue is empty, after the socket had not taken all of it at once; true once. */
  hasDrained(): boolean {
    if (this.#pressure === "none" || this.length > 0) return false;
    this.#pressure = "none";
    return true;
  }

  clear(): void {
    this.#text = "";
    this.#first = undefined;
    this.#further = undefined;
    this.#bytes = 0;
    this.#pressure = "none";
  }

  #taken(count: number): void {
    // The write may have closed the connection, which clears the queue.
    if (this.#first === undefined) return;
    this.#bytes -= count;
    this.#first = count < this.#first.length ? this.#first.subarray(count) : this.#further?.shift();
  }

  #encode(): void {
    if (this.#text === "") return;
    this.#append(ENCODER.encode(this.#text));
    this.#text = "";
  }

  #append(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#first === undefined) this.#first = part;
    else (this.#further ??= []).push(part);
  }
}
