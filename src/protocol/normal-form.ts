/**
 * Normal forms of texts from outside, and the form in which they are compared and searched. A runtime sorts the combining marks of a run one by one: its time grows with the
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

/**
 * Left out of comparisons: invisible characters, the Arabic elongation, and marks, except those with which Indic
 * scripts, Thai and others write vowels, and the sound marks of kana. Of Indic marks only the nuktas are left out.
 */
const LEFT_OUT =
  /[\p{Default_Ignorable_Code_Point}\u0640[[\p{M}&&[\p{sc=Zinh}\p{sc=Arab}\p{sc=Cyrl}\p{sc=Hebr}\p{sc=Syrc}]]--[\u3099\u309a]]\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc]/gv;

/** Letters that have no decomposition, in lower case, by what is typed for them. */
const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: "ⱥ",
    ae: "æ",
    b: "ƀɓ",
    c: "ȼ",
    d: "đðɖɗ",
    e: "ɇ",
    g: "ǥɠ",
    h: "ħ",
    i: "ıɨ",
    j: "ɉ",
    k: "ƙ",
    l: "łƚ",
    n: "ŋɲ",
    o: "ø",
    oe: "œ",
    q: "ĸ",
    r: "ɍ",
    t: "ŧ",
    th: "þ",
    u: "ʉ",
    y: "ɏƴ",
    z: "ƶ",
    // The small sigma at the end of a word.
    σ: "ς",
  }).flatMap(([typed, letters]) => [...letters].map((letter) => [letter, typed] as const)),
);
const ASCII = /^[\0-\x7f]*$/;
const LETTER = new RegExp(`[${[...LETTERS.keys()].join("")}]`, "g");

/**
 * A text without case, accents, compatibility forms (`ﬁ`, `１`) and invisible characters: the one form in which texts
 * are compared and searched.
 */
export function folded(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  // In NFKD the halfwidth sound marks of kana become marks: before the length of runs is limited.
  const halfwidth = text.replaceAll("\uff9e", "\u3099").replaceAll("\uff9f", "\u309a");
  const bare = normalForm(normalForm(halfwidth, "NFD").replace(LEFT_OUT, ""), "NFKD").replace(LEFT_OUT, "");
  const lower = bare.toLowerCase().toUpperCase().toLowerCase();
  return normalForm(lower.replace(LETTER, (letter) => LETTERS.get(letter) ?? letter));
}

/** Letters and digits of scripts that do not put spaces between words. */
const UNSPACED =
  "[[\\p{L}\\p{N}]&&[\\p{scx=Hani}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Bopo}\\p{sc=Yiii}\\p{sc=Thai}" +
  "\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}\\p{sc=Java}\\p{sc=Bali}\\p{sc=Talu}\\p{sc=Lana}]]";
/**
 * A word of a folded text. In scripts without spaces between words each letter counts as one, so that a word is found
 * as adjacent letters.
 */
export const FOLDED_WORD = new RegExp(
  `${UNSPACED}\\p{M}*|[[\\p{L}\\p{N}]--${UNSPACED}][[\\p{L}\\p{N}\\p{M}\\p{Co}]--${UNSPACED}]*`,
  "gv",
);

/** The folded words of a text, in order: what the search indexes and looks for. */
export function wordsOf(text: string): readonly string[] {
  return folded(text).match(FOLDED_WORD) ?? [];
}
