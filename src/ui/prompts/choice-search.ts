/** Finding a choice by what is typed: case and accents do not matter, and the best fit stands first. */
import { folded } from "../format/graphemes.ts";
import type { Choice } from "./prompt.ts";

/** Before the entry that leads back; it need not be typed. */
const ARROW = /^← /;

function plain(text: string): string {
  return folded(text).trim();
}

/** A choice as it stands in its row. */
export function choiceRow({ name, note }: Choice): string {
  return note === undefined ? name : `${name} ${note}`;
}

/** 0: it is the name; 1: the name begins with it; 2: it stands within the name; 3: it does not. */
function distance({ value, name }: Choice, term: string): number {
  const shown = plain(name.replace(ARROW, ""));
  if (plain(value) === term || shown === term) return 0;
  if (shown.startsWith(term)) return 1;
  return shown.includes(term) ? 2 : 3;
}

/** The choices that what was typed may mean, the best fits first, each kind in the given order. */
export function searchChoices(choices: readonly Choice[], typed: string): readonly Choice[] {
  const term = plain(typed);
  if (term === "") return choices;
  return choices
    .map((choice) => ({ choice, distance: distance(choice, term) }))
    .filter((found) => found.distance < 3)
    .sort((a, b) => a.distance - b.distance)
    .map(({ choice }) => choice);
}

/** The one choice that a number from 1 or a whole name stands for; undefined: none, or several. */
export function typedChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  const term = plain(typed);
  const named = choices.filter((choice) => distance(choice, term) === 0);
  // A name may be a number; who types one that stands before the row means the row.
  const numbered = /^\d+$/.test(term) ? choices[Number(term) - 1] : undefined;
  return numbered ?? (named.length === 1 ? named[0] : undefined);
}

/** Whether the name begins with what was typed. */
export function begins({ name }: Choice, typed: string): boolean {
  // No name begins with a space; a sentence that was meant for a chat may go on with one.
  const term = folded(typed).trimEnd();
  return term !== "" && plain(name.replace(ARROW, "")).startsWith(term);
}

/** The first choice whose name begins with what was typed; a number from 1 is the row, where there is one. */
export function begunChoice(choices: readonly Choice[], typed: string): Choice | undefined {
  const numbered = /^\d+$/.test(typed) ? choices[Number(typed) - 1] : undefined;
  return numbered ?? choices.find((choice) => begins(choice, typed));
}
