/** What runs at a terminal: a program in this process, which saves its start, or one as a process of its own. */
import { EventEmitter } from "node:events";
import { tmpdir } from "node:os";
import { Readable, Writable } from "node:stream";

import type { HostProcess } from "../../src/ui/commands/output.ts";

/** Line mode and echo, as a shell sets them (ICANON and ECHO of termios' `c_lflag`). */
const LINE_MODE_FLAGS = process.platform === "darwin" ? 0x100 | 0x8 : 0x2 | 0x8;
/** What line mode echoes with a circumflex. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;
const END_MARK = "-- nothing comes after this --";

export type Environment = { readonly [name: string]: string };
export type Size = { readonly cols: number; readonly rows: number };

/** A program at a terminal, and the terminal's own part of it. */
export interface TerminalProgram {
  /** With the exit code. */
  readonly exited: Promise<number>;
  readonly isInLineMode: boolean;
  /** Whether the terminal's modes are as they were before the program. */
  readonly isAsBefore: boolean;
  type(keys: string): void;
  resize(size: Size): void;
  signal(name: NodeJS.Signals): void;
  /** Resolves when all output of the ended program has come. */
  drained(): Promise<void>;
  /** Ends the program if it still runs, and the terminal. */
  close(): Promise<void>;
}

function environmentOf(given: Environment): Environment {
  const { PATH = "", HOME = tmpdir() } = process.env;
  return { PATH, HOME, TERM: "xterm-256color", ...given };
}

/** A process at a pseudo-terminal, which controls no process: a Ctrl-C outside raw mode sends no signal. */
export class ProcessAtTerminal implements TerminalProgram {
  readonly exited: Promise<number>;
  readonly #process: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;
  readonly #modeBefore: string;
  readonly #take: (text: string) => void;
  /** Once the program has ended: what has come since, until END_MARK is in it. */
  #tail: string | undefined;
  readonly #drained = Promise.withResolvers<void>();

  constructor(
    command: readonly string[],
    given: Environment,
    size: Size,
    folder: string | undefined,
    take: (text: string) => void,
  ) {
    this.#take = take;
    const decoder = new TextDecoder();
    this.#terminal = new Bun.Terminal({
      ...size,
      data: (_terminal, data) => this.#came(decoder.decode(data, { stream: true })),
    });
    this.#modeBefore = this.#mode;
    this.#process = Bun.spawn([...command], {
      ...(folder === undefined ? {} : { cwd: folder }),
      env: environmentOf(given),
      terminal: this.#terminal,
    });
    this.exited = this.#process.exited;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get isInLineMode(): boolean {
    return (this.#terminal.localFlags & LINE_MODE_FLAGS) === LINE_MODE_FLAGS;
  }

  get isAsBefore(): boolean {
    return this.#mode === this.#modeBefore;
  }

  get #mode(): string {
    return `${this.#terminal.inputFlags} ${this.#terminal.outputFlags} ${this.#terminal.localFlags}`;
  }

  type(keys: string): void {
    this.#terminal.write(keys);
  }

  resize({ cols, rows }: Size): void {
    this.#terminal.resize(cols, rows);
    // The kernel tells only the processes that a terminal controls.
    this.signal("SIGWINCH");
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async drained(): Promise<void> {
    if (this.#tail === undefined) {
      this.#tail = "";
      await Bun.spawn(["echo", END_MARK], { terminal: this.#terminal }).exited;
    }
    await this.#drained.promise;
  }

  #came(text: string): void {
    if (this.#tail === undefined) {
      this.#take(text);
      return;
    }
    this.#tail += text;
    const end = this.#tail.indexOf(END_MARK);
    if (end < 0) return;
    this.#take(this.#tail.slice(0, end));
    this.#tail = "";
    this.#drained.resolve();
  }

  async close(): Promise<void> {
    this.signal("SIGKILL");
    this.#terminal.close();
    await this.exited;
  }
}

/**
 * A program in this process, between streams that do what those of a terminal do: line mode echoes, but does not wait
 * for the end of a line.
 */
export class HereAtTerminal implements TerminalProgram {
  readonly exited: Promise<number>;
  readonly #host = new EventEmitter();
  readonly #exit = Promise.withResolvers<number>();
  readonly #input: Readable & { isRaw: boolean };
  readonly #output: Writable & { columns: number; rows: number };
  /** Keys that were typed in this turn of the event loop: they come at once. */
  #typed = "";

  constructor(
    main: (host: HostProcess) => Promise<number>,
    given: Environment,
    size: Size,
    take: (text: string) => void,
  ) {
    const input = Object.assign(new Readable({ read: () => undefined }), {
      isTTY: true,
      isRaw: false,
      setRawMode: (isRaw: boolean) => {
        input.isRaw = isRaw;
        return input;
      },
    });
    this.#input = input;
    const write = (chunk: Buffer, _encoding: unknown, done: () => void) => {
      // As a terminal in every mode that the client uses.
      take(chunk.toString().replaceAll("\n", "\r\n"));
      done();
    };
    const output = Object.assign(new Writable({ write }), {
      isTTY: true,
      columns: size.cols,
      rows: size.rows,
      // Standard output and standard error cannot be ended.
      end: () => output,
    });
    this.#output = output;
    const host = Object.assign(this.#host, {
      env: environmentOf(given),
      stdin: input,
      stdout: output,
      stderr: output,
      exit: this.#exit.resolve,
    });
    const run = main(host as unknown as HostProcess);
    this.exited = Promise.race([run, this.#exit.promise]).finally(() => host.emit("exit"));
  }

  get isInLineMode(): boolean {
    return !this.#input.isRaw;
  }

  get isAsBefore(): boolean {
    return this.isInLineMode;
  }

  type(keys: string): void {
    if (this.#typed === "") setImmediate(() => this.#pass());
    this.#typed += keys;
  }

  #pass(): void {
    const typed = this.#typed;
    this.#typed = "";
    if (!this.isInLineMode) this.#input.push(Buffer.from(typed));
    else {
      const line = typed.replaceAll("\r", "\n");
      this.#output.write(line.replace(CONTROL, (key) => `^${String.fromCharCode(key.charCodeAt(0) ^ 0x40)}`));
      this.#input.push(Buffer.from(line));
    }
  }

  resize({ cols, rows }: Size): void {
    Object.assign(this.#output, { columns: cols, rows });
    this.#output.emit("resize");
  }

  /** @throws if only a process has what this signal does */
  signal(name: NodeJS.Signals): void {
    if (!this.#host.emit(name)) throw new Error(`${name} is for a process of its own`);
  }

  async drained(): Promise<void> {
    await this.exited;
  }

  async close(): Promise<void> {
    if (!this.#host.emit("SIGTERM")) this.#exit.resolve(0);
    await this.exited;
  }
}
