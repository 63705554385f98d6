/**
 * Standard output and standard error of a one-shot command. Results go to standard output, as JSON if asked for;
 * notices for the person go to standard error.
 */
import { jsonLine, visibleText } from "../../protocol/visible-text.ts";
import type { ExitCode, Failure } from "../failures.ts";
import { withLinks } from "../format/addresses.ts";
import { hasWholeAddresses, wrapped } from "../format/wrapped-text.ts";
import { abilitiesOf } from "../terminal/abilities.ts";
import { sizeOf } from "../terminal/raw-terminal.ts";
import { StatusRows } from "./status-rows.ts";

/** What the client uses of its process; tests replace it. */
export type HostProcess = Pick<NodeJS.Process, "env" | "stdin" | "stdout" | "stderr" | "on" | "off" | "exit">;

/** Errors when the reader has ended, as `head` does. */
const READER_ENDED: ReadonlySet<string> = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

export class Output {
  readonly json: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  /** Standard output is a terminal that knows links, and a person reads it. */
  readonly #hasLinks: boolean;
  /** Why nothing more can be written. */
  #fault: Error | undefined;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #onClosed: () => void = () => undefined;
  #onTaken: () => void = () => undefined;
  /** Undefined: standard error is no terminal on which something can be drawn twice. */
  readonly #status: StatusRows | undefined;

  constructor(json: boolean, { env, stdout, stderr }: Pick<HostProcess, "env" | "stdout" | "stderr">) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#hasLinks = !json && stdout.isTTY && abilitiesOf(env).links;
    if (!json && stderr.isTTY && env["TERM"] !== "dumb") this.#status = new StatusRows();
    stdout.on("error", (error) => this.#failed(error));
  }

  /** Width of standard output; undefined if it is not a terminal. */
  get columns(): number | undefined {
    return this.#stdout.isTTY ? sizeOf(this.#stdout).columns : undefined;
  }

  /** The code of the error that standard output has failed with, as ENOSPC; undefined also if its reader has ended. */
  get lost(): string | undefined {
    const fault = this.#fault;
    if (fault === undefined) return undefined;
    const code = "code" in fault ? String(fault.code) : fault.message;
    return READER_ENDED.has(code) ? undefined : code;
  }

  /** Bytes of both streams that have not left this process, because a reader is slow. */
  get waiting(): number {
    return this.#waiting;
  }

  /** `then` is called when nothing more can be written. */
  whenClosed(then: () => void): void {
    this.#onClosed = then;
  }

  /** `then` is called each time something has left this process. */
  whenTaken(then: () => void): void {
    this.#onTaken = then;
  }

  /** Writes an event, as JSON or as `line`, made visible; without a line it is written only as JSON. */
  event(event: { event: string; [field: string]: unknown }, line: string | undefined): void {
    if (this.json) void this.write(jsonLine(event));
    else if (line !== undefined) void this.write(`${visibleText(line, { lines: true })}\n`);
  }

  /** Ends a list: a program learns that it is complete, also if it is empty. */
  end(count: number): void {
    this.event({ event: "end", count }, undefined);
  }

  #failed(error: Error): void {
    if (this.#fault !== undefined) return;
    this.#fault = error;
    this.#onClosed();
  }

  /**
   * Writes visible text or JSON.
   * @returns resolves to true when it has left this process, to false when that is not possible
   */
  write(text: string): Promise<boolean> {
    if (this.#fault !== undefined) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const shown = this.#hasLinks && hasWholeAddresses(this.columns) ? withLinks(text) : text;
    this.#put(shown, this.#stdout, (error) => {
      if (error) this.#failed(error);
      resolve(!error);
    });
    this.#lastWrite = promise;
    return promise;
  }

  /** Columns for each row of `status`; undefined: it shows nothing. */
  get statusColumns(): number | undefined {
    return this.#status === undefined ? undefined : StatusRows.width(sizeOf(this.#stderr).columns);
  }

  /** Shows these rows below everything else, in the place of those before; none: nothing is left of them. */
  status(rows: readonly string[]): void {
    if (this.#status === undefined) return;
    this.#stderr.write(this.#status.replaced(rows, sizeOf(this.#stderr).columns));
  }

  #put(text: string, stream: NodeJS.WriteStream, done?: (error: Error | null | undefined) => void): void {
    const status = this.#status?.drawn ?? "";
    if (status !== "") this.#stderr.write(this.#status?.erased(sizeOf(this.#stderr).columns) ?? "");
    this.#send(text, stream, done);
    if (status !== "") this.#stderr.write(status);
  }

  #send(text: string, stream: NodeJS.WriteStream, done?: (error: Error | null | undefined) => void): void {
    // Bun's streams do not count what waits.
    const bytes = Buffer.byteLength(text);
    this.#waiting += bytes;
    stream.write(text, (error) => {
      this.#waiting -= bytes;
      done?.(error);
      this.#onTaken();
    });
  }

  /** Resolves when everything written has left this process, or cannot. */
  async flushed(): Promise<void> {
    this.status([]);
    await this.#lastWrite;
  }

  /** Writes a sentence for the person to standard error, made visible; on a terminal it is broken into rows. */
  notice(sentence: string): void {
    const shown = visibleText(sentence, { lines: true });
    const rows = this.#stderr.isTTY ? wrapped(shown, sizeOf(this.#stderr).columns) : shown;
    this.#put(`${rows}\n`, this.#stderr);
  }

  /** Writes a failure: a sentence for the person, with `--json` also an `error` event. @returns its exit code */
  failure({ exit, code, sentence, to, retryAfter }: Failure): ExitCode {
    const retry = retryAfter === undefined ? {} : { retry_after: retryAfter };
    const whom = to === undefined ? {} : { to };
    if (this.json) void this.write(jsonLine({ event: "error", code, message: sentence, ...whom, ...retry }));
    this.notice(sentence);
    return exit;
  }
}
