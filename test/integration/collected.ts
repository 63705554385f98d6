import { Writable } from "node:stream";

/** The text of a stream so far, and waiting for more of it. */
export class Collected {
  text = "";
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
    this.text += text;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  /** Nothing comes after this. */
  finish(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** The first complete line that `matches`; undefined when the stream ends without one. */
  async line(matches: (line: string) => boolean): Promise<string | undefined> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined || this.#ended) return found;
      await this.#wake.promise;
    }
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
