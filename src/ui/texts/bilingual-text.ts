/** A text in both languages: plain, or made of values. */
type Text = string | ((...values: never[]) => string);

export type BilingualText = { readonly es: Text; readonly en: Text };
