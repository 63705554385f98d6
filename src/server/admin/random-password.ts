import { randomInt } from "node:crypto";

/** Without symbols that look alike: i, l and 1, o and 0. */
const SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** A password of 99 bits that is easy to read aloud and to type: four groups of five, such as `k7xm2-…`. */
export function randomPassword(): string {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => SYMBOLS[randomInt(SYMBOLS.length)]).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}
