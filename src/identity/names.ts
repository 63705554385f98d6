import { createHash } from "node:crypto";

/** Fewest code points of a new name, after NFC (PROTOCOL 3). */
const MIN_NEW_NAME_CODE_POINTS = 3;
/** Most code points of a new name, after NFC (PROTOCOL 3). */
const MAX_NEW_NAME_CODE_POINTS = 32;
/** Most code points of a name from a migrated database; also X.520's upper bound for a common name. */
export const MAX_NAME_CODE_POINTS = 64;

// NFC composes at most four code points, of at most two UTF-16 units each, into one. A longer text cannot become a
// name, and nothing is done with it: the time for NFC grows with the square of a run of combining marks.
const MAX_NAME_UNITS = MAX_NAME_CODE_POINTS * 4 * 2;

// Letters whose case mapping depends on the language (İ, ı) or that look like another letter in capitals (ĸ).
const REFUSED_LETTERS: ReadonlySet<number> = new Set([0x130, 0x131, 0x138]);

const LETTER = /^\p{L}$/u;
const CONTROL = /\p{Cc}/u;

/**
 * Whether a code point is a letter that a new name may have: U+0041–024F or U+1E00–1EFF, a letter for
 * Unicode (× and ÷ are not), left unchanged by NFKC, and none of U+0130, U+0131, U+0138 (PROTOCOL 3).
 */
export function isNameLetter(codePoint: number): boolean {
  const latin = codePoint >= 0x41 && codePoint <= 0x24f;
  const latinAdditional = codePoint >= 0x1e00 && codePoint <= 0x1eff;
  if ((!latin && !latinAdditional) || REFUSED_LETTERS.has(codePoint)) return false;
  const character = String.fromCodePoint(codePoint);
  return LETTER.test(character) && character.normalize("NFKC") === character;
}

/**
 * Checks a name to be registered (PROTOCOL 3): 3–32 code points after NFC; the first a letter
 * or an ASCII digit, then also `.` `_` `-`. `name` is the NFC form: the spelling to register.
 */
export function checkUsername(input: string): { ok: true; name: string } | { ok: false } {
  if (input.length > MAX_NAME_UNITS) return { ok: false };
  const name = input.normalize("NFC");
  const characters = [...name];
  if (characters.length < MIN_NEW_NAME_CODE_POINTS || characters.length > MAX_NEW_NAME_CODE_POINTS) {
    return { ok: false };
  }
  return isOrdinaryName(name) && !/^[._-]/.test(name) ? { ok: true, name } : { ok: false };
}

/** Whether a name may be registered, in any normal form; only the server knows whether it is free. */
export function isNewName(name: string): boolean {
  return checkUsername(name).ok;
}

/**
 * Whether a name of any length has only characters that a new name may have. Migrated names, and names that a
 * hostile server invents, may have others.
 */
export function isOrdinaryName(name: string): boolean {
  return [...name].every((point) => /^[0-9._-]$/.test(point) || isNameLetter(point.codePointAt(0) ?? 0));
}

/**
 * Whether a name of a migrated database may stay: well-formed, not empty, no control character, at most
 * {@link MAX_NAME_CODE_POINTS} code points after NFC (PROTOCOL 4). Its NFC form is what is registered.
 */
export function isOldNameAcceptable(name: string): boolean {
  if (name.length === 0 || name.length > MAX_NAME_UNITS || !name.isWellFormed() || CONTROL.test(name))
    return false;
  return [...name.normalize("NFC")].length <= MAX_NAME_CODE_POINTS;
}

/**
 * The form by which names are unique: NFC(toLowerCase(NFC(name))), in no language (PROTOCOL 3). A text that is too long
 * for a name is given back unchanged.
 */
export function fold(name: string): string {
  if (name.length > MAX_NAME_UNITS) return name;
  return name.normalize("NFC").toLowerCase().normalize("NFC");
}

/** Whether two spellings are the same name. */
export function isSamePerson(one: string, other: string): boolean {
  return one === other || fold(one) === fold(other);
}

/**
 * The name as a DNS label: the first 40 hexadecimal digits of SHA-256 of the UTF-8 of fold(name) (PROTOCOL 3).
 * Used in certificates and as the TLS server name, which have to be ASCII.
 */
export function label(name: string): string {
  return createHash("sha256").update(fold(name), "utf8").digest("hex").slice(0, 40);
}
