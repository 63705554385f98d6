/**
 * The line that a person edits: its keys, its pastes and its history. `node:readline` takes the keys apart; how
 * the line gets onto the terminal is up to its two painters, `line-editor.ts` and `plain-line.ts`.
 */
import type { Key } from "node:readline";

import { completed, offersLine, type Offered } from "./completion.ts";
import { LineHistory } from "./history.ts";
import { edited, EMPTY_LINE, inserted, keyName, MAX_LINE, type EditedLine } from "./line-edits.ts";
import { isLineText, isTypedPaste, PastedTexts, pastedText, PasteReader } from "./pasted-text.ts";
import { RawTerminal } from "../terminal/raw-terminal.ts";

export type LineEvent =
  /** Enter; the line is empty now. `typed`: as it stood there; `expand` replaces placeholders by what was pasted. */
  | { readonly name: "line"; readonly typed: string; readonly expand: (text: string) => string }
  /** The text has changed, but not by Enter. */
  | { readonly name: "edited"; readonly isEmpty: boolean }
  /** Ctrl-C or Ctrl-D on an empty line, or the terminal is gone. */
  | { readonly name: "leaving" };

export type LineNeeds = {
  readonly take: (event: LineEvent) => void;
  /** What Tab offers for the text before the cursor. */
  readonly complete: (before: string) => Offered;
};

export type InputLineOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Stands before the text; no control characters but for colours. */
  readonly prompt: string;
  /** What was typed before, newest first. */
  readonly history: readonly string[];
  /** The placeholder of a paste: «[3 líneas]». */
  readonly pastedLines: (count: number) => string;
  readonly needs: LineNeeds;
};

/** What the two kinds of terminals differ in. */
type Abilities = {
  /** The terminal understands escape sequences. */
  readonly hasSequences: boolean;
  /** The keys that do something; undefined: all of them. */
  readonly keys?: ReadonlySet<string>;
};

