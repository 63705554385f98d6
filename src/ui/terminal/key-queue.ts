/**
 * Gives the keys of a terminal to a prompt, one in each turn of the event loop, so that a prompt has processed the
 * letters before the Enter that follows them. Keys typed ahead wait until a prompt is open; Ctrl-C and Ctrl-D do not.
 */
import type { Key } from "node:readline";

import { RawTerminal, type TerminalStreams } from "./raw-terminal.ts";

/** Keys that may wait; more are dropped. */
const MAX_KEYS = 4_096;

export type TypedKey = { readonly typed: string | undefined; readonly key: Key };

const CONTROL = /\p{Cc}/u;
const LINE_END = /[\n\v\f\r\u0085\u2028\u2029]/;
/** Keys other than Ctrl combinations that send a control character. */
const CONTROL_KEYS: ReadonlySet<string | undefined> = new Set(["return", "enter", "backspace", "tab"]);

export type KeyEvents = {
  /** Whether a prompt is open. */
  readonly isAsking: () => boolean;
  /** `isLast`: no other key was typed after it yet. */
  readonly key: (key: TypedKey, isLast: boolean) => void;
  /** Ctrl-C, Ctrl-D, or the terminal is gone. */
  readonly interrupted: () => void;
  /** Ctrl-Z: the shell takes the terminal. The open prompt must leave the screen. */
  readonly suspending: () => void;
  /** The shell has given the terminal back. */
  readonly continued: () => void;
  readonly resized: () => void;
};

export class KeyQueue {
  readonly #events: KeyEvents;
  readonly #input: NodeJS.ReadStream;
  readonly #terminal: RawTerminal;
  readonly #waiting: TypedKey[] = [];
  /** `broken`: behind a line end, which becomes a space if more follows. */
  #paste: "none" | "begun" | "taken" | "broken" = "none";
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

  /** To be called when a prompt opens: passes it the waiting keys. */
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

  /** Drops the keys that wait. */
  drop(): void {
    this.#waiting.length = 0;
  }

  /** Releases the terminal; the waiting keys go back to its input. */
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
    // Enter with a modifier is a line break, which no answer has.
    if (key.name === "return" && key.shift === true) return;
    if (key.name === "paste-start") this.#paste = "begun";
    else if (key.name === "paste-end") this.#paste = "none";
    else if (key.ctrl === true && key.name === "c") this.#interrupt();
    else if (this.#paste !== "none") this.#takePasted(typed, key);
    else if (key.ctrl === true && key.name === "d") this.#interrupt();
    else if (key.ctrl === true && key.name === "z") {
      this.#events.suspending();
      this.#terminal.suspend();
    } else if (key.meta === true && key.sequence?.startsWith("\x1b") === true && key.name !== "escape") {
      // readline reports Escape and another key as Alt with that key if they arrive together.
      const sequence = key.sequence.slice(1);
      this.#put({ typed: undefined, key: { sequence: "\x1b", name: "escape" } });
      if (!sequence.startsWith("\x1b"))
        this.#put({ typed: sequence, key: { ...key, sequence, meta: false } });
    } else this.#put({ typed, key });
  }

  /** A key within a paste is text: a line end does not act as Enter, nor a tab as Tab; each becomes a space. */
  #takePasted(typed: string | undefined, key: Key): void {
    if (typed === undefined) return;
    if (LINE_END.test(typed) || key.name === "tab") {
      if (this.#paste === "taken") this.#paste = "broken";
    } else if (!CONTROL.test(typed)) {
      if (this.#paste === "broken") this.#put({ typed: " ", key: { name: "space", sequence: " " } });
      this.#paste = "taken";
      this.#put({ typed, key });
    }
  }

  #put(pressed: TypedKey): void {
    const { typed, key } = pressed;
    // @inquirer/prompts would insert a control character that it does not know as text.
    const isStray =
      typed !== undefined && CONTROL.test(typed) && key.ctrl !== true && !CONTROL_KEYS.has(key.name);
    if (!isStray && this.#waiting.length < MAX_KEYS) this.#waiting.push(pressed);
    this.wake();
  }
}
