/**
 * Asks on a terminal that can do nothing but print (TERM=dumb): everything is written once, from left to
 * right, and what is typed is echoed by us, but for passwords.
 */
import { visibleText } from "../../protocol/visible-text.ts";
import type { Texts } from "../texts/texts.ts";
import { begins, choiceRow, searchChoices, typedChoice } from "./choice-search.ts";
import type { PrompterOptions } from "./inquirer-prompter.ts";
import { KeyQueue, type TypedKey } from "../terminal/key-queue.ts";
import type { Answer, Choice, Prompt, Prompter } from "./prompt.ts";
import { withoutLastGrapheme } from "../format/graphemes.ts";
import { CLEARING_KEYS } from "./inquirer-keys.ts";

const HEAD = "> ";
/** UTF-16 units of an answer; what is typed behind them is dropped. */
const MAX_TYPED = 4_096;

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

/** The question, and what stands behind it. */
function questionOf(prompt: Prompt, texts: Texts): string {
  if (prompt.name === "password") return `${prompt.message} ${texts.passwordHidden}`;
  const isOffered = prompt.name === "input" && prompt.offered !== "";
  return isOffered ? `${prompt.message} (${visibleText(prompt.offered)})` : prompt.message;
}

/** The one choice that what was typed stands for. */
function meantChoice(prompt: Prompt, choices: readonly Choice[], typed: string): Choice | undefined {
  const whole = typedChoice(choices, typed);
  if (whole !== undefined || typed.trim() === "") return whole;
  const [found, ...others] =
    prompt.name === "search"
      ? searchChoices(choices, typed)
      : choices.filter((choice) => begins(choice, typed));
  return others.length === 0 ? found : undefined;
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
        key: (key, isLast) => this.#take(key, isLast),
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
    // A number was meant for the list that stood there.
    if (!isSame || !isTyped(prompt)) this.#typed = "";
    this.#prompt = prompt;
    const rows = choicesOf(prompt).map((choice, index) => `${index + 1}. ${choiceRow(choice)}`);
    this.#write(`${[questionOf(prompt, this.#options.texts), ...rows].join("\n")}\n`);
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

  #take({ typed, key }: TypedKey, isLast: boolean): void {
    if (key.name === "return" || key.name === "enter") this.#enter(isLast);
    else if (key.name === "escape") this.#end({ name: "back" });
    else if (key.name === "backspace") {
      this.#retype(withoutLastGrapheme(this.#typed));
    } else if (key.ctrl === true && CLEARING_KEYS.has(key.name)) this.#retype("");
    else if (typed !== undefined && !/\p{Cc}/u.test(typed) && this.#typed.length < MAX_TYPED) {
      this.#typed += typed;
      if (this.#prompt?.name !== "password") this.#write(typed);
    }
  }

  /** What was typed, written anew on a row of its own. */
  #retype(typed: string): void {
    this.#typed = typed;
    if (this.#prompt?.name === "password") return;
    this.#write("\n");
    this.#head();
  }

  /** @param isLast nothing is typed behind it: letters with more behind them were meant for somebody else. */
  #enter(isLast: boolean): void {
    const prompt = this.#prompt;
    if (prompt === undefined) return;
    const typed = this.#typed;
    if (isTyped(prompt)) {
      const offered = prompt.name === "input" ? prompt.offered : "";
      this.#end({ name: "answered", value: typed === "" ? offered : typed });
      return;
    }
    const choices = choicesOf(prompt);
    const isSure = isLast || /^\d+$/.test(typed);
    const choice = isSure ? meantChoice(prompt, choices, typed) : undefined;
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
