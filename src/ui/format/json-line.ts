/** JSON for a program that may be shown on a terminal all the same. */

/** What moves a cursor, turns a line round or is not seen: escaped in JSON, not stripped. */
const UNSAFE_IN_TERMINAL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A character as JSON writes it, beyond U+FFFF as two. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** One JSON line that no terminal can misread. */
export function jsonLine(value: object): string {
  return `${JSON.stringify(value).replace(UNSAFE_IN_TERMINAL, escaped)}\n`;
}
