/** JSON lines that are safe to show on a terminal. */

/** Control, format, invisible and line separator characters: they could move the cursor, reverse a line or hide text. */
const UNSAFE_IN_TERMINAL = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/gu;

/** A character as JSON escapes; beyond U+FFFF two of them. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** A value as JSON on one line, without a line feed, with every unsafe character escaped. */
export function visibleJson(value: object): string {
  return JSON.stringify(value).replace(UNSAFE_IN_TERMINAL, escaped);
}

/** As `visibleJson`, with a line feed at its end. */
export function jsonLine(value: object): string {
  return `${visibleJson(value)}\n`;
}
