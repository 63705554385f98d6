/**
 * What a key does to an open question before @inquirer/prompts gets it. In a list an Enter behind letters
 * that stand for nothing chooses nothing: they may have been meant for a chat that is open no more.
 */
import type { Key } from "node:readline";

import { begins, begunChoice, searchChoices } from "./choice-search.ts";
import type { Question } from "./inquirer-questions.ts";
import type { TypedKey } from "../terminal/key-queue.ts";
import type { Choice, Prompt } from "./prompt.ts";
import { withoutLastGrapheme } from "../format/graphemes.ts";

/** UTF-16 units that are typed at a menu and remembered; what is typed behind them is dropped. */
const MAX_TYPED = 256;

const CONTROL = /\p{Cc}/u;
const NUMBER = /^\d+$/;
/** With Ctrl: the keys that clear what was typed. */
export const CLEARING_KEYS: ReadonlySet<string | undefined> = new Set(["u", "w"]);

function isEnter({ name }: Key): boolean {
  return name === "return" || name === "enter";
}

function isArrow({ name }: Key): boolean {
  return name === "up" || name === "down";
}

/** Moves the mark there as the arrow keys do; it stays where nothing is meant. */
function mark(
  { keys, marked }: Question,
  { choices }: Prompt & { name: "select" },
  meant: string | undefined,
) {
  const at = choices.findIndex(({ value }) => value === marked);
  const to = choices.findIndex(({ value }) => value === meant);
  if (at < 0 || to < 0) return;
  const [name, code] = to > at ? ["down", "B"] : ["up", "A"];
  for (let moves = Math.abs(to - at); moves > 0; moves--) {
    keys.emit("keypress", undefined, { name, sequence: `\x1b[${code}`, ctrl: false, meta: false });
  }
}

/** Whether an Enter chooses the marked entry of a menu. */
function isMeant({ term, marked, isWary }: Question, choices: readonly Choice[], isLast: boolean): boolean {
  if (term === "") return !isWary;
  return (isLast || NUMBER.test(term)) && begunChoice(choices, term)?.value === marked;
}

/** Letters and digits are ours: @inquirer/prompts forgets its own with time, and then Enter chooses. */
function takeInSelect(
  question: Question,
  prompt: Prompt & { name: "select" },
  pressed: TypedKey,
  isLast: boolean,
): boolean {
  const { typed, key } = pressed;
  const { choices } = prompt;
  if (isEnter(key) || isArrow(key)) {
    if (isEnter(key) && !isMeant(question, choices, isLast)) return false;
    if (isArrow(key)) question.isWary = false;
    question.term = "";
    question.keys.emit("keypress", typed, key);
    return true;
  }
  if (key.name === "backspace") question.term = withoutLastGrapheme(question.term);
  else if (key.ctrl === true) {
    if (CLEARING_KEYS.has(key.name)) question.term = "";
  } else if (typed !== undefined && !CONTROL.test(typed) && question.term.length < MAX_TYPED) {
    question.term += typed;
  }
  mark(question, prompt, begunChoice(choices, question.term)?.value);
  return true;
}

/** The way back stands there whatever is typed; it is meant when its name was typed, or an arrow key is on it. */
function takeInSearch(
  question: Question,
  prompt: Prompt & { name: "search" },
  pressed: TypedKey,
  isLast: boolean,
): boolean {
  const { typed, key } = pressed;
  const { term } = question;
  if (isEnter(key) && term === "" && question.isWary) return false;
  if (isEnter(key) && term !== "" && !question.isPointed) {
    const isFound = term.trim() !== "" && searchChoices(prompt.choices, term).length > 0;
    if (!isLast || (!isFound && !begins(prompt.last, term))) return false;
  }
  question.isPointed = isArrow(key);
  if (isArrow(key)) question.isWary = false;
  question.keys.emit("keypress", typed, key);
  return true;
}

/**
 * Gives a key to the question, which is on the screen. Letters choose only with nothing typed behind their
 * Enter: what comes in one piece was written for somebody who is known already.
 * @param isLast nothing is typed behind this key yet.
 * @returns false where an Enter can choose nothing of a list: the question is as it was before the key.
 */
export function takeKey(question: Question, pressed: TypedKey, isLast: boolean): boolean {
  const { prompt, keys, term } = question;
  const { typed, key } = pressed;
  question.isRefused = false;
  switch (prompt.name) {
    case "select":
      return takeInSelect(question, prompt, pressed, isLast);
    case "search":
      return takeInSearch(question, prompt, pressed, isLast);
    case "input":
    case "password":
      // What is offered stays offered when there is nothing left to delete.
      if (prompt.name === "input" && key.name === "backspace" && term === "") return true;
      keys.emit("keypress", typed, key);
      return true;
    default:
      return prompt satisfies never;
  }
}
