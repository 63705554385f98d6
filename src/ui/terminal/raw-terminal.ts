/** The modes that we set in a terminal, how a process gives it back, and how it is shared with a shell. */
import { emitKeypressEvents, type Key } from "node:readline";

const PASTE_MARKED = "\x1b[?2004h";
const PASTE_UNMARKED = "\x1b[?2004l";
export const CURSOR_SHOWN = "\x1b[?25h";

/** Bytes that are kept; what is typed behind them is dropped. */
const MAX_TYPED_AHEAD = 4_096;

const INTERRUPT = 0x03;
const SUSPEND = 0x1a;

export type Ends = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** False where TERM is `dumb`: then nothing is written. */
  readonly hasSequences: boolean;
};

export type TerminalEvents = {
  /** `typed`: the character, where the key has one. */
  readonly key: (typed: string | undefined, key: Key) => void;
  readonly resized: () => void;
  /** Another program has had the terminal: `fg` came after Ctrl-Z, or after a stop from outside. */
  readonly continued: () => void;
  /** Nobody can type any more. */
  readonly gone: () => void;
};

/** Of a terminal that does not say how large it is, in cells. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** The size of a terminal in cells. */
export function sizeOf({ columns, rows }: NodeJS.WriteStream): { columns: number; rows: number } {
  return { columns: columns || USUAL_SIZE.columns, rows: rows || USUAL_SIZE.rows };
}

function ignore(): void {
  // A terminal that is gone takes nothing back; whoever holds it hears of the error too, and leaves.
}

/** Keys come one by one and are not echoed, and pastes come in brackets. */
function hold({ input, output, hasSequences }: Ends): void {
  input.setRawMode(true);
  if (hasSequences) output.write(PASTE_MARKED);
}

function release({ input, output, hasSequences }: Ends): void {
  // The input says at once that it is gone, the output only later.
  if (!output.listeners("error").includes(ignore)) output.on("error", ignore);
  input.on("error", ignore);
  if (input.isTTY && !input.destroyed) input.setRawMode(false);
  input.off("error", ignore);
  if (hasSequences && output.isTTY && !output.destroyed) output.write(PASTE_UNMARKED + CURSOR_SHOWN);
}

/**
 * Gives this process's terminal back as a shell has it: line mode with echo, a visible cursor, pastes without
 * brackets. May be called at any time and any number of times, also while the process ends.
 */
export function restoreTerminal(): void {
  const hasSequences = process.env["TERM"] !== "dumb";
  release({ input: process.stdin, output: process.stdout, hasSequences });
}

/** A terminal whose keys are ours until it is closed. */
export class HeldTerminal {
  readonly #ends: Ends;
  readonly #events: TerminalEvents;
  #isClosed = false;
  #isGone = false;

  constructor(ends: Ends, events: TerminalEvents) {
    this.#ends = ends;
    this.#events = events;
    const { input, output } = ends;
    hold(ends);
    emitKeypressEvents(input);
    input.on("keypress", events.key).on("end", this.#gone).on("error", this.#gone);
    output.on("resize", events.resized).on("error", this.#gone);
    process.on("SIGCONT", this.#goOn);
    input.resume();
  }

  /** Gives the terminal to the shell that started us until it wakes us; the line must be off the screen. */
  suspend(): void {
    release(this.#ends);
    // As readline does: only this process, so that a program that started us decides for itself.
    process.kill(process.pid, "SIGTSTP");
    // Runs when we are woken; or at once where nobody could wake us, as then nothing stops.
    setImmediate(this.#goOn);
  }

  close(): void {
    const { key, resized } = this.#events;
    const { input, output } = this.#ends;
    input.off("keypress", key).off("end", this.#gone).off("error", this.#gone);
    output.off("resize", resized).off("error", this.#gone);
    process.off("SIGCONT", this.#goOn);
    release(this.#ends);
    input.pause();
    this.#isClosed = true;
  }

  readonly #gone = (): void => {
    const isFirst = !this.#isGone;
    this.#isGone = true;
    if (isFirst) this.#events.gone();
  };

  readonly #goOn = (): void => {
    if (this.#isClosed) return;
    // The stream does nothing when it believes that the mode is set, and a shell has set another one.
    this.#ends.input.setRawMode(false);
    hold(this.#ends);
    this.#events.continued();
  };
}

/**
 * Holds the keys that are typed between two prompts: they are not echoed (one may be typing a password ahead)
 * and reach what asks next.
 */
export class TypeAhead {
  readonly #input: NodeJS.ReadStream;
  readonly #onInterrupt: () => void;
  #typed: Buffer = Buffer.alloc(0);

  /** @param onInterrupt Ctrl-C was typed; what was typed before it is dropped. */
  constructor(input: NodeJS.ReadStream, onInterrupt: () => void) {
    this.#input = input;
    this.#onInterrupt = onInterrupt;
    input.setRawMode(true);
    input.on("data", this.#take);
    input.resume();
  }

  /** To be called right before the next prompt opens; the terminal stays without echo. */
  stop(): void {
    this.#input.off("data", this.#take);
    this.#input.pause();
    const typed = this.#typed;
    this.#typed = Buffer.alloc(0);
    if (typed.length === 0) return;
    // @inquirer/prompts drops what comes in the turn in which it opens.
    setImmediate(() => setImmediate(() => this.#input.unshift(typed)));
  }

  readonly #take = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk as string);
    const interrupt = bytes.lastIndexOf(INTERRUPT);
    if (interrupt >= 0) this.#typed = Buffer.alloc(0);
    const kept = bytes.subarray(interrupt + 1).filter((byte) => byte !== SUSPEND);
    this.#typed = Buffer.concat([this.#typed, kept]).subarray(0, MAX_TYPED_AHEAD);
    if (interrupt >= 0) this.#onInterrupt();
  };
}
