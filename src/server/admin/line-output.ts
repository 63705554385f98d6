/** Lines to a standard output that may be read slowly, or no longer: a pipe into `less` or `head`. */
export class LineOutput {
  readonly #stream: NodeJS.WriteStream;
  readonly #gone: Promise<void>;
  #isRead = true;
  #lines = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#gone = new Promise((resolve) => {
      // `EPIPE`: whoever read has had enough, which is no failure of ours.
      stream.once("error", () => {
        this.#isRead = false;
        resolve();
      });
    });
    // Further writes under way fail too.
    stream.on("error", () => undefined);
  }

  /** Whether somebody still reads. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Lines written so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Writes a line, and waits until there is room for the next; gives whether somebody still reads. */
  async write(line: string): Promise<boolean> {
    this.#lines++;
    if (this.#isRead && !this.#stream.write(`${line}\n`)) {
      const drained = new Promise<void>((resolve) => this.#stream.once("drain", () => resolve()));
      await Promise.race([drained, this.#gone]);
    }
    return this.#isRead;
  }
}
