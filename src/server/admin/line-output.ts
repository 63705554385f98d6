/** Writes lines to standard output, whose reader may be slow or gone, or whose disk may be full. */
import { errorCode } from "../../net/error-code.ts";

/** Errors when the reader has ended, as `head` does. */
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

  /** The error's code, such as `ENOSPC`, of the first line that could not be written; undefined if there is none. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Whether writing failed because the reader has ended. */
  get isReaderGone(): boolean {
    return this.#fault !== undefined && READER_GONE.has(this.#fault);
  }

  /** Lines written so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Writes a line, and waits until it is written or has failed. @returns whether more can be written */
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
    this.#fault ??= errorCode(error);
  }
}
