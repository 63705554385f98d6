/** What a face of the messenger may know of names: which are one, and which may be given (PROTOCOL 3). */
import { checkUsername, fold, isNameLetter } from "../identity/names.ts";

/** 40 hexadecimal digits for a name in any spelling. */
export { label as labelOf } from "../identity/names.ts";

/** True for the same registered name in whatever spelling: requests take names in any case. */
export function isSamePerson(one: string, other: string): boolean {
  return one === other || fold(one) === fold(other);
}

/**
 * Whether a name holds only what a new name may hold, whatever its length: letters of the
 * Latin blocks, ASCII digits, `.` `_` `-`. Old names, and those that a server makes up, may hold more.
 */
export function isOrdinaryName(name: string): boolean {
  return [...name].every((point) => /^[0-9._-]$/.test(point) || isNameLetter(point.codePointAt(0) ?? 0));
}

/** Whether a name may be registered, in any normal form; whether it is free the server knows. */
export function isNewName(name: string): boolean {
  return checkUsername(name).ok;
}
