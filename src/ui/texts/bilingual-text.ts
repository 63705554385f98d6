/** The type of a text in both languages, and the plurals, durations and lists in them. */
import type { Language } from "../../protocol/language.ts";

/** A text, or a function from values to a text. */
type Text = string | ((...values: never[]) => string);

export type BilingualText = { readonly es: Text; readonly en: Text };

/** Chooses the form for `count`: in both languages only 1 is singular. */
export function plural(count: number, one: string, other: string): string {
  return count === 1 ? one : other;
}

/** «2 minutes»: a duration in one unit. */
export function durationIn(unit: "minute" | "hour" | "day"): BilingualDuration {
  const formatIn = (language: Language) => {
    // Made at its first use: that takes milliseconds, and few sentences name a duration.
    let format: Intl.NumberFormat | undefined;
    return (count: number) => {
      format ??= new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" });
      return format.format(count);
    };
  };
  return { es: formatIn("es"), en: formatIn("en") };
}

type BilingualDuration = { readonly [L in Language]: (count: number) => string };

/** «ana, bob and eve». */
export const LIST: { readonly [L in Language]: (items: readonly string[]) => string } = {
  es: (items) => new Intl.ListFormat("es").format(items),
  en: (items) => new Intl.ListFormat("en").format(items),
};
