/** Completion with Tab. */
import { visibleText } from "../../protocol/visible-text.ts";
import { wrapped } from "../format/wrapped-text.ts";

export type Offered = {
  /** Completions of `part`. */
  readonly offers: readonly string[];
  /** The same completions as they are shown in a list. */
  readonly shown: readonly string[];
  /** The end of the text before the cursor that is completed. */
  readonly part: string;
};

/** Offers that are shown at once. */
const MAX_OFFERS = 50;

function commonStart(texts: readonly string[]): string {
  const points = [...(texts[0] ?? "")];
  while (!texts.every((text) => text.startsWith(points.join("")))) points.pop();
  return points.join("");
}

/**
 * The text before the cursor with its last part completed as far as all offers agree. At the end of the line a
 * space follows a single offer that is no folder. Returns the same text if there is nothing to add.
 */
export function completed(
  before: string,
  isAtEnd: boolean,
  { offers, part }: Omit<Offered, "shown">,
): string {
  if (offers.length === 0 || !before.endsWith(part)) return before;
  const start = commonStart(offers);
  // Offers that differ in case may have a shorter common beginning than what was typed.
  if (start.length < part.length) return before;
  const space = offers.length === 1 && isAtEnd && !start.endsWith("/") ? " " : "";
  return before.slice(0, before.length - part.length) + start + space;
}

/** The first MAX_OFFERS offers as one line. @param columns width of the terminal */
export function offersLine(offers: readonly string[], columns: number | undefined): string {
  const shown = offers.slice(0, MAX_OFFERS).map((offer) => visibleText(offer));
  const line = `${shown.join("  ")}${offers.length > MAX_OFFERS ? "  …" : ""}`;
  return `${wrapped(line, columns)}\n`;
}
