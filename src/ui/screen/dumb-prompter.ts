/**
 * Asks on a terminal that can do nothing but print (TERM=dumb): everything is written once, from left to
 * right, and what is typed is echoed by us, but for passwords.
 */
import { KeyQueue, type TypedKey } from "./key-queue.ts";
import { choiceRow, searchChoices, typedChoice } from "./choice-search.ts";
import type { PrompterOptions } from "./inquirer-prompter.ts";
import type { Answer, Choice, Prompt, Prompter } from "./prompt.ts";

const HEAD = "> ";
/** UTF-16 units of an answer; what is typed behind them is dropped. */
const MAX_TYPED = 4_096;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function choicesOf(prompt: Prompt): readonly Choice[] {
  switch (prompt.name) {
    case "select":
      return prompt.choices;
    case "search":
      return [...prompt.choices, prompt.last];
    case "input":
    case "password":
      return [];
    default:
      return prompt satisfies never;
  }
}

function isTyped({ name }: Prompt): boolean {
  return name === "input" || name === "password";
}

export class DumbPrompter implements Prompter {
  readonly #options: PrompterOptions;
  readonly #keys: KeyQueue;
  #prompt: Prompt | undefined;
  #typed = "";
  #isClosed = false;

  /** Takes the terminal until `close`. */
  constructor(options: PrompterOptions) {
    this.#options = options;
    const { input, output } = options;
    this.#keys = new KeyQueue(
      { input, output, hasSequences: false },
      {
        isAsking: () => this.#prompt !== undefined,
        key: (key) => this.#take(key),
        interrupted: () => this.#end({ name: "interrupted" }),
        suspending: () => this.#write("\n"),
        continued: () => this.#head(),
        // Nothing is drawn that would have to follow the size.
        resized: () => undefined,
      },
    );
  }

  open(prompt: Prompt): void {
    const before = this.#prompt;
    if (this.#isClosed || (before !== undefined && Bun.deepEquals(before, prompt))) return;
    const isSame = before?.name === prompt.name && before.message === prompt.message;
    if (before !== undefined) this.#write("\n");
    if (!isSame) this.#typed = prompt.name === "input" ? prompt.initial : "";
    this.#prompt = prompt;
    const rows = choicesOf(prompt).map((choice, index) => `${index + 1}. ${choiceRow(choice)}`);
    const hidden = prompt.name === "password" ? ` ${this.#options.texts.passwordHidden}` : "";
    this.#write(`${[`${prompt.message}${hidden}`, ...rows].join("\n")}\n`);
    this.#head();
    this.#keys.wake();
  }

  print(text: string): void {
    this.#write(this.#prompt === undefined ? text : `\n${text}`);
    this.#head();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#prompt !== undefined) this.#write("\n");
    this.#forget();
    this.#keys.close();
  }

  /** The question's head, and what was typed behind it. */
  #head(): void {
    if (this.#prompt === undefined) return;
    this.#write(HEAD + (this.#prompt.name === "password" ? "" : this.#typed));
  }

  #take({ typed, key }: TypedKey): void {
    if (key.name === "return" || key.name === "enter") this.#enter();
    else if (key.name === "escape") this.#end({ name: "back" });
    else if (key.name === "backspace") {
      this.#typed = [...graphemes.segment(this.#typed)]
        .slice(0, -1)
        .map(({ segment }) => segment)
        .join("");
      if (this.#prompt?.name === "password") return;
      this.#write("\n");
      this.#head();
    } else if (typed !== undefined && !/\p{Cc}/u.test(typed) && this.#typed.length < MAX_TYPED) {
      this.#typed += typed;
      if (this.#prompt?.name !== "password") this.#write(typed);
    }
  }

  #enter(): void {
    const prompt = this.#prompt;
    if (prompt === undefined) return;
    const typed = this.#typed;
    if (isTyped(prompt)) {
      this.#end({ name: "answered", value: typed });
      return;
    }
    const choices = choicesOf(prompt);
    const found = searchChoices(choices, typed);
    const choice = typedChoice(choices, typed) ?? (typed !== "" && found.length === 1 ? found[0] : undefined);
    if (choice !== undefined) {
      this.#end({ name: "answered", value: choice.value });
      return;
    }
    this.#typed = "";
    this.#write(`\n${this.#options.texts.menuNotInList(choices.length)}\n`);
    this.#head();
  }

  #end(answer: Answer): void {
    if (this.#prompt !== undefined) this.#write("\n");
    this.#forget();
    this.#options.answered(answer);
  }

  #forget(): void {
    this.#prompt = undefined;
    this.#typed = "";
  }

  #write(text: string): void {
    this.#options.output.write(text);
  }
}
