/**
 * Normal forms of texts from outside. A runtime sorts the combining marks of a run one by one: its time grows with the
 * square of the run, and 64 KB of marks take 9 s. So the length of runs is limited before a text is normalised
 * (PROTOCOL 1). Names have their own limit in `identity/names.ts`: they are too short for a long run.
 */

/** More than 30 combining marks in a row; real scripts need fewer than ten. */
const LONG_RUN = /(\p{M}{30})\p{M}+/gu;

/** Whether a run of combining marks (`\p{M}`) is longer than 30. */
export function hasLongMarkRun(text: string): boolean {
  return text.length > 30 && text.search(LONG_RUN) >= 0;
}

/**
 * The text in a normal form, for what is typed, shown or searched: marks after the first 30 of a run are dropped.
 * @param form NFKC and NFKD make marks of other characters, too: only for a text that is short or has no marks
 */
export function normalForm(text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD" = "NFC"): string {
  return text.replace(LONG_RUN, "$1").normalize(form);
}
