/** Finding a choice by what is typed: case and accents do not matter, and the best fit stands first. */
import type { Choice } from "./prompt.ts";

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

/** A choice as it stands in its row. */
export function choiceRow({ name, note }: Choice): string {
  return note === undefined ? name : `${name} ${note}`;
}

/** 0: it is the name; 1: the name begins with it; 2: it stands within the name; 3: it does not. */
function distance({ value, name }: Choice, term: string): number {
  const shown = plain(name);
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
