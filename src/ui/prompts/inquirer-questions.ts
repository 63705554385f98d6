/** One prompt as @inquirer/prompts asks it, in the person's words and with our keys. */
import { input, password, search, select } from "@inquirer/prompts";
import type { Readable } from "node:stream";
import colours from "picocolors";

import { visibleText } from "../../protocol/visible-text.ts";
import type { Texts } from "../texts/texts.ts";
import { wrapped } from "../format/wrapped-text.ts";
import { choiceRow, searchChoices } from "./choice-search.ts";
import type { PromptScreen } from "./prompt-output.ts";
import type { Prompt } from "./prompt.ts";

/** Of a terminal that does not say how large it is. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Rows of a list beside its choices and its question: a blank one, the keys, and one that stays free. */
const OTHER_ROWS = 3;
/** Rows of choices that are shown on the lowest terminal, and on the highest. */
const MIN_PAGE = 3;
const MAX_PAGE = 20;
/** Columns that stay free behind a question for the first letters of its answer. */
const ANSWER_COLUMNS = 8;
/** Before the question. */
const PREFIX = "?";
/** Before the marked choice. */
const MARK = ">";

/** A prompt on the screen. */
export type Question = {
  readonly prompt: Prompt;
  readonly screen: PromptScreen;
  readonly abort: AbortController;
  /** Where the prompt gets its keys, as `keypress` events. */
  readonly keys: Readable;
  /** The value of the choice that is marked; where one was before, it is marked again. */
  marked: string | undefined;
  /** What is typed, but for passwords; where something was typed before, it stands there again. */
  term: string;
  /** The key before was an arrow key. */
  isPointed: boolean;
  /** What was typed before stood for nothing and was dropped; said until the next key. */
  isRefused: boolean;
  /** Words that were no choice were typed here, so an Enter alone chooses nothing until something is pointed at. */
  isWary: boolean;
};

type Surroundings = {
  readonly output: NodeJS.WriteStream;
  readonly texts: Texts;
  /** The question has not been on the screen. */
  readonly isNew: boolean;
};

const COMMON_THEME = {
  prefix: colours.blue(PREFIX),
  icon: { cursor: MARK },
  style: { defaultAnswer: (offered: string) => colours.dim(`(${visibleText(offered)})`) },
};

/** @param onMarked gets the marked row, whenever it is drawn, without the mark. */
function listStyle(keys: () => string, onMarked: (row: string) => void) {
  return {
    answer: colours.cyan,
    message: colours.bold,
    searchTerm: colours.cyan,
    keysHelpTip: () => colours.dim(keys()),
    highlight: (row: string) => {
      onMarked(row.slice(MARK.length + 1));
      return colours.cyan(row);
    },
  };
}

/**
 * The text broken at words. One column stays free: @inquirer/prompts begins another row where one is full.
 * @param taken columns of its first row.
 */
function fitted(text: string, output: NodeJS.WriteStream, taken = PREFIX.length + 1): string {
  return wrapped(text, (output.columns || DEFAULT_COLUMNS) - taken - 1);
}

/** The answer as it is broken behind its question. */
function besides(message: string, answer: string, output: NodeJS.WriteStream): string {
  const start = fitted(message, output);
  const whole = fitted(`${message} ${answer}`, output);
  return whole.startsWith(`${start} `) ? whole.slice(start.length + 1) : answer;
}

/** The last line of a question, the others printed: so nothing long is redrawn at every key. */
function lastLine(message: string, { output, isNew }: Surroundings): string {
  const lines = message.split("\n");
  const last = lines.pop() ?? "";
  if (isNew && lines.length > 0) {
    output.write(`${wrapped(lines.join("\n"), output.columns || DEFAULT_COLUMNS)}\n`);
  }
  return fitted(last, output, PREFIX.length + 1 + ANSWER_COLUMNS);
}

function rowsOf(text: string): number {
  return text.split("\n").length;
}

/** The keys of a list; where one of them led nowhere, that is said before them. */
function keysOf(keys: string, question: Question, { output, texts }: Surroundings): string {
  return fitted(question.isRefused ? `${texts.menuNoMatch} ${keys}` : keys, output, 0);
}

