/** One prompt of @inquirer/prompts, configured for this program; its keys are passed to it one by one. */
import { input, password, search, select } from "@inquirer/prompts";
import { PassThrough } from "node:stream";
import colours from "picocolors";

import { visibleText } from "../../protocol/visible-text.ts";
import { excerptOf } from "../format/excerpt.ts";
import { wrapped } from "../format/wrapped-text.ts";
import type { TypedKey } from "../terminal/key-queue.ts";
import { sizeOf } from "../terminal/raw-terminal.ts";
import type { Texts } from "../texts/texts.ts";
import { listLayout } from "./list-layout.ts";
import { choiceHead, choiceRow, offeredChoices } from "./choice-search.ts";
import type { DraftAnswer } from "./draft-answer.ts";
import type { Choice, ListPrompt, Prompt } from "./prompt.ts";
import { PromptOutput } from "./prompt-output.ts";

/** Columns that are kept free after a question for the first letters of its answer. */
const ANSWER_COLUMNS = 8;
/** Stand before the question and before the marked choice. */
const PREFIX = "? ";
const CURSOR = "> ";
const PREFIX_SIGN = colours.blue(PREFIX.trimEnd());
const THEME = { prefix: PREFIX_SIGN, icon: { cursor: CURSOR.trimEnd() } };

export class Question {
  readonly draft: DraftAnswer;
  readonly #terminal: NodeJS.WriteStream;
  readonly #texts: Texts;
  readonly #output: PromptOutput;
  /** Given to it in place of standard input, where it would drop keys typed ahead and answer with each pasted line. */
  readonly #keys = new PassThrough();
  readonly #abort = new AbortController();

  /** @param draft kept up to date while the question is open */
  constructor(draft: DraftAnswer, terminal: NodeJS.WriteStream, texts: Texts) {
    this.draft = draft;
    this.#terminal = terminal;
    this.#texts = texts;
    this.#output = new PromptOutput(terminal);
  }

