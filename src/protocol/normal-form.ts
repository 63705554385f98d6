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

/**
 * Confusables (UTS 39), one group per line: each member is replaced by the first one. The list holds every letter of
 * PROTOCOL 3 that does not decompose into an ASCII letter and combining marks, unless it looks like no other letter,
 * and the usual confusables of other scripts, which only legacy names contain. «m» is replaced by «rn» and «w» by
 * «vv», so that both spellings have the same skeleton.
 */
const CONFUSABLES = `
a ɑ α а ᴀ ⱥ ʌ Λ
ae æ ӕ
b ƀ ɓ ƃ ƅ ß β в В ь Ь ъ ʙ
c ƈ ȼ ɔ с ϲ ᴄ Ϲ
d đ ð ɖ ɗ ƌ ȡ ẟ ԁ ᴅ
db ȸ
e ǝ ə ɛ ɇ е є ε Ε ҽ ᴇ
f ƒ ẜ ẝ ϝ ք
g ɠ ǥ ƍ ɡ ɢ ց
h ħ ƕ н Н Η һ ի հ
j ɉ ȷ ј ϳ յ
k ƙ к κ ĸ
l 1 i | ! ı ł ƚ ƛ ɨ ɩ ƪ ȴ ǀ ǃ ι і ӏ ן ا
ll ǁ ỻ
n ɲ ƞ ŋ ȵ η п Π π ո ռ Ν и И
o 0 ø ɵ ο о σ օ ס ه
oe œ
p ƥ þ ƿ ρ р Ρ
q ɋ ԛ զ
qp ȹ
r ʀ ɍ г Г Γ
rn m м Μ ᴍ
s ȿ ѕ ʂ
t ŧ ƭ ʈ ƫ ȶ ⱦ τ т
u ʊ ʉ υ ս ᴜ
v ʋ ỽ ν ѵ Ѵ
vv w ɯ ω ԝ ѡ ш ա
x х χ
y ƴ ɏ ỿ ɣ γ у ү Υ Ү
z ƶ ȥ ɀ Ζ ᴢ
2 ƨ ƻ
3 ʒ ƹ ƺ ȝ з З
5 ƽ
8 ȣ
? ɂ ƾ Ɂ
- ‐ ‑ ‒ – — ― − ⁃ ー 一
. · • ․ ‧ ∙ ⋅
_ ˍ
`;

const READ_AS: ReadonlyMap<string, string> = new Map(
  CONFUSABLES.trim()
    .split("\n")
    .flatMap((line) => {
      const [first = "", ...others] = line.split(" ");
      return others.map((other): [string, string] => [other, first]);
    }),
);

const UNSEEN = /[\p{M}\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;
// U+2800, the empty Braille cell, looks like a space.
const BLANKS = /[\s\u2800]+/gu;

/** The skeleton of a short text (UTS 39): names with the same skeleton are confusable. */
export function skeleton(name: string): string {
  // Without its marks first: NFKD makes further ones, and sorts them slowly among the others.
  const unmarked = normalForm(name, "NFD").replace(UNSEEN, "");
  const bare = normalForm(unmarked, "NFKD").replace(UNSEEN, "").replace(BLANKS, " ").trim();
  let read = "";
  for (const point of bare) {
    // A capital letter and its lower case may look like different letters: Η like H, η like n.
    const small = point.toLowerCase();
    read += READ_AS.get(point) ?? READ_AS.get(small) ?? small;
  }
  return read;
}
