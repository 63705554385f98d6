/** Finds a choice by what is typed, whatever the case and the accents. */
import { folded } from "../format/graphemes.ts";
import type { Choice } from "./prompt.ts";

/** Before the name of the way back; it need not be typed. */
const ARROW = /^← /;

/** The name as it is compared with what was typed. */
function comparable(name: string): string {
  return folded(name.replace(ARROW, "")).trim();
}

/** A choice as it stands in its row. */
export function choiceRow({ name, note }: Choice): string {
  return note === undefined ? name : `${name} ${note}`;
}

/** How well a choice fits. 0: it is the name or the value; 1: the name begins with it; 2: the name contains it. */
function rank({ value, name }: Choice, term: string): 0 | 1 | 2 | undefined {
  const shown = comparable(name);
  if (comparable(value) === term || shown === term) return 0;
  if (shown.startsWith(term)) return 1;
  return shown.includes(term) ? 2 : undefined;
}

/** The choices that fit, the best first and otherwise in the given order; all where nothing is typed. */
export function searchChoices(choices: readonly Choice[], typed: string): readonly Choice[] {
  const term = comparable(typed);
  if (term === "") return choices;
  return [0, 1, 2].flatMap((wanted) => choices.filter((choice) => rank(choice, term) === wanted));
}

/** Whether digits alone were typed, which stand for a row of a list. */
export function isRowNumber(typed: string): boolean {
  return /^\d+$/.test(typed);
}

/** The choice in a row that was typed, counted from 1. */
function numberedChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  return isRowNumber(typed) ? choices[Number(typed) - 1] : undefined;
}

/** The one choice that a row's number or a whole name stands for; undefined: none or several. A number wins. */
export function typedChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  const term = comparable(typed);
  const named = choices.filter((choice) => rank(choice, term) === 0);
  return numberedChoice(choices, term) ?? (named.length === 1 ? named[0] : undefined);
}

/** Whether the name begins with what was typed. */
export function begins({ name }: Choice, typed: string): boolean {
  // Spaces before it count: no name begins with one, and a text that was meant for a chat may go on with one.
  const term = folded(typed).trimEnd();
  return term !== "" && comparable(name).startsWith(term);
}

/** The choice in the typed row, or the first one whose name begins with what was typed. */
export function begunChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  return numberedChoice(choices, typed) ?? choices.find((choice) => begins(choice, typed));
}