function pageSize(message: string, keys: string, { output }: Surroundings): number {
  const free = (output.rows || DEFAULT_ROWS) - OTHER_ROWS;
  const page = free - rowsOf(fitted(message, output)) - (rowsOf(keys) - 1);
  return Math.max(MIN_PAGE, Math.min(page, MAX_PAGE));
}

function askSelect(question: Question, prompt: Prompt & { name: "select" }, around: Surroundings) {
  const { choices, numbered, message } = prompt;
  const numberOf = (index: number) => (numbered ? `${index + 1}. ` : "");
  const fittedChoices = choices.map((choice, index) => ({
    value: choice.value,
    name: fitted(choiceRow(choice), around.output, MARK.length + 1 + numberOf(index).length),
    short: besides(message, choice.name, around.output),
  }));
  const rows = fittedChoices.map(({ name }, index) => numberOf(index) + name);
  const keys = () => keysOf(around.texts.menuKeys, question, around);
  const style = listStyle(keys, (row) => {
    question.marked = choices[rows.indexOf(row)]?.value;
  });
  return select<string>(
    {
      message: fitted(message, around.output),
      choices: fittedChoices,
      loop: false,
      pageSize: pageSize(message, keys(), around),
      ...(question.marked === undefined ? {} : { default: question.marked }),
      theme: { ...COMMON_THEME, indexMode: numbered ? "number" : "hidden", style },
    },
    { input: question.keys, output: question.screen, signal: question.abort.signal },
  );
}

function askSearch(question: Question, prompt: Prompt & { name: "search" }, around: Surroundings) {
  const { choices, last, message } = prompt;
  const all = [...choices, last];
  const keys = () => keysOf(around.texts.menuSearchKeys, question, around);
  const style = listStyle(keys, (row) => {
    question.marked = all.find((choice) => choiceRow(choice) === row)?.value;
  });
  return search<string>(
    {
      message: fitted(message, around.output),
      pageSize: pageSize(message, keys(), around),
      ...(question.marked === undefined ? {} : { default: question.marked }),
      ...(question.term === "" ? {} : { initialValue: question.term }),
      source: (term = "") => {
        question.term = term;
        return [...searchChoices(choices, term), last].map((choice) => ({
          value: choice.value,
          name: choiceRow(choice),
          short: choice.name,
        }));
      },
      theme: { ...COMMON_THEME, style },
    },
    { input: question.keys, output: question.screen, signal: question.abort.signal },
  );
}

function askInput(question: Question, prompt: Prompt & { name: "input" }, around: Surroundings) {
  const before = question.term;
  const answer = input(
    {
      message: lastLine(prompt.message, around),
      ...(prompt.offered === "" ? {} : { default: prompt.offered }),
      transformer: (value, { isFinal }) => {
        question.term = value;
        // What is typed is shown as it is: @inquirer/prompts counts its columns for the cursor.
        return isFinal || value === prompt.offered ? visibleText(value) : value;
      },
      theme: COMMON_THEME,
    },
    { input: question.keys, output: question.screen, signal: question.abort.signal },
  );
  // As if it were typed once more.
  for (const typed of before) {
    question.keys.emit("keypress", typed, { sequence: typed, ctrl: false, meta: false, shift: false });
  }
  return answer;
}

/** Draws the question at once. Resolves with the answer; rejects when it is aborted or the process ends. */
export function ask(question: Question, around: Surroundings): Promise<string> {
  const { prompt } = question;
  switch (prompt.name) {
    case "select":
      return askSelect(question, prompt, around);
    case "search":
      return askSearch(question, prompt, around);
    case "input":
      return askInput(question, prompt, around);
    case "password": {
      const message = lastLine(prompt.message, around);
      const theme = { ...COMMON_THEME, style: { maskedText: around.texts.passwordHidden } };
      return password(
        { message, toggleMask: false, theme },
        { input: question.keys, output: question.screen, signal: question.abort.signal },
      );
    }
    default:
      return prompt satisfies never;
  }
}
