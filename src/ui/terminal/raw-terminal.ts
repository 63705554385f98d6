/** Puts a terminal into raw mode, hands it to the shell on Ctrl-Z, and restores it. */
import { emitKeypressEvents, type Key } from "node:readline";
import { PassThrough } from "node:stream";

import { emitAttention, FOCUS_REPORTS_OFF, reportOf, withoutReports } from "./attention.ts";
import { ESCAPE, KeySequences, MODIFIED_ENTER, SEQUENCE_WAIT } from "./key-sequences.ts";

const BRACKETED_PASTE_ON = "\x1b[?2004h";
const BRACKETED_PASTE_OFF = "\x1b[?2004l";
export const CURSOR_SHOWN = "\x1b[?25h";

const BELL = "\x07";

/** Bytes that are kept for the next prompt; more are dropped. */
const MAX_TYPED_AHEAD = 4_096;

const CTRL_C = "\x03";
const CTRL_Z = "\x1a";

/** The size assumed for a terminal that does not report one, in cells. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** A process whose standard input and output are a terminal. */
export type TerminalHost = Pick<NodeJS.Process, "env" | "stdin" | "stdout">;

export type TerminalStreams = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Whether the terminal understands escape sequences; with TERM=dumb none are written. */
  readonly hasSequences: boolean;
};

export type TerminalEvents = {
  /** `typed`: the character of the key, if it has one. */
  readonly key: (typed: string | undefined, key: Key) => void;
  readonly resized: () => void;
  /** The process continues, after Ctrl-Z and `fg` or after a stop from outside. */
  readonly continued: () => void;
  /** The input has ended or failed, or the output has failed. Called at most once. */
  readonly gone: () => void;
};

/** The size of a terminal, in cells. */
export function sizeOf({ columns, rows }: NodeJS.WriteStream): { columns: number; rows: number } {
  return { columns: columns || USUAL_SIZE.columns, rows: rows || USUAL_SIZE.rows };
}

function ignore(): void {
  // A terminal that is gone cannot be restored; the RawTerminal reports the same error as `gone`.
}

/** Switches on raw mode, without echo, and bracketed paste. */
function hold({ input, output, hasSequences }: TerminalStreams): void {
  input.setRawMode(true);
  if (hasSequences) output.write(BRACKETED_PASTE_ON);
}

/** Switches both off. @param modes further sequences that switch something off */
function release({ input, output, hasSequences }: TerminalStreams, modes = ""): void {
  // If the terminal is gone, the input fails at once and the output only later.
  if (!output.listeners("error").includes(ignore)) output.on("error", ignore);
  input.on("error", ignore);
  if (input.isTTY && !input.destroyed) input.setRawMode(false);
  input.off("error", ignore);
  if (hasSequences && output.isTTY && !output.destroyed)
    output.write(modes + BRACKETED_PASTE_OFF + CURSOR_SHOWN);
}

/**
 * Restores a process's terminal to what a shell expects: line mode with echo, a visible cursor, no bracketed
 * paste, no reports of the focus. May be called at any time and any number of times, also while the process ends.
 */
export function restoreTerminal({ env, stdin, stdout }: TerminalHost): void {
  const hasSequences = env["TERM"] !== "dumb";
  release({ input: stdin, output: stdout, hasSequences }, FOCUS_REPORTS_OFF);
}

/** Holds a terminal in raw mode until `close`. */
export class RawTerminal {
  readonly #streams: TerminalStreams;
  readonly #events: TerminalEvents;
  #state: "held" | "gone" | "closed" = "held";
  readonly #sequences = new KeySequences();
  #sequenceWait: NodeJS.Timeout | undefined;
  /** What `node:readline` reads in place of the terminal. */
  readonly #known = new PassThrough();

