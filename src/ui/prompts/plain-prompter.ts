/**
 * Asks on a terminal that can only append (TERM=dumb). Everything is written once, and typed text is echoed, except
 * passwords.
 */
import { visibleText } from "../../protocol/visible-text.ts";
import { KeyQueue, type TypedKey } from "../terminal/key-queue.ts";
import type { Texts } from "../texts/texts.ts";
import { begins, choiceRow, isRowNumber, isTaken, searchChoices, typedChoice } from "./choice-search.ts";
import { answerOf } from "./draft-answer.ts";
import {
  choicesOf,
  completesNames,
  editedText,
  isList,
  isUnseen,
  type Answer,
  type Choice,
  type ListPrompt,
  type Prompt,
  type Prompter,
  type PrompterOptions,
} from "./prompt.ts";

/** Stands before the typed text. */
const PREFIX = "> ";

/** The rows of a prompt: the question with its note, and the choices of a list. */
function rowsOf(prompt: Prompt, texts: Texts): readonly string[] {
  switch (prompt.name) {
    case "select":
    case "search":
      return [
        ...(prompt.news ?? []).map((line) => `— ${line}`),
        prompt.message,
        ...choicesOf(prompt).map((choice, index) => `${index + 1}. ${choiceRow(choice)}`),
      ];
    case "input":
      return [prompt.offered === "" ? prompt.message : `${prompt.message} (${visibleText(prompt.offered)})`];
    case "password":
      return [`${prompt.message} ${texts.passwordHidden}`];
    default:
      return prompt satisfies never;
  }
}

/** Whether a prompt would be written as the one before. What stands aside changes too often to be read out each time. */
function isWrittenAs(before: Prompt, now: Prompt): boolean {
  if (!isList(before) || !isList(now)) return Bun.deepEquals(before, now);
  const heads = (prompt: ListPrompt) =>
    choicesOf(prompt).map(({ value, name, note }) => ({ value, name, note }));
  const isSame = before.message === now.message && Bun.deepEquals(before.news, now.news);
  return isSame && Bun.deepEquals(heads(before), heads(now));
}

/** The only choice that fits the typed text; undefined if none or several do. */
function meantChoice(prompt: ListPrompt, typed: string): Choice | undefined {
  const choices = choicesOf(prompt);
  const whole = typedChoice(choices, typed);
  if (whole !== undefined || typed.trim() === "") return whole;
  if (isTaken(prompt, typed)) return choices.find(({ value }) => value === prompt.takes);
  const [found, ...others] =
    prompt.name === "search"
      ? searchChoices(choices, typed)
      : choices.filter((choice) => begins(choice, typed));
  return others.length === 0 ? found : undefined;
}

type State =
  | { readonly name: "idle" }
  | { readonly name: "asking"; readonly prompt: Prompt; readonly typed: string }
  | { readonly name: "closed" };

export class PlainPrompter implements Prompter {
  readonly #options: PrompterOptions;
  readonly #keys: KeyQueue;
  #state: State = { name: "idle" };

  constructor(options: PrompterOptions) {
    this.#options = options;
    const { input, output } = options;
    this.#keys = new KeyQueue(
      { input, output, hasSequences: false },
      {
        isAsking: () => this.#state.name === "asking",
        key: (key, isLast) => this.#take(key, isLast),
        interrupted: () => this.#end({ name: "interrupted" }),
        suspending: () => this.#write("\n"),
        continued: () => this.#writeTyped(),
        // What is written does not depend on the size.
        resized: () => undefined,
      },
    );
  }

  open(prompt: Prompt): void {
    const state = this.#state;
    if (state.name === "closed") return;
    let typed = (prompt.name === "input" ? prompt.begun : undefined) ?? "";
    if (state.name === "asking") {
      if (isWrittenAs(state.prompt, prompt)) {
        this.#state = { ...state, prompt };
        return;
      }
      // What is typed at a list may be a row number, which belongs to the list before.
      const isSame = state.prompt.name === prompt.name && state.prompt.message === prompt.message;
      if (isSame && !isList(prompt)) ({ typed } = state);
      this.#write("\n");
    }
    this.#write(`${rowsOf(prompt, this.#options.texts).join("\n")}\n`);
    this.#ask(prompt, typed);
    this.#keys.wake();
  }

  print(notices: readonly string[]): void {
    const text = notices.join("");
    this.#write(this.#state.name === "asking" ? `\n${text}` : text);
    this.#writeTyped();
  }

  close(): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "asking") this.#write("\n");
    this.#state = { name: "closed" };
    this.#keys.close();
  }

  #take(pressed: TypedKey, isLast: boolean): void {
    if (this.#state.name !== "asking") return;
    const { prompt, typed } = this.#state;
    if (prompt.name !== "password" && isUnseen(typed, pressed)) return;
    const { name } = pressed.key;
    if (name === "return" || name === "enter") this.#enter(prompt, typed, isLast);
    else if (name === "escape") this.#end({ name: "back" });
    else if (name === "tab" && completesNames(prompt))
      this.#retype(prompt, typed, this.#options.complete(typed));
    else this.#retype(prompt, typed, editedText(typed, pressed));
  }

  /** Shows the typed text: the new letters if it only grew, otherwise all of it on a new row. */
  #retype(prompt: Prompt, before: string, typed: string): void {
    this.#state = { name: "asking", prompt, typed };
    if (prompt.name === "password" || typed === before) return;
    if (typed.startsWith(before)) this.#write(typed.slice(before.length));
    else {
      this.#write("\n");
      this.#writeTyped();
    }
  }

  /** @param isLast nothing was typed after it; a text that arrives in one piece is not meant for a list */
  #enter(prompt: Prompt, typed: string, isLast: boolean): void {
    if (!isList(prompt)) {
      const offered = prompt.name === "input" ? prompt.offered : "";
      this.#end({ name: "answered", value: typed === "" ? offered : typed });
      return;
    }
    const isMeant = isLast || isRowNumber(typed);
    const choice = isMeant ? meantChoice(prompt, typed) : undefined;
    if (choice !== undefined) {
      this.#end(answerOf({ prompt, typed }, choice.value));
      return;
    }
    this.#keys.drop();
    this.#write(`\n${this.#options.texts.menuNotInList(choicesOf(prompt).length)}\n`);
    this.#ask(prompt, "");
  }

  #ask(prompt: Prompt, typed: string): void {
    this.#state = { name: "asking", prompt, typed };
    this.#writeTyped();
  }

  /** Writes the typed text on an empty row. */
  #writeTyped(): void {
    if (this.#state.name !== "asking") return;
    this.#write(PREFIX + (this.#state.prompt.name === "password" ? "" : this.#state.typed));
  }

  #end(answer: Answer): void {
    if (this.#state.name === "asking") {
      this.#state = { name: "idle" };
      this.#write("\n");
    }
    this.#options.answered(answer);
  }

  #write(text: string): void {
    this.#options.output.write(text);
  }
}
