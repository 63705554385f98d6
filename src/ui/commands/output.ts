/**
 * Standard output and standard error of a one-shot command: what a program reads goes to the first, as
 * JSON when asked for, what only a person reads to the second.
 */
import type { ExitCode, Failure } from "../failures.ts";
import { jsonLine } from "../format/json-line.ts";
import { sizeOf } from "../terminal/raw-terminal.ts";

/** What a run of the client uses of its process; a test gives it streams, an environment and an end of its own. */
export type HostProcess = Pick<NodeJS.Process, "env" | "stdin" | "stdout" | "stderr" | "on" | "off" | "exit">;

export class Output {
  readonly json: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  #closed = false;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #onClosed: () => void = () => undefined;

  constructor(json: boolean, { stdout, stderr }: Pick<HostProcess, "stdout" | "stderr">) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on("error", () => {
      // Whoever read it has gone (`| head`).
      this.#closed = true;
      this.#onClosed();
    });
  }

  /** Of the terminal that standard output is; undefined where it is none. */
  get columns(): number | undefined {
    return this.#stdout.isTTY ? sizeOf(this.#stdout).columns : undefined;
  }

  /** Called once when nobody reads standard output any more. */
  whenClosed(then: () => void): void {
    this.#onClosed = then;
  }

  /** An event: as JSON, or as the line that a person reads; undefined: people do not see it. */
  event(event: { event: string; [field: string]: unknown }, line: string | undefined): void {
    if (this.json) void this.write(jsonLine(event));
    else if (line !== undefined) void this.write(`${line}\n`);
  }

  /** Resolves when the text has left this process; false when nobody reads any more. */
  write(text: string): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#stdout.write(text, (error) => resolve(error === null || error === undefined));
    this.#lastWrite = promise;
    return promise;
  }

  /** Resolves when everything written has left this process, or nobody reads it any more. */
  async flushed(): Promise<void> {
    await this.#lastWrite;
  }

  /** One sentence for the person. */
  tell(sentence: string): void {
    this.#stderr.write(`${sentence}\n`);
  }

  /** A failure: the sentence for the person, and an event for programs. @returns its exit code */
  failure({ exit, code, sentence, retryAfter }: Failure): ExitCode {
    const retry = retryAfter === undefined ? {} : { retry_after: retryAfter };
    if (this.json) void this.write(jsonLine({ event: "error", code, message: sentence, ...retry }));
    this.tell(sentence);
    return exit;
  }
}