export abstract class InputLine {
  protected readonly output: NodeJS.WriteStream;
  protected prompt: string;
  protected line: EditedLine = EMPTY_LINE;
  readonly #needs: LineNeeds;
  readonly #keys: ReadonlySet<string> | undefined;
  readonly #terminal: RawTerminal;
  readonly #pastes: PastedTexts;
  readonly #reader = new PasteReader((text) => this.#pasted(text));
  readonly #history: LineHistory;
  #state: "idle" | "scheduled" | "closed" = "idle";
  /** Tab was the last key, and could add nothing. */
  #wasTab = false;
  /** What the keys do; those that only edit the text stand in `line-edits.ts`. */
  readonly #actions: ReadonlyMap<string, () => void> = new Map([
    ["return", () => this.#enter()],
    ["enter", () => this.#enter()],
    ["tab", () => this.#complete()],
    ["up", () => this.#recall(this.#history.older(this.text))],
    ["ctrl-p", () => this.#recall(this.#history.older(this.text))],
    ["down", () => this.#recall(this.#history.newer())],
    ["ctrl-n", () => this.#recall(this.#history.newer())],
    ["ctrl-c", () => (this.text === "" ? this.#leaving() : this.#replace("", 0))],
    ["ctrl-d", () => (this.text === "" ? this.#leaving() : this.#edit("delete"))],
    ["ctrl-z", () => this.#suspend()],
    ["ctrl-l", () => this.clear()],
  ]);

  constructor(options: InputLineOptions, { hasSequences, keys }: Abilities) {
    const { input, output, prompt, history, pastedLines, needs } = options;
    this.output = output;
    this.prompt = prompt;
    this.#needs = needs;
    this.#keys = keys;
    this.#pastes = new PastedTexts(pastedLines);
    this.#history = new LineHistory(history);
    this.#terminal = new RawTerminal(
      { input, output, hasSequences },
      {
        key: (typed, key) => this.#key(typed, key),
        resized: () => this.resized(),
        continued: () => this.continued(),
        gone: () => this.#leaving(),
      },
    );
    this.schedule();
  }

  /** Prints whole lines above, without disturbing what is being typed; `text` ends with a line feed. */
  print(text: string): void {
    if (this.#state !== "closed") this.printAbove(text);
  }

  /** What stands before the text from now on. */
  abstract setPrompt(prompt: string): void;

  /** Brings the screen up to date; runs once in a turn of the event loop in which `schedule` was called. */
  protected abstract draw(): void;
  protected abstract printAbove(text: string): void;
  /** The text or the cursor has changed. @param before undefined: all of the line is to be seen anew */
  protected abstract showEdit(before: EditedLine | undefined): void;
  /** Enter was typed, and the line is still there. */
  protected abstract showEnter(): void;
  /** The line is as long as it may be. */
  protected abstract ring(): void;
  protected abstract clear(): void;
  /** Leaves the line on the screen, and moves to the beginning of the next row. */
  protected abstract passLine(): void;
  /** Another program has had the terminal. */
  protected abstract continued(): void;
  protected abstract resized(): void;
  /** Erases the line, or moves to the next row where nothing can be erased. */
  protected abstract leaveLine(): void;
  /** Columns of the terminal; undefined: unknown. */
  protected abstract get columns(): number | undefined;

  /** What stands in the line. */
  get text(): string {
    return this.line.text;
  }

  /** What was typed in this and earlier chats, newest first, as the next line may recall it. */
  get history(): readonly string[] {
    return this.#history.without(this.#pastes.placeholders);
  }

  /** Puts a text into an empty line; true when it was empty. */
  offer(text: string): boolean {
    if (this.text !== "" || this.#reader.isReading) return false;
    const shown = isLineText(text) && text.length <= MAX_LINE ? text : this.#placeholderFor(text);
    if (shown === undefined) return false;
    this.line = inserted(this.line, shown);
    this.showEdit(undefined);
    return true;
  }

  /** Gives the terminal back as it was; what is being typed is dropped. */
  close(): void {
    if (this.#state === "closed") return;
    this.leaveLine();
    this.line = EMPTY_LINE;
    this.#state = "closed";
    this.#reader.close();
    this.#terminal.close();
  }

  protected schedule(): void {
    if (this.#state !== "idle") return;
    this.#state = "scheduled";
    setImmediate(() => {
      if (this.#state === "closed") return;
      this.#state = "idle";
      this.draw();
    });
  }

  #key(typed: string | undefined, key: Key): void {
    if (this.#reader.takes(typed, key)) return;
    const name = keyName(key);
    if (name !== "tab") this.#wasTab = false;
    const isBound = this.#keys === undefined || this.#keys.has(name);
    const action = isBound ? this.#actions.get(name) : undefined;
    if (action !== undefined) action();
    else if (typed !== undefined && key.ctrl !== true && key.meta !== true && isLineText(typed))
      this.#insert(typed);
    else if (isBound) this.#edit(name);
  }

  #leaving(): void {
    this.#needs.take({ name: "leaving" });
  }

  #edit(name: string): void {
    this.#change(edited(this.line, name, this.#pastes.placeholders));
  }

  #change(line: EditedLine): void {
    const before = this.line;
    if (line === before) return;
    this.line = line;
    this.showEdit(before);
    if (line.text !== before.text) this.#needs.take({ name: "edited", isEmpty: line.text === "" });
  }

  #replace(text: string, cursor: number): void {
    this.#change({ ...this.line, text, cursor });
  }

  #insert(text: string): void {
    if (this.text.length + text.length > MAX_LINE) this.ring();
    else this.#change(inserted(this.line, text));
  }

  #enter(): void {
    const { text } = this;
    this.#history.add(text);
    this.showEnter();
    this.line = { ...this.line, text: "", cursor: 0 };
    this.schedule();
    this.#needs.take({ name: "line", typed: text, expand: (line) => this.#pastes.expand(line) });
  }

  #recall(text: string | undefined): void {
    if (text !== undefined) this.#replace(text, text.length);
  }

  #complete(): void {
    const { text, cursor } = this.line;
    const before = text.slice(0, cursor);
    const offered = this.#needs.complete(before);
    const whole = completed(before, cursor === text.length, offered);
    const isSecond = this.#wasTab;
    this.#wasTab = false;
    if (whole !== before) this.#replace(whole + text.slice(cursor), whole.length);
    else if (isSecond && offered.offers.length > 1) this.print(offersLine(offered.shown, this.columns));
    else this.#wasTab = true;
  }

  #suspend(): void {
    this.passLine();
    this.#terminal.suspend();
  }

  #pasted(received: string): void {
    const text = pastedText(received);
    const shown = isTypedPaste(text) ? text : this.#placeholderFor(text);
    if (shown === undefined) this.ring();
    else this.#insert(shown);
  }

  /** Keeps a text that was pasted; undefined when the line is full of placeholders. */
  #placeholderFor(text: string): string | undefined {
    const placeholder = this.#pastes.add(text);
    if (placeholder !== undefined) return placeholder;
    const unused = this.#pastes.placeholders.find((each) => !this.text.includes(each));
    if (unused === undefined) return undefined;
    this.#pastes.forget(unused);
    this.#history.forget(unused);
    return this.#pastes.add(text);
  }
}
