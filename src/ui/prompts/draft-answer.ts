/**
 * What a person has marked and typed at a prompt so far, and what a key does to it.
 *
 * Nothing may be chosen by accident. An Enter behind letters that stand for no choice chooses nothing: they may
 * have been meant for a chat that was open a moment ago. The list then rings and forgets the letters.
 */
import type { Key } from "node:readline";

import type { TypedKey } from "../terminal/key-queue.ts";
import { begins, begunChoice, isRowNumber, searchChoices } from "./choice-search.ts";
import { editedText, isList, type ListPrompt, type Prompt } from "./prompt.ts";

export type DraftAnswer = {
  readonly prompt: Prompt;
  /** Value of the marked choice of a list; undefined: its first one. */
  marked: string | undefined;
  /** Not kept for passwords. */
  typed: string;
  /**
   * `pointed`: the last key was an arrow key. `refused`: an Enter has just chosen nothing, and the list says so
   * until the next key. `wary`: after that, until an arrow key; an Enter alone still chooses nothing.
   */
  aim: "none" | "pointed" | "refused" | "wary";
};

/** Whether both ask the same, perhaps in other words or with more choices. */
function asksTheSame(before: Prompt, now: Prompt): boolean {
  if (before.name !== now.name) return false;
  if (before.message === now.message || !isList(before) || !isList(now))
    return before.message === now.message;
  const values = new Set(now.choices.map(({ value }) => value));
  return before.choices.length > 1 && before.choices.every(({ value }) => values.has(value));
}

/** The draft for a prompt that comes after another one. */
export function draftFor(prompt: Prompt, before: DraftAnswer | undefined): DraftAnswer {
  const marked = isList(prompt) ? prompt.marked : undefined;
  if (before === undefined || !asksTheSame(before.prompt, prompt)) {
    return { prompt, marked, typed: "", aim: "none" };
  }
  // The way back, where it was the only choice, was marked by nobody.
  const isDecided = before.prompt.name !== "select" || before.prompt.choices.length > 1;
  const aim = before.aim === "pointed" ? "none" : before.aim;
  return { prompt, marked: (isDecided ? before.marked : undefined) ?? marked, typed: before.typed, aim };
}

/** The draft without what was typed, and without a mark that only the letters of a search set. */
export function withoutTyped(draft: DraftAnswer): DraftAnswer {
  const isSearched = draft.prompt.name === "search" && draft.typed !== "";
  return { ...draft, typed: "", marked: isSearched ? undefined : draft.marked };
}

/** The draft after an Enter that chose nothing. */
export function refused(draft: DraftAnswer): DraftAnswer {
  return { ...draftFor(draft.prompt, withoutTyped(draft)), aim: "refused" };
}

function isEnter({ name }: Key): boolean {
  return name === "return" || name === "enter";
}

function isArrow({ name }: Key): boolean {
  return name === "up" || name === "down";
}

/**
 * Whether an Enter chooses the marked choice. Letters choose only when nothing is typed behind their Enter: a
 * text that comes in one piece is not meant for a list.
 */
function isMeant({ marked, typed, aim }: DraftAnswer, prompt: ListPrompt, isLast: boolean): boolean {
  if (typed === "") return aim !== "wary";
  if (aim === "pointed") return true;
  if (prompt.name === "select") {
    const meant = isLast || isRowNumber(typed) ? begunChoice(prompt.choices, typed) : undefined;
    return meant !== undefined && meant.value === marked;
  }
  const isFound = typed.trim() !== "" && searchChoices(prompt.choices, typed).length > 0;
  return isLast && (isFound || begins(prompt.last, typed));
}

function pressInList(draft: DraftAnswer, prompt: ListPrompt, pressed: TypedKey, isLast: boolean) {
  const { aim, marked } = draft;
  if (aim === "refused") draft.aim = "wary";
  if (isEnter(pressed.key)) return isMeant(draft, prompt, isLast) ? "pass" : "refuse";
  if (isArrow(pressed.key)) {
    draft.aim = "pointed";
    if (prompt.name === "select") draft.typed = "";
    return "pass";
  }
  if (aim === "pointed") draft.aim = "none";
  if (prompt.name === "search") return "pass";
  // Not left to @inquirer/prompts: it forgets after a while what was typed, and then an Enter would choose.
  draft.typed = editedText(draft.typed, pressed);
  draft.marked = begunChoice(prompt.choices, draft.typed)?.value ?? marked;
  return draft.marked === marked ? "ignore" : "redraw";
}

/**
 * Takes a key into the draft.
 * @param isLast nothing has been typed behind this key yet.
 * @returns what to do with it: `pass` it on to @inquirer/prompts, `ignore` it, `redraw` the list, or `refuse`
 * an Enter that chooses nothing.
 */
export function press(
  draft: DraftAnswer,
  pressed: TypedKey,
  isLast: boolean,
): "pass" | "ignore" | "redraw" | "refuse" {
  const { prompt, typed } = draft;
  if (isList(prompt)) return pressInList(draft, prompt, pressed, isLast);
  // @inquirer/prompts would take back what is offered.
  return prompt.name === "input" && pressed.key.name === "backspace" && typed === "" ? "ignore" : "pass";
}
