/**
 * What a person has marked and typed at a prompt so far, and what a key changes in it.
 *
 * Nothing may be chosen by accident. An Enter after letters that match no choice chooses nothing: the letters may
 * have been meant for a chat that was open a moment ago. The list then rings and drops the letters.
 */
import type { Key } from "node:readline";

import type { TypedKey } from "../terminal/key-queue.ts";
import { begins, begunChoice, isRowNumber, searchChoices } from "./choice-search.ts";
import { editedText, isList, type ListPrompt, type Prompt } from "./prompt.ts";

export type DraftAnswer = {
  readonly prompt: Prompt;
  /** Value of the marked choice of a list; undefined: the first choice. */
  marked: string | undefined;
  /** Empty for passwords, which are not kept here. */
  typed: string;
  /**
   * `pointed`: the last key was an arrow key. `refused`: the last key was an Enter that chose nothing; the list
   * shows that. `cautious`: after a refusal, until an arrow key; Enter alone chooses nothing.
   */
  aim: "none" | "pointed" | "refused" | "cautious";
};

/** Whether both prompts ask the same question, possibly in other words or with more choices. */
function asksTheSame(before: Prompt, now: Prompt): boolean {
  if (before.name !== now.name) return false;
  if (before.message === now.message || !isList(before) || !isList(now))
    return before.message === now.message;
  const values = new Set(now.choices.map(({ value }) => value));
  return before.choices.length > 1 && before.choices.every(({ value }) => values.has(value));
}

/** The draft for a prompt; keeps what was marked and typed if the prompt before asked the same. */
export function draftFor(prompt: Prompt, before: DraftAnswer | undefined): DraftAnswer {
  const marked = isList(prompt) ? prompt.marked : undefined;
  const begun = (prompt.name === "input" ? prompt.begun : undefined) ?? "";
  if (before === undefined || !asksTheSame(before.prompt, prompt)) {
    return { prompt, marked, typed: begun, aim: "none" };
  }
  const aim = before.aim === "pointed" ? "none" : before.aim;
  return { prompt, marked: before.marked ?? marked, typed: before.typed === "" ? begun : before.typed, aim };
}

/** The draft without the typed text, and without a mark that only a search has set. */
export function withoutTyped(draft: DraftAnswer): DraftAnswer {
  const isSearched = draft.prompt.name === "search" && draft.typed !== "";
  return { ...draft, typed: "", marked: isSearched ? undefined : draft.marked };
}

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
 * Whether Enter chooses the marked choice. Letters choose only if nothing was typed after the Enter yet: a text that
 * arrives in one piece is not meant for a list.
 */
function isMeant({ marked, typed, aim }: DraftAnswer, prompt: ListPrompt, isLast: boolean): boolean {
  if (typed === "") return aim !== "cautious";
  if (aim === "pointed") return true;
  if (prompt.name === "select") {
    const meant = isLast || isRowNumber(typed) ? begunChoice(prompt.choices, typed) : undefined;
    return meant !== undefined && meant.value === marked;
  }
  const isFound = typed.trim() !== "" && searchChoices(prompt.choices, typed).length > 0;
  return isLast && (isFound || prompt.fixed.some((each) => begins(each, typed)));
}

function pressInList(draft: DraftAnswer, prompt: ListPrompt, pressed: TypedKey, isLast: boolean) {
  const { aim, marked } = draft;
  if (aim === "refused") draft.aim = "cautious";
  if (isEnter(pressed.key)) return isMeant(draft, prompt, isLast) ? "pass" : "refuse";
  if (isArrow(pressed.key)) {
    draft.aim = "pointed";
    if (prompt.name === "select") draft.typed = "";
    return "pass";
  }
  if (aim === "pointed") draft.aim = "none";
  if (prompt.name === "search") return "pass";
  // @inquirer/prompts drops the typed text after a while, so that a later Enter would choose; so it is kept here.
  draft.typed = editedText(draft.typed, pressed);
  draft.marked = begunChoice(prompt.choices, draft.typed)?.value ?? marked;
  return draft.marked === marked ? "ignore" : "redraw";
}

/**
 * Applies a key to the draft.
 * @param isLast nothing has been typed after this key yet
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
  // @inquirer/prompts would remove the offered answer.
  return prompt.name === "input" && pressed.key.name === "backspace" && typed === "" ? "ignore" : "pass";
}
