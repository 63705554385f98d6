import { randomInt } from "node:crypto";

/** Without those that are taken for each other: i, l and 1, o and 0. */
const SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** A password that is easy to read out and to type, of 99 bits: four groups of five, as `k7xm2-…`. */
export function randomPassword(): string {
  // `randomInt` takes each symbol with the same probability.
  const group = () => Array.from({ length: GROUP_LENGTH }, () => SYMBOLS[randomInt(SYMBOLS.length)]).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}
