import { Writable } from "node:stream";

/** The text of a stream so far, and waiting for more of it. */
export class Collected {
  /** The complete lines. */
  readonly lines: string[] = [];
  #rest = "";
  #ended = false;
  #wake = Promise.withResolvers<void>();

  /** Collects a stream to its end. */
  static of(stream: ReadableStream<Uint8Array>): Collected & { readonly end: Promise<void> } {
    const collected = new Collected();
    const read = async () => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) collected.take(decoder.decode(chunk, { stream: true }));
      collected.finish();
    };
    return Object.assign(collected, { end: read() });
  }

  take(text: string): void {
    const [first = "", ...more] = text.split("\n");
    const whole = [this.#rest + first, ...more];
    this.#rest = whole.pop() ?? "";
    for (const line of whole) this.lines.push(line);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  /** Nothing comes after this. */
  finish(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  get text(): string {
    return [...this.lines, this.#rest].join("\n");
  }

  /** Each complete line, until the stream ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (let seen = 0; ;) {
      for (; seen < this.lines.length; seen++) yield this.lines[seen] as string;
      if (this.#ended) return;
      await this.#wake.promise;
    }
  }

  /** The first complete line that `matches`; undefined when the stream ends without one. */
  async line(matches: (line: string) => boolean): Promise<string | undefined> {
    for await (const line of this) if (matches(line)) return line;
    return undefined;
  }

  /** A stream in this process whose text is collected. */
  stream(): Writable {
    return new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        this.take(text);
        done();
      },
    });
  }
}
