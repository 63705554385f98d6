/**
 * The keys of a terminal, one in each turn of the event loop. Keys that are typed ahead wait until something
 * is asked, and an Enter that comes in one piece with letters finds them already taken in. Ctrl-C and Ctrl-D
 * do not wait.
 */
import type { Key } from "node:readline";

import { RawTerminal, type TerminalStreams } from "./raw-terminal.ts";

/** Keys that wait; what is typed or pasted beyond them is dropped. */
const MAX_KEYS = 4_096;

export type TypedKey = { readonly typed: string | undefined; readonly key: Key };

const CONTROL = /\p{Cc}/u;
const LINE_END = /[\n\v\f\r\u0085\u2028\u2029]/;
/** Keys that send a control character without Ctrl. */
const CONTROL_KEYS: ReadonlySet<string | undefined> = new Set(["return", "enter", "backspace"]);

export type KeyEvents = {
  /** Whether something is asked, so that a key has a meaning. */
  readonly isAsking: () => boolean;
  /** `isLast`: no other key has been typed behind it yet. */
  readonly key: (key: TypedKey, isLast: boolean) => void;
  /** Ctrl-C, Ctrl-D, or the terminal is gone. */
  readonly interrupted: () => void;
  /** A shell takes the terminal; nothing of ours may stay open on the screen. */
  readonly suspending: () => void;
  /** The terminal is ours again. */
  readonly continued: () => void;
  readonly resized: () => void;
};

export class KeyQueue {
  readonly #events: KeyEvents;
  readonly #input: NodeJS.ReadStream;
  readonly #terminal: RawTerminal;
  readonly #waiting: TypedKey[] = [];
  /** Of a paste only its first line with something in it is taken; the rest would answer the next question. */
  #paste: "none" | "begun" | "taken" | "dropped" = "none";
  #turn: ReturnType<typeof setImmediate> | undefined;

  constructor(streams: TerminalStreams, events: KeyEvents) {
    this.#events = events;
    this.#input = streams.input;
    this.#terminal = new RawTerminal(streams, {
      key: (typed, key) => this.#take(typed, key),
      resized: events.resized,
      continued: events.continued,
      gone: () => this.#interrupt(),
    });
  }

  /** To be called when something is asked: the keys that wait follow. */
  wake(): void {
    if (this.#turn !== undefined || this.#waiting.length === 0) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      if (!this.#events.isAsking()) return;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#events.key(next, this.#waiting.length === 0);
      this.wake();
    });
  }

  /** Gives the terminal back; keys that wait go to whoever reads it next. */
  close(): void {
    clearImmediate(this.#turn);
    this.#terminal.close();
    const rest = this.#waiting.splice(0).map(({ key }) => key.sequence ?? "");
    if (rest.length > 0 && !this.#input.destroyed) this.#input.unshift(Buffer.from(rest.join("")));
  }

  #interrupt(): void {
    this.#waiting.length = 0;
    this.#events.interrupted();
  }

  #take(typed: string | undefined, key: Key): void {
    if (key.name === "paste-start") this.#paste = "begun";
    else if (key.name === "paste-end") this.#paste = "none";
    else if (key.ctrl === true && key.name === "c") this.#interrupt();
    else if (this.#paste !== "none") this.#takePasted(typed, key);
    else if (key.ctrl === true && key.name === "d") this.#interrupt();
    else if (key.ctrl === true && key.name === "z") {
      this.#events.suspending();
      this.#terminal.suspend();
    } else if (key.meta === true && key.sequence?.startsWith("\x1b") === true && key.name !== "escape") {
      // Escape and another key were typed so fast that readline took them for Alt and that key.
      const sequence = key.sequence.slice(1);
      this.#put({ typed: undefined, key: { sequence: "\x1b", name: "escape" } });
      if (!sequence.startsWith("\x1b"))
        this.#put({ typed: sequence, key: { ...key, sequence, meta: false } });
    } else this.#put({ typed, key });
  }

  /** What is pasted presses no keys: a line end in it is no Enter, and a tab no Tab. */
  #takePasted(typed: string | undefined, key: Key): void {
    if (typed === undefined || this.#paste === "dropped") return;
    if (LINE_END.test(typed)) {
      if (this.#paste === "taken") this.#paste = "dropped";
    } else if (!CONTROL.test(typed)) {
      this.#paste = "taken";
      this.#put({ typed, key });
    }
  }

  #put(pressed: TypedKey): void {
    const { typed, key } = pressed;
    // @inquirer/prompts would take a control character that it does not know for text.
    const isStray =
      typed !== undefined && CONTROL.test(typed) && key.ctrl !== true && !CONTROL_KEYS.has(key.name);
    if (!isStray && this.#waiting.length < MAX_KEYS) this.#waiting.push(pressed);
    this.wake();
  }
}
