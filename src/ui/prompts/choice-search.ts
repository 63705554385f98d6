/** Finds the choices that fit a typed text, ignoring case and accents. */
import { folded } from "../../protocol/normal-form.ts";
import type { Choice, ListPrompt, Prompt } from "./prompt.ts";

/** Begins the name of the entry that leads back; it need not be typed. */
const ARROW = /^← /;

/** A text in the form in which names and typed texts are compared. */
function comparable(name: string): string {
  return folded(name.replace(ARROW, "")).trim();
}

/** A choice as its row shows it, without its aside. */
export function choiceHead({ name, note }: Choice): string {
  return note === undefined ? name : `${name} ${note}`;
}

/** A choice as its row shows it. */
export function choiceRow(choice: Choice): string {
  const { aside } = choice;
  return aside === undefined ? choiceHead(choice) : `${choiceHead(choice)} · ${aside}`;
}

/** How well a choice fits. 0: it is the name or the value; 1: the name begins with it; 2: the name contains it. */
function rank({ value, name }: Choice, term: string): 0 | 1 | 2 | undefined {
  const shown = comparable(name);
  if (comparable(value) === term || shown === term) return 0;
  if (shown.startsWith(term)) return 1;
  return shown.includes(term) ? 2 : undefined;
}

/** The choices that fit, the best ones first, otherwise in the given order; all of them if nothing is typed. */
export function searchChoices(choices: readonly Choice[], typed: string): readonly Choice[] {
  const term = comparable(typed);
  if (term === "") return choices;
  return [0, 1, 2].flatMap((wanted) => choices.filter((choice) => rank(choice, term) === wanted));
}

/** All choices of a searched list that are offered: the first one is marked, and is what an Enter means. */
export function offeredChoices(
  { choices, fixed }: Prompt & { name: "search" },
  typed: string,
): readonly Choice[] {
  const isBegun = (choice: Choice) => begins(choice, typed);
  return [
    ...searchChoices(choices, typed),
    ...fixed.filter(isBegun),
    ...fixed.filter((each) => !isBegun(each)),
  ];
}

/** Whether only digits were typed: they choose a row of a list. */
export function isRowNumber(typed: string): boolean {
  return /^\d+$/.test(typed);
}

/** The choice in the row whose number was typed, counted from 1. */
function numberedChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  return isRowNumber(typed) ? choices[Number(typed) - 1] : undefined;
}

/** The choice with this row number or this whole name; undefined if there is none, or several have the name. */
export function typedChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  const term = comparable(typed);
  const named = choices.filter((choice) => rank(choice, term) === 0);
  return numberedChoice(choices, term) ?? (named.length === 1 ? named[0] : undefined);
}

/** Whether the name of the choice begins with the typed text. */
export function begins({ name }: Choice, typed: string): boolean {
  // Leading spaces count: no name begins with one, but the rest of a text meant for a chat may.
  const term = folded(typed).trimEnd();
  return term !== "" && comparable(name).startsWith(term);
}

/** The choice with this row number, or the first one whose name begins with the typed text. */
export function begunChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  return numberedChoice(choices, typed) ?? choices.find((choice) => begins(choice, typed));
}

/** Whether a typed text fits no choice of a list, one of which takes such a text. */
export function isTaken(prompt: ListPrompt, typed: string): boolean {
  if (prompt.takes === undefined || typed.trim() === "") return false;
  const isBegun = (choice: Choice) => begins(choice, typed);
  if (prompt.name === "select") return !isRowNumber(typed) && !prompt.choices.some(isBegun);
  return searchChoices(prompt.choices, typed).length === 0 && !prompt.fixed.some(isBegun);
}
