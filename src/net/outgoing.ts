/** Characters joined before they become bytes, so that a long queue is not copied twice. */
const JOIN_LIMIT = 256 * 1024;

/** Takes joined text as it is, where `Buffer.from` first makes one piece of it: a third of the time. */
const ENCODER = new TextEncoder();

/**
 * What waits to be written: lines, made bytes late, and the rest of what a socket took in part.
 * Its bound is its owner's: `QUEUE_LIMIT` of a connection.
 */
export class Outgoing {
  #text = "";
  #first: Uint8Array | undefined;
  /** Behind the first; undefined until there are any: most connections never need it. */
  #further: Uint8Array[] | undefined;
  /** Bytes of the first and the further ones. */
  #bytes = 0;

  /** About how many bytes wait. */
  get length(): number {
    return this.#text.length + this.#bytes;
  }

  add(line: string): void {
    this.#text += line;
    if (this.#text.length >= JOIN_LIMIT) this.#encode();
  }

  /** What is to be written next; undefined when nothing waits. */
  first(): Uint8Array | undefined {
    if (this.#text !== "") this.#encode();
    return this.#first;
  }

  /** The socket took the first `count` bytes of what `first` gave. */
  taken(count: number): void {
    if (this.#first === undefined) return;
    this.#bytes -= count;
    this.#first = count < this.#first.length ? this.#first.subarray(count) : this.#further?.shift();
  }

  clear(): void {
    this.#text = "";
    this.#first = undefined;
    this.#further = undefined;
    this.#bytes = 0;
  }

  #encode(): void {
    const part = ENCODER.encode(this.#text);
    this.#text = "";
    this.#bytes += part.length;
    if (this.#first === undefined) this.#first = part;
    else (this.#further ??= []).push(part);
  }
}
