/**
 * The line that a person edits: its keys, its pastes and its history. `node:readline` parses the keys; the subclasses
 * in `line-editor.ts` and `plain-line.ts` draw the line.
 */
import type { Key } from "node:readline";

import type { Draft } from "../../client/profile/drafts.ts";
import { completed, offersLine, type Offered } from "./completion.ts";
import { LineHistory } from "./history.ts";
import { edited, EMPTY_LINE, inserted, keyName, MAX_LINE, type EditedLine } from "./line-edits.ts";
import type { LinePrompt } from "./line-prompt.ts";
import { isLineText, isTypedPaste, PastedTexts, pastedText, PasteReader } from "./pasted-text.ts";
import { RawTerminal } from "../terminal/raw-terminal.ts";

export type LineEvent =
  /** Enter; the line is empty now. `typed`: its text; `expand` replaces placeholders by the pasted texts. */
  | { readonly name: "line"; readonly typed: string; readonly expand: (text: string) => string }
  /** The text has changed, but not by Enter. */
  | { readonly name: "edited"; readonly isEmpty: boolean }
  /** Alt with a digit, or with A. */
  | { readonly name: "goTo"; readonly chat: number | "unread" }
  /** Ctrl-C or Ctrl-D on an empty line, or the terminal is gone. */
  | { readonly name: "leaving" };

/** Keys that are held; more are dropped. */
const MAX_HELD = 65_536;
/** How long keys are held, in ms: another process may be taking the account over. */
const LONGEST_HOLD = 2_000;

export type LineNeeds = {
  readonly take: (event: LineEvent) => void;
  /** Resolves when the outcome of the last line has been shown; undefined: it has been, or need not be waited for. */
  readonly busy: () => Promise<void> | undefined;
  /** The completions that Tab offers for the text before the cursor. */
  readonly complete: (before: string) => Offered;
  /** The texts typed before, to which the line adds its own. */
  readonly history: LineHistory;
  /** What stands in the line at first. */
  readonly draft: Draft;
};

/** As in irssi and WeeChat. */
const CHAT_KEYS = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => [`alt-${digit}`, digit] as const),
  ["alt-a", "unread"] as const,
];

export type InputLineOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly prompt: LinePrompt;
  readonly hasColours: boolean;
  /** The placeholder of a paste: «[3 líneas]». */
  readonly pastedLines: (count: number) => string;
  readonly needs: LineNeeds;
};

/** How the two kinds of terminals differ. */
type Abilities = {
  /** The terminal understands escape sequences. */
  readonly hasSequences: boolean;
  /** The keys that are used; undefined: all of them. */
  readonly keys?: ReadonlySet<string>;
};

