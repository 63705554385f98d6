/** The two languages in which people are spoken to. */
export type Language = "es" | "en";
export type Bilingual = { readonly es: string; readonly en: string };

/**
 * The language that the locale variables ask for, in POSIX's order; Spanish, the seed's language, when
 * they say neither.
 */
export function languageOf(environment: { readonly [name: string]: string | undefined }): Language {
  for (const name of ["LC_ALL", "LC_MESSAGES", "LANG"]) {
    const value = environment[name];
    if (value === undefined || value === "") continue;
    if (/^en(?![a-z])/i.test(value)) return "en";
    return "es";
  }
  return "es";
}
