/**
 * What a person has marked and typed at a prompt so far, and what a key changes in it.
 *
 * Nothing may be chosen by accident. An Enter after letters that match no choice chooses nothing: the letters may
 * have been meant for a chat that was open a moment ago. The list then rings, says what is not in it, and drops the
 * letters; or, if one of its choices takes them, that choice leads to a question in which they stand.
 */
import type { Key } from "node:readline";

import type { TypedKey } from "../terminal/key-queue.ts";
import { begins, begunChoice, isRowNumber, isTaken, searchChoices } from "./choice-search.ts";
import {
  choicesOf,
  editedText,
  isList,
  isUnseen,
  type Answer,
  type ListPrompt,
  type Prompt,
} from "./prompt.ts";

export type DraftAnswer = {
  readonly prompt: Prompt;
  /** Value of the choice of a list that the person has marked; undefined: none, so that it is the prompt's own, or the first. */
  marked: string | undefined;
  /** What it was before letters were typed, which are dropped if they fit nothing. */
  unsearched: string | undefined;
  /** Empty for passwords, which are not kept here. */
  typed: string;
  aim:
    | { readonly name: "none" }
    /** The last key was an arrow key. */
    | { readonly name: "pointed" }
    /** The last key was an Enter that chose nothing; the list shows that. */
    | { readonly name: "refused"; readonly typed: string };
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
  const begun = (prompt.name === "input" ? prompt.begun : undefined) ?? "";
  if (before === undefined || !asksTheSame(before.prompt, prompt)) {
    return { prompt, marked: undefined, unsearched: undefined, typed: begun, aim: { name: "none" } };
  }
  const { marked, unsearched, typed } = before;
  const aim = before.aim.name === "pointed" ? ({ name: "none" } as const) : before.aim;
  return { prompt, marked, unsearched, typed: typed === "" ? begun : typed, aim };
}

/** The draft of an answered prompt: without the typed text, and without a mark that only a search has set. */
export function withoutTyped(draft: DraftAnswer): DraftAnswer {
  const isSearched = draft.prompt.name === "search" && draft.typed !== "";
  return { ...draft, typed: "", marked: isSearched ? undefined : draft.marked, aim: { name: "none" } };
}

export function refused(draft: DraftAnswer): DraftAnswer {
  const { typed, unsearched: marked } = draft;
  return { ...draft, typed: "", marked, aim: { name: "refused", typed } };
}

/** The answer when a value was chosen; with what was typed if the choice takes it. */
export function answerOf({ prompt, typed }: Pick<DraftAnswer, "prompt" | "typed">, value: string): Answer {
  const answer = { name: "answered", value } as const;
  return isList(prompt) && prompt.takes === value && isTaken(prompt, typed)
    ? { ...answer, typed: typed.trim() }
    : answer;
}

function isEnter({ name }: Key): boolean {
  return name === "return" || name === "enter";
}

function isArrow({ name }: Key): boolean {
  return name === "up" || name === "down";
}

/** The choice that the typed text marks in a menu. */
function meantChoice(prompt: ListPrompt, typed: string): string | undefined {
  return begunChoice(prompt.choices, typed)?.value ?? (isTaken(prompt, typed) ? prompt.takes : undefined);
}

/**
 * Whether Enter chooses the marked choice. Letters choose only if nothing was typed after the Enter yet: a text that
 * arrives in one piece is not meant for a list.
 */
function isMeant({ marked, typed, aim }: DraftAnswer, prompt: ListPrompt, isLast: boolean): boolean {
  if (typed === "" || aim.name === "pointed") return true;
  if (prompt.name === "select") {
    const meant = isLast || isRowNumber(typed) ? meantChoice(prompt, typed) : undefined;
    return meant !== undefined && meant === marked;
  }
  const isFound = typed.trim() !== "" && searchChoices(prompt.choices, typed).length > 0;
  return isLast && (isFound || isTaken(prompt, typed) || prompt.fixed.some((each) => begins(each, typed)));
}

/** The choice above or below the marked one. */
function neighbour(draft: DraftAnswer, prompt: ListPrompt, by: 1 | -1): string | undefined {
  const choices = choicesOf(prompt);
  const marked = draft.marked ?? prompt.marked;
  const index = Math.max(
    0,
    choices.findIndex(({ value }) => value === marked),
  );
  return choices[Math.max(0, Math.min(index + by, choices.length - 1))]?.value;
}

function pressInList(draft: DraftAnswer, prompt: ListPrompt, pressed: TypedKey, isLast: boolean) {
  const { key } = pressed;
  if (isEnter(key)) return isMeant(draft, prompt, isLast) ? "pass" : "refuse";
  const { typed } = draft;
  // What is shown of a menu's typed text, or of a refusal, must go.
  const isRefused = draft.aim.name === "refused";
  const isStale = isRefused || (prompt.name === "select" && typed !== "");
  if (isArrow(key)) {
    draft.aim = { name: "pointed" };
    if (!isStale) return "pass";
    draft.typed = "";
    draft.marked = neighbour(draft, prompt, key.name === "down" ? 1 : -1);
    return "redraw";
  }
  draft.aim = { name: "none" };
  if (typed === "") draft.unsearched = draft.marked;
  if (prompt.name === "search") {
    draft.marked = undefined;
    if (!isRefused) return "pass";
    draft.typed = editedText("", pressed);
    return "redraw";
  }
  // @inquirer/prompts drops the typed text after a while, so that a later Enter would choose; so it is kept here.
  draft.typed = editedText(draft.typed, pressed);
  draft.marked = meantChoice(prompt, draft.typed) ?? draft.marked;
  return draft.typed === typed && !isRefused ? "ignore" : "redraw";
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
  if (prompt.name !== "password" && isUnseen(typed, pressed)) return "ignore";
  if (isList(prompt)) return pressInList(draft, prompt, pressed, isLast);
  // @inquirer/prompts would remove the offered answer.
  return prompt.name === "input" && pressed.key.name === "backspace" && typed === "" ? "ignore" : "pass";
}