  constructor(streams: TerminalStreams, events: TerminalEvents) {
    this.#streams = streams;
    this.#events = events;
    const { input, output } = streams;
    hold(streams);
    emitKeypressEvents(this.#known);
    this.#known.on("keypress", events.key);
    input.on("data", this.#read).on("end", this.#gone).on("error", this.#gone);
    output.on("resize", events.resized).on("error", this.#gone);
    process.on("SIGCONT", this.#goOn);
    input.resume();
  }

  /** Releases the terminal to the shell and stops this process until it is continued. */
  suspend(): void {
    emitAttention(this.#streams.input, "suspending");
    release(this.#streams, FOCUS_REPORTS_OFF);
    // Going on twice would take the terminal out of raw mode for a moment, in which keys are lost.
    process.off("SIGCONT", this.#goOn);
    // Like readline, stop only this process: a program that started it decides for itself.
    process.kill(process.pid, "SIGTSTP");
    // Runs when the process is continued; without a shell to continue it the system does not stop it at all.
    setImmediate(() => {
      if (this.#state === "closed") return;
      process.on("SIGCONT", this.#goOn);
      this.#goOn();
    });
  }

  /** Releases the terminal; keys typed from now on wait in the input. */
  close(): void {
    const { resized } = this.#events;
    const { input, output } = this.#streams;
    clearTimeout(this.#sequenceWait);
    this.#known.removeAllListeners();
    this.#state = "closed";
    input.off("data", this.#read).off("end", this.#gone).off("error", this.#gone);
    output.off("resize", resized).off("error", this.#gone);
    process.off("SIGCONT", this.#goOn);
    release(this.#streams);
    input.pause();
    // An Escape that was typed just now is a key of the next prompt.
    this.#giveBack(this.#sequences.takeHeld());
  }

  #giveBack(typed: Uint8Array): void {
    const { input } = this.#streams;
    if (typed.length > 0 && !input.destroyed) input.unshift(typed);
  }

  readonly #read = (chunk: Buffer | string): void => {
    clearTimeout(this.#sequenceWait);
    const { keys, isValid } = this.#sequences.push(Buffer.from(chunk as string));
    if (!isValid && this.#streams.hasSequences) this.#streams.output.write(BELL);
    this.#pass(keys);
    if (this.#sequences.isWaiting && this.#state !== "closed")
      this.#sequenceWait = setTimeout(() => this.#pass(this.#sequences.expire()), SEQUENCE_WAIT);
  };

  #pass(keys: readonly string[]): void {
    const { input } = this.#streams;
    if (keys.some((key) => reportOf(key) === undefined)) emitAttention(input, "key");
    for (const [index, key] of keys.entries()) {
      if (this.#state === "closed") {
        // A key has closed this: what was typed after it is for whoever reads the terminal next.
        this.#giveBack(Buffer.from(keys.slice(index).join("")));
        return;
      }
      const report = reportOf(key);
      if (report !== undefined) emitAttention(input, report);
      else if (key === ESCAPE) this.#events.key(undefined, { name: "escape", sequence: key });
      else if (key === MODIFIED_ENTER) this.#events.key(undefined, { name: "return", shift: true });
      else this.#known.emit("data", key);
    }
  }

  readonly #gone = (): void => {
    if (this.#state !== "held") return;
    this.#state = "gone";
    this.#events.gone();
  };

  readonly #goOn = (): void => {
    if (this.#state !== "held") return;
    // The stream believes that raw mode is still on, although the shell has changed the mode.
    this.#streams.input.setRawMode(false);
    hold(this.#streams);
    this.#events.continued();
    emitAttention(this.#streams.input, "continued");
  };
}

/**
 * Keeps the keys that are typed between two prompts, for the prompt that opens next. They are not echoed, since they
 * may be a password.
 */
export class TypeAhead {
  readonly #input: NodeJS.ReadStream;
  readonly #onInterrupt: () => void;
  readonly #onEscape: () => boolean;
  #escape: ReturnType<typeof setTimeout> | undefined;
  /** A character for each byte. */
  #typed = "";

  /**
   * @param onInterrupt called at Ctrl-C; the keys before it are dropped
   * @param onEscape called at Escape; if it returns true, that is dropped, too, with the keys before it
   */
  constructor(input: NodeJS.ReadStream, onInterrupt: () => void, onEscape: () => boolean) {
    this.#input = input;
    this.#onInterrupt = onInterrupt;
    this.#onEscape = onEscape;
    input.setRawMode(true);
    input.on("data", this.#take);
    input.resume();
  }

  /** To be called right before the next prompt opens. The terminal stays in raw mode. */
  stop(): void {
    clearTimeout(this.#escape);
    this.#input.off("data", this.#take);
    this.#input.pause();
    if (this.#typed !== "" && !this.#input.destroyed) this.#input.unshift(Buffer.from(this.#typed, "latin1"));
  }

  readonly #take = (chunk: Buffer | string): void => {
    // The beginning of a report stays until its rest comes, here or in the next prompt.
    const all = this.#typed + Buffer.from(chunk as string).toString("latin1");
    const typed = withoutReports(all, (report) => emitAttention(this.#input, report));
    const interrupt = typed.lastIndexOf(CTRL_C);
    const kept = typed.slice(interrupt + 1).replaceAll(CTRL_Z, "");
    this.#typed = kept.slice(0, MAX_TYPED_AHEAD);
    if (interrupt >= 0) this.#onInterrupt();
    clearTimeout(this.#escape);
    // More may follow of the sequence of a key.
    if (this.#typed.endsWith(ESCAPE)) this.#escape = setTimeout(this.#onLoneEscape, SEQUENCE_WAIT);
  };

  readonly #onLoneEscape = (): void => {
    const typed = this.#typed;
    this.#typed = "";
    if (!this.#onEscape()) this.#typed = typed;
  };
}
