import { variable, type Environment } from "./environment.ts";

/** The two languages of everything that people read. */
export type Language = "es" | "en";
export type Bilingual = { readonly es: string; readonly en: string };

/**
 * The language of the locale variables, in POSIX's order; Spanish, as in the legacy client, if they name neither.
 */
export function languageOf(environment: Environment): Language {
  for (const name of ["LC_ALL", "LC_MESSAGES", "LANG"]) {
    const value = environment[name];
    if (value === undefined || value === "") continue;
    if (/^en(?![a-z])/i.test(value)) return "en";
    return "es";
  }
  return "es";
}

/**
 * The language of all output, even about a wrong command line: `--lang`, else `PALOMA_LANG`, else the locale's.
 */
export function chosenLanguage(args: readonly string[], environment: Environment): Language {
  const flag = args.findLastIndex((arg) => arg === "--lang" || arg.startsWith("--lang="));
  const given = args[flag] === "--lang" ? args[flag + 1] : args[flag]?.slice("--lang=".length);
  for (const value of [given, variable(environment, "PALOMA_LANG")])
    if (value === "es" || value === "en") return value;
  return languageOf(environment);
}
