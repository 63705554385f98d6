/** Asks with @inquirer/prompts, one prompt at a time, and prints above it without leaving a trace of it. */
import { Readable } from "node:stream";

import type { Texts } from "../texts.ts";
import { ask, type Question } from "./inquirer-questions.ts";
import { KeyQueue, type TypedKey } from "./key-queue.ts";
import { PromptScreen } from "./prompt-screen.ts";
import type { Answer, Prompt, Prompter } from "./prompt.ts";

/** The error of a prompt that is open when the process ends. */
const PROCESS_ENDS = "ExitPromptError";
/** Texts that wait until a name or a password is typed; the oldest are dropped. */
const MAX_HELD = 200;

export type PrompterOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly texts: Texts;
  readonly answered: (answer: Answer) => void;
};

function isList({ name }: Prompt): boolean {
  return name === "select" || name === "search";
}

export class InquirerPrompter implements Prompter {
  readonly #options: PrompterOptions;
  readonly #keys: KeyQueue;
  #shown: Question | undefined;
  /** Of the prompt before, for one that asks the same. */
  #before: Pick<Question, "prompt" | "marked" | "term"> | undefined;
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
        key: (key) => this.#take(key),
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
    this.#ask(prompt, true);
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
    this.#ask(prompt, false);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#takeOff();
    this.#printHeld();
    this.#keys.close();
  }

  #take({ typed, key }: TypedKey): void {
    if (key.name === "escape") this.#leave({ name: "back" });
    else this.#shown?.keys.emit("keypress", typed, key);
  }

  #leave(answer: Answer): void {
    this.#takeOff();
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

  #forget({ prompt, marked, term }: Question): void {
    this.#before = { prompt, marked, term };
    this.#shown = undefined;
  }

  #printHeld(): void {
    if (this.#held.length > 0) this.#options.output.write(this.#held.splice(0).join(""));
  }

  /** A list follows the terminal's size; what is being typed stays as it is. */
  #redraw(): void {
    const prompt = this.#shown?.prompt;
    if (prompt === undefined || !isList(prompt)) return;
    this.#takeOff();
    this.#ask(prompt, false);
  }

  #suspend(): void {
    this.#suspended = this.#shown?.prompt;
    this.#takeOff();
  }

  #goOn(): void {
    const prompt = this.#suspended;
    this.#suspended = undefined;
    if (prompt === undefined) this.#redraw();
    else if (this.#shown === undefined) this.#ask(prompt, false);
  }

  /** @param isNew it has not been on the screen. */
  #ask(prompt: Prompt, isNew: boolean): void {
    const { output, texts } = this.#options;
    const before = this.#before;
    const isSame = before?.prompt.name === prompt.name && before.prompt.message === prompt.message;
    // Where the way back was the only choice, nobody has chosen to stand on it.
    const isMeant = isSame && (before.prompt.name !== "select" || before.prompt.choices.length > 1);
    const shown: Question = {
      prompt,
      screen: new PromptScreen(output),
      abort: new AbortController(),
      keys: new Readable({ read: () => undefined }),
      marked: isMeant ? before.marked : undefined,
      term: isSame ? before.term : "",
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
    this.#printHeld();
    this.#options.answered(answer);
  }
}