  /**
   * Draws the prompt. Resolves with the answer; rejects when it is taken off or the process ends.
   * @param isNew it was not on the screen before
   */
  ask(isNew: boolean): Promise<string> {
    const { prompt } = this.draft;
    const context = { input: this.#keys, output: this.#output, signal: this.#abort.signal };
    switch (prompt.name) {
      case "select":
        return select(this.#selectConfig(prompt), context);
      case "search":
        return search(this.#searchConfig(prompt), context);
      case "input": {
        const { typed } = this.draft;
        const answer = input(this.#inputConfig(prompt, isNew), context);
        // If the prompt is asked again, type what was typed before.
        this.press({ typed, key: { sequence: typed } });
        return answer;
      }
      case "password": {
        const message = this.#lastLine(prompt.message, isNew);
        const theme = { ...THEME, style: { maskedText: this.#texts.passwordHidden } };
        return password({ message, toggleMask: false, theme }, context);
      }
      default:
        return prompt satisfies never;
    }
  }

  press({ typed, key }: TypedKey): void {
    this.#keys.emit("keypress", typed, key);
  }

  /** Puts another text in the place of what is typed. */
  retype(text: string): void {
    this.press({ typed: undefined, key: { name: "e", ctrl: true } });
    this.press({ typed: undefined, key: { name: "u", ctrl: true } });
    this.press({ typed: text, key: { sequence: text } });
  }

  /** Erases and ends the prompt. */
  takeOff(): void {
    this.#output.clear();
    this.#abort.abort();
  }

  #selectConfig(prompt: Prompt & { name: "select" }) {
    const rows = prompt.choices.map((choice, index) => {
      const taken = `${CURSOR}${index + 1}. `.length;
      return { ...choiceConfig(choice), name: this.#row(choice, taken) };
    });
    const config = this.#listConfig(prompt);
    const theme = { ...config.theme, indexMode: "number" as const };
    return { ...config, theme, choices: rows, loop: false };
  }

  #searchConfig(prompt: Prompt & { name: "search" }) {
    const source = (typed = "") => {
      this.draft.typed = typed;
      return offeredChoices(prompt, typed).map((choice) => ({
        ...choiceConfig(choice),
        name: this.#row(choice, CURSOR.length),
      }));
    };
    return {
      ...this.#listConfig(prompt),
      initialValue: this.draft.typed,
      source,
    };
  }

  #listConfig({ name, message, keys, marked, news = [] }: ListPrompt) {
    const { draft } = this;
    const { aim, typed } = draft;
    // A search shows what is typed itself.
    const asked = name === "select" && typed !== "" ? `${message} ${visibleText(typed)}` : message;
    const layout = listLayout(sizeOf(this.#terminal).rows, {
      news: news.map((line) => this.#fitted(`— ${line}`, 0)).join("\n"),
      question: this.#fitted(asked),
      refusal: aim.name === "refused" ? this.#fitted(this.#texts.menuNoMatch(excerptOf(aim.typed)), 0) : "",
      keys: this.#fitted(keys, 0),
    });
    const above = layout.news === "" ? "" : `${layout.news}\n`;
    // A search marks what fits best.
    const first = draft.marked ?? (name === "select" || typed === "" ? marked : undefined);
    const style = {
      message: (text: string, status: string) =>
        colours.bold(status === "done" ? this.#fitted(message) : text),
      answer: (answer: string) => colours.cyan(this.#fittedBehind(message, answer)),
      keysHelpTip: () => (layout.tip === "" ? "" : colours.dim(layout.tip)),
      // Called with the description of the marked choice whenever the list is drawn; we show no description.
      description: (value: string) => {
        if (draft.aim.name === "pointed") draft.marked = value.slice(1);
        return "";
      },
    };
    return {
      message: layout.question,
      pageSize: layout.pageSize,
      ...(first === undefined ? {} : { default: first }),
      theme: { ...THEME, prefix: { idle: `${above}${PREFIX_SIGN}`, done: PREFIX_SIGN }, style },
    };
  }

  #inputConfig({ message, offered }: Prompt & { name: "input" }, isNew: boolean) {
    const transformer = (value: string, { isFinal }: { isFinal: boolean }) => {
      this.draft.typed = value;
      // The text being typed must not be changed: @inquirer/prompts places the cursor by its columns.
      return isFinal || value === offered ? visibleText(value) : value;
    };
    const defaultAnswer = () => colours.dim(`(${visibleText(offered)})`);
    const theme = { ...THEME, style: { defaultAnswer } };
    return { message: this.#lastLine(message, isNew), default: offered, transformer, theme };
  }

  /** A choice broken into rows, its aside dim. @param taken columns before it */
  #row(choice: Choice, taken: number): string {
    const head = this.#fitted(choiceHead(choice), taken);
    const row = this.#fitted(choiceRow(choice), taken);
    return row.startsWith(head) ? head + colours.dim(row.slice(head.length)) : row;
  }

  /** The text broken into rows. One column stays free, since @inquirer/prompts starts a new row after a full one. */
  #fitted(text: string, taken = PREFIX.length): string {
    return wrapped(text, sizeOf(this.#terminal).columns - taken - 1);
  }

  /** The answer broken into rows as it follows its question. */
  #fittedBehind(message: string, answer: string): string {
    const start = `${this.#fitted(message)} `;
    const whole = this.#fitted(`${message} ${answer}`);
    return whole.startsWith(start) ? whole.slice(start.length) : answer;
  }

  /** The last line of a question. The lines before it are printed once, so that a key redraws only the last one. */
  #lastLine(message: string, isNew: boolean): string {
    const lines = message.split("\n");
    const last = lines.pop() ?? "";
    if (isNew && lines.length > 0) {
      this.#terminal.write(`${wrapped(lines.join("\n"), sizeOf(this.#terminal).columns)}\n`);
    }
    return this.#fitted(last, PREFIX.length + ANSWER_COLUMNS);
  }
}

/** The description carries the value, with a prefix because @inquirer/prompts ignores an empty description. */
function choiceConfig({ value, name }: Choice) {
  return { value, short: name, description: `=${value}` };
}
