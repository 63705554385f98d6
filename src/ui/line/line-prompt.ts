/** What stands around the text of an input line: to whom one writes before it, and what they do behind it. */
import { createColors } from "picocolors";

import { mostColumns } from "../format/column-width.ts";
import { graphemesOf } from "../format/graphemes.ts";

/** Columns needed for the text: the prompt leaves at least as many. */
export const MIN_TEXT_COLUMNS = 8;
const CUT = "…";

/** Its texts are visible text without line breaks. */
export type LinePrompt = {
  /** The person to whom one writes. */
  readonly name: string;
  /** They are not there: the name is dim. */
  readonly isAway: boolean;
  /** The state of what was written last; may be empty. */
  readonly mark: string;
  /** Stands in place of `mark` where that would leave less than half of a row for the text. */
  readonly brief?: string;
  /** How many messages wait in other conversations. */
  readonly waiting: number;
  /** Stands behind the text, which it therefore does not move; may be empty. */
  readonly sign: string;
};

/** The name in at most `columns` columns: the middle is cut, since names may begin or end alike. */
function shortened(name: string, columns: number): string {
  if (mostColumns(name) <= columns) return name;
  const units = Array.from(graphemesOf(name), ({ segment }) => segment);
  while (units.length > 0 && mostColumns(units.join("") + CUT) > columns) units.splice(units.length >> 1, 1);
  return units.length === 0 ? "" : units.toSpliced(Math.ceil(units.length / 2), 0, CUT).join("");
}

/** The prompt before the text: «benito ✓✓ (2) > ». @param columns of the terminal */
export function promptText(
  { name, isAway, mark, brief = mark, waiting }: LinePrompt,
  columns: number,
  hasColours: boolean,
): string {
  const behind = (its: string) => `${its === "" ? "" : `${its} `}${waiting === 0 ? "" : `(${waiting}) `}> `;
  const whole = behind(mark);
  const end = mostColumns(`${name} ${whole}`) > columns / 2 ? behind(brief) : whole;
  const shown = shortened(name, columns - MIN_TEXT_COLUMNS - mostColumns(` ${end}`));
  if (shown === "") return end;
  return `${isAway ? createColors(hasColours).dim(shown) : shown} ${end}`;
}

/** What stands behind the text; empty if nothing does. */
export function signText({ sign }: LinePrompt, hasColours: boolean): string {
  return sign === "" ? "" : createColors(hasColours).dim(`  ${sign}`);
}