export abstract class InputLine {
  protected readonly output: NodeJS.WriteStream;
  protected prompt: LinePrompt;
  protected readonly hasColours: boolean;
  protected line: EditedLine = EMPTY_LINE;
  readonly #needs: LineNeeds;
  readonly #keys: ReadonlySet<string> | undefined;
  readonly #terminal: RawTerminal;
  readonly #pastes: PastedTexts;
  readonly #reader = new PasteReader((text) => this.#pasted(text));
  readonly #history: LineHistory;
  #state: "idle" | "scheduled" | "closed" = "idle";
  /** The keys typed while the outcome of the last line is awaited; undefined: it is not. */
  #held: { readonly typed: string | undefined; readonly key: Key }[] | undefined;
  /** The last key was a Tab that could add nothing. */
  #wasTab = false;
  /** Key → action; keys that only edit the text are in `line-edits.ts`. */
  readonly #actions: ReadonlyMap<string, () => void> = new Map([
    ["return", () => this.#enter()],
    ["enter", () => this.#enter()],
    ["line-break", () => this.#insert("\n")],
    ["tab", () => this.#complete()],
    ["up", () => this.#recall(this.#history.older(this.text))],
    ["ctrl-p", () => this.#recall(this.#history.older(this.text))],
    ["down", () => this.#recall(this.#history.newer())],
    ["ctrl-n", () => this.#recall(this.#history.newer())],
    ["ctrl-c", () => (this.text === "" ? this.#leaving() : this.#replace("", 0))],
    ["ctrl-d", () => (this.text === "" ? this.#leaving() : this.#edit("delete"))],
    ["ctrl-z", () => this.#suspend()],
    ["ctrl-l", () => this.clear()],
    ...CHAT_KEYS.map(([key, chat]) => [key, () => this.#needs.take({ name: "goTo", chat })] as const),
  ]);

  constructor(options: InputLineOptions, { hasSequences, keys }: Abilities) {
    const { input, output, prompt, hasColours, pastedLines, needs } = options;
    this.output = output;
    this.prompt = prompt;
    this.hasColours = hasColours;
    this.#needs = needs;
    this.#keys = keys;
    this.#pastes = new PastedTexts(pastedLines);
    this.#history = needs.history;
    this.line = inserted(EMPTY_LINE, needs.draft.map((part, index) => this.#shownPart(part, index)).join(""));
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

  /** Prints whole lines above the input line. @param text ends with a line feed */
  print(text: string): void {
    if (this.#state !== "closed") this.printAbove(text);
  }

  /** Changes what stands around the text. */
  abstract setPrompt(prompt: LinePrompt): void;

  /** Updates the screen; called once in each turn of the event loop in which `schedule` was called. */
  protected abstract draw(): void;
  protected abstract printAbove(text: string): void;
  /** The text or the cursor has changed. @param before undefined: draw the whole line again */
  protected abstract showEdit(before: EditedLine | undefined): void;
  /** Enter was typed; the line still holds its text. */
  protected abstract showEnter(): void;
  /** Rings because the line has its maximum length. */
  protected abstract ring(): void;
  protected abstract clear(): void;
  /** Leaves the line on the screen and moves to the start of the next row. */
  protected abstract passLine(): void;
  /** Called after another program has used the terminal. */
  protected abstract continued(): void;
  protected abstract resized(): void;
  /** Erases the line, or moves to the next row if the terminal cannot erase. */
  protected abstract leaveLine(): void;
  /** Width of the terminal; undefined: unknown. */
  protected abstract get columns(): number | undefined;

  /** The text in the line. */
  get text(): string {
    return this.line.text;
  }

  /** The line, so that a later one can begin with it. */
  get draft(): Draft {
    return this.text === "" ? [] : this.#pastes.parts(this.text);
  }

  /** Puts a text into the line if that is empty. @returns whether it did */
  offer(text: string): boolean {
    if (this.text !== "" || this.#reader.isReading) return false;
    const shown = isLineText(text) && text.length <= MAX_LINE ? text : this.#placeholderFor(text);
    if (shown === undefined) return false;
    this.line = inserted(this.line, shown);
    this.showEdit(undefined);
    return true;
  }

  /** Releases the terminal; the text being typed is dropped. */
  close(): void {
    if (this.#state === "closed") return;
    this.leaveLine();
    this.line = EMPTY_LINE;
    this.#history.leave(this.#pastes.placeholders);
    this.#state = "closed";
    this.#reader.close();
    this.#terminal.close();
  }

  /** A part of a draft as it stands in the line. @param index odd: it was pasted */
  #shownPart(part: string, index: number): string {
    if (index % 2 === 0) return part;
    const known = this.#pastes.placeholders.find((each) => this.#pastes.expand(each) === part);
    return known ?? this.#pastes.add(part) ?? "";
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
    if (this.#held === undefined) this.#pressed(typed, key);
    else if (this.#held.length < MAX_HELD) this.#held.push({ typed, key });
  }

  /** Keys that were typed ahead wait until the outcome of the last line is shown, at most LONGEST_HOLD. */
  #hold(outcome: Promise<void>): void {
    this.#held = [];
    const release = () => {
      const keys = this.#held ?? [];
      this.#held = undefined;
      // One of them may be an Enter, which holds the rest again.
      if (this.#state !== "closed") for (const { typed, key } of keys) this.#key(typed, key);
    };
    void Promise.race([outcome, Bun.sleep(LONGEST_HOLD)]).then(release);
  }

  #pressed(typed: string | undefined, key: Key): void {
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
    const outcome = this.#needs.busy();
    if (outcome !== undefined) this.#hold(outcome);
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

  /** Keeps a pasted text and returns its placeholder; undefined if the line holds too many placeholders. */
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
