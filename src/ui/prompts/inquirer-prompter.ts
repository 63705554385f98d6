/** Asks with @inquirer/prompts, one prompt at a time, and prints above it without leaving a trace of it. */
import { Readable } from "node:stream";

import type { Texts } from "../texts/texts.ts";
import { takeKey } from "./inquirer-keys.ts";
import { ask, type Question } from "./inquirer-questions.ts";
import { KeyQueue, type TypedKey } from "../terminal/key-queue.ts";
import { PromptScreen } from "./prompt-output.ts";
import type { Answer, Prompt, Prompter } from "./prompt.ts";

/** The error of a prompt that is open when the process ends. */
const PROCESS_ENDS = "ExitPromptError";
/** Texts that wait until a name or a password is typed; the oldest are dropped. */
const MAX_HELD = 200;
const BELL = "\u0007";

export type PrompterOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly texts: Texts;
  readonly answered: (answer: Answer) => void;
};

type List = Extract<Prompt, { name: "select" | "search" }>;

function isList(prompt: Prompt): prompt is List {
  return prompt.name === "select" || prompt.name === "search";
}

/** Whether it asks the same in other words, or with more choices: what was marked and typed is kept. */
function isSameQuestion(before: Prompt, now: Prompt): boolean {
  if (before.name !== now.name) return false;
  if (before.message === now.message || !isList(before) || !isList(now))
    return before.message === now.message;
  const values = new Set(now.choices.map(({ value }) => value));
  return before.choices.length > 1 && before.choices.every(({ value }) => values.has(value));
}

export class InquirerPrompter implements Prompter {
  readonly #options: PrompterOptions;
  readonly #keys: KeyQueue;
  #shown: Question | undefined;
  /** Of the prompt before, for one that asks the same. */
  #before: Pick<Question, "prompt" | "marked" | "term" | "isWary"> | undefined;
  readonly #held: string[] = [];
  /** Off the screen while a shell has the terminal. */
  #suspended: Prompt | undefined;
  #isClosed = false;

  /** Takes the terminal until `close`. */
  constructor(options: PrompterOptions) {
    this.#options = options;
    const { input: keyboard, output } = options;
    this.#keys = new KeyQueue(
      { input: keyboard, output, hasSequences: true },
      {
        isAsking: () => this.#shown !== undefined,
        key: (key, isLast) => this.#take(key, isLast),
        interrupted: () => this.#leave({ name: "interrupted" }),
        suspending: () => this.#suspend(),
        resized: () => this.#redraw(),
        continued: () => this.#goOn(),
      },
    );
  }

  open(prompt: Prompt): void {
    if (this.#isClosed || (this.#shown !== undefined && Bun.deepEquals(this.#shown.prompt, prompt))) return;
    this.#takeOff();
    this.#printHeld();
    this.#ask(prompt, { isNew: true });
  }

  print(text: string): void {
    const prompt = this.#shown?.prompt;
    if (prompt === undefined) {
      this.#options.output.write(text);
      return;
    }
    this.#held.push(text);
    if (!isList(prompt)) {
      if (this.#held.length > MAX_HELD) this.#held.shift();
      return;
    }
    this.#takeOff();
    this.#printHeld();
    this.#ask(prompt);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#takeOff();
    this.#printHeld();
    this.#keys.close();
  }

  #take(pressed: TypedKey, isLast: boolean): void {
    if (pressed.key.name === "escape") this.#leave({ name: "back" });
    else if (this.#shown !== undefined && !takeKey(this.#shown, pressed, isLast)) this.#refuse(this.#shown);
  }

  /** Nothing in the list is what was typed: a sign, and the list as if nothing had been. */
  #refuse({ prompt }: Question): void {
    this.#options.output.write(BELL);
    this.#takeOff();
    this.#forgetTyped();
    this.#ask(prompt, { isRefused: true });
  }

  #leave(answer: Answer): void {
    this.#takeOff();
    this.#forgetTyped();
    this.#printHeld();
    this.#options.answered(answer);
  }

  #takeOff(): void {
    const shown = this.#shown;
    if (shown === undefined) return;
    this.#forget(shown);
    shown.screen.takeOff();
    shown.abort.abort();
  }

  #forget({ prompt, marked, term, isWary }: Question): void {
    this.#before = { prompt, marked, term, isWary };
    this.#shown = undefined;
  }

  /** What was typed is not the next question's; nor is a mark that only the letters of a search had set. */
  #forgetTyped(): void {
    const before = this.#before;
    if (before === undefined) return;
    const isSearched = before.prompt.name === "search" && before.term !== "";
    this.#before = { ...before, term: "", marked: isSearched ? undefined : before.marked };
  }

  #printHeld(): void {
    if (this.#held.length > 0) this.#options.output.write(this.#held.splice(0).join(""));
  }

  /** A list follows the terminal's size; what is being typed stays as it is. */
  #redraw(): void {
    const prompt = this.#shown?.prompt;
    if (prompt === undefined || !isList(prompt)) return;
    this.#takeOff();
    this.#ask(prompt);
  }

  #suspend(): void {
    this.#suspended = this.#shown?.prompt;
    this.#takeOff();
  }

  #goOn(): void {
    const prompt = this.#suspended;
    this.#suspended = undefined;
    if (prompt === undefined) this.#redraw();
    else if (this.#shown === undefined) this.#ask(prompt);
  }

  #ask(prompt: Prompt, { isNew = false, isRefused = false } = {}): void {
    const { output, texts } = this.#options;
    const before = this.#before;
    const isSame = before !== undefined && isSameQuestion(before.prompt, prompt);
    // Where the way back was the only choice, nobody has chosen to stand on it.
    const isMeant = isSame && (before.prompt.name !== "select" || before.prompt.choices.length > 1);
    const shown: Question = {
      prompt,
      screen: new PromptScreen(output),
      abort: new AbortController(),
      keys: new Readable({ read: () => undefined }),
      marked: (isMeant ? before.marked : undefined) ?? (isList(prompt) ? prompt.marked : undefined),
      term: isSame ? before.term : "",
      isPointed: false,
      isRefused,
      isWary: isRefused || (isSame && before.isWary),
    };
    this.#shown = shown;
    ask(shown, { output, texts, isNew }).then(
      (value) => this.#settle(shown, { name: "answered", value }),
      (error: unknown) => {
        // One that was taken off ends so.
        if (this.#shown !== shown) return;
        this.#settle(shown, { name: "interrupted" });
        if (!(error instanceof Error && error.name === PROCESS_ENDS)) throw error;
      },
    );
    this.#keys.wake();
  }

  #settle(shown: Question, answer: Answer): void {
    if (this.#shown !== shown) return;
    this.#forget(shown);
    this.#forgetTyped();
    this.#printHeld();
    this.#options.answered(answer);
  }
}
