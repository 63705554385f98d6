/** Whether what a process was started with, its arguments and variables, is UTF-8. */
import type { Environment } from "../environment.ts";
import type { Language } from "../language.ts";
import { quotedText } from "../quoted-text.ts";

/** The file of Linux with this process's arguments or variables, each ended by a zero; undefined elsewhere. */
export type StartBytes = (name: "cmdline" | "environ") => Uint8Array | undefined;

/** What a runtime puts in place of bytes that are not UTF-8. It may also have been typed: only the bytes tell. */
const REPLACEMENT = "\ufffd";
const READ_VARIABLE = /^(?:PALOMA_\w+|HOME|XDG_DATA_HOME)$/;

/**
 * Finds an argument or a variable that is not UTF-8: it would be sent, or name a file, as something else than was meant.
 * @param args without the runtime's own ones
 * @returns a sentence; undefined: there is none
 */
export function notUtf8(
  args: readonly string[],
  environment: Environment,
  bytes: StartBytes,
  language: Language,
): string | undefined {
  const suspects = args.filter((arg) => arg.includes(REPLACEMENT));
  const typed = suspects.length === 0 ? [] : entries(bytes("cmdline")).slice(-args.length);
  if (!typed.every(isUtf8)) {
    const suspect = suspects.join(" ");
    return language === "es"
      ? `No es UTF-8 válido: «${quotedText(suspect)}»`
      : `Not valid UTF-8: “${quotedText(suspect)}”`;
  }
  const isSuspect = (name: string) => environment[name]?.includes(REPLACEMENT) === true;
  const names = Object.keys(environment).filter((name) => READ_VARIABLE.test(name) && isSuspect(name));
  const set = names.length === 0 ? [] : entries(bytes("environ"));
  const wrong = names.find((name) => set.some((entry) => startsWith(entry, `${name}=`) && !isUtf8(entry)));
  if (wrong === undefined) return undefined;
  return language === "es" ? `${wrong}: no es UTF-8 válido` : `${wrong}: not valid UTF-8`;
}

function entries(file: Uint8Array | undefined): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let rest = file ?? new Uint8Array(); rest.length > 0;) {
    const end = rest.indexOf(0);
    found.push(end < 0 ? rest : rest.subarray(0, end));
    rest = end < 0 ? new Uint8Array() : rest.subarray(end + 1);
  }
  return found;
}

function startsWith(entry: Uint8Array, start: string): boolean {
  return (
    entry.length >= start.length && [...start].every((letter, index) => entry[index] === letter.charCodeAt(0))
  );
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return false;
  }
}
