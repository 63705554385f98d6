/** Lines to a standard output that may be read slowly, no longer, or be on a full disk. */

/** Whoever read has had enough: a pipe into `head`, or into what has ended. */
const READER_GONE: ReadonlySet<string> = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

export class LineOutput {
  readonly #stream: NodeJS.WriteStream;
  readonly #failed: Promise<void>;
  #fault: string | undefined;
  #lines = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#failed = new Promise((resolve) => {
      stream.on("error", (error) => {
        this.#fail(error);
        resolve();
      });
    });
  }

  /** Why the first line that could not be written was not, `ENOSPC` for one; undefined while all were. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Whether what could not be written was so because nobody reads any longer. */
  get isReaderGone(): boolean {
    return this.#fault !== undefined && READER_GONE.has(this.#fault);
  }

  /** Lines written so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Writes a line; gives, when the system has taken it or refused it, whether more may be written. */
  async write(line: string): Promise<boolean> {
    if (this.#fault !== undefined) return false;
    this.#lines++;
    const taken = new Promise<void>((resolve) => {
      this.#stream.write(`${line}\n`, (error) => {
        if (error) this.#fail(error);
        resolve();
      });
    });
    await Promise.race([taken, this.#failed]);
    return this.#fault === undefined;
  }

  #fail(error: unknown): void {
    this.#fault ??= String((error as { code?: unknown } | null)?.code ?? error);
  }
}
