/** How names are shown: confusable names are shown with their labels. */
import type { Archive } from "../../client/archive.ts";
import { isOrdinaryName, label as labelOf } from "../../identity/names.ts";
import { normalForm } from "../../protocol/normal-form.ts";
import { quotedName } from "../../protocol/quoted-text.ts";

/** Maps a registered name to the name shown. */
export type NameBook = ReadonlyMap<string, string>;

/** The name shown for a registered name; one that the book does not know is shown as beside nobody else. */
export function shownName(names: NameBook, username: string): string {
  return names.get(username) ?? aloneName(username) ?? withLabel(username, labelOf(username), SHORT_LABEL);
}

/** Hexadecimal digits of a label that are shown after a name, in groups of four. */
const SHORT_LABEL = 8;
const GROUPS = /.{1,4}/g;

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

/** The skeleton of a name (UTS 39): names with the same skeleton are confusable. */
function skeleton(name: string): string {
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

function withLabel(username: string, label: string, digits: number): string {
  const groups = label.slice(0, digits).match(GROUPS) ?? [];
  return `${quotedName(normalForm(username))} (${groups.join(" ")})`.trimStart();
}

/** The name as it is shown if it is not confusable; undefined: it has characters that no new name may have. */
function aloneName(username: string): string | undefined {
  // A typed name may be decomposed (NFD).
  const name = normalForm(username);
  return isOrdinaryName(name) && quotedName(name) === name ? name : undefined;
}

/**
 * The name book of these people. A name is shown as it is, or with the first digits of its label if it is confusable
 * with the name of another person or contains characters that no new name may contain. Two spellings with one label
 * are one person.
 */
export function nameBook(people: readonly { readonly username: string; readonly label: string }[]): NameBook {
  /** Skeleton → label; undefined: several people have this skeleton. */
  const owners = new Map<string, string | undefined>();
  const skeletons = people.map(({ username, label }) => {
    const bare = skeleton(username);
    if (!owners.has(bare)) owners.set(bare, label);
    else if (owners.get(bare) !== label) owners.set(bare, undefined);
    return bare;
  });
  const book = new Map<string, string>();
  const labelled = people.filter(({ username }, index) => {
    const isConfusable = owners.get(skeletons[index] ?? "") === undefined;
    const name = aloneName(username);
    if (isConfusable || name === undefined) return true;
    book.set(username, name);
    return false;
  });
  // An attacker can find a label that begins like another one; such labels are shown in full.
  const first = new Map<string, string>();
  const alike = new Set<string>();
  for (const { username, label } of labelled) {
    const shown = withLabel(username, label, SHORT_LABEL);
    if ((first.get(shown) ?? label) !== label) alike.add(shown);
    first.set(shown, label);
    book.set(username, shown);
  }
  for (const { username, label } of alike.size === 0 ? [] : labelled) {
    if (alike.has(book.get(username) ?? "")) book.set(username, withLabel(username, label, label.length));
  }
  return book;
}

/** With more names the oldest are dropped. */
const MAX_NAMES = 10_000;

/** The names that an account knows: its own, its contacts', and others that are about to be shown. */
export function namesKnownTo(
  archive: Pick<Archive, "username" | "contacts">,
  ...others: readonly string[]
): KnownNames {
  const names = new KnownNames();
  const people = [archive.username, ...others].map((username) => ({ username, label: labelOf(username) }));
  names.add([...archive.contacts(), ...people]);
  return names;
}

export class KnownNames {
  /** Name → label. */
  readonly #labels = new Map<string, string>();
  #book: NameBook = new Map();

  get book(): NameBook {
    return this.#book;
  }

  /** Adds people. @returns whether one of them is new, so that `book` has changed */
  add(people: readonly { readonly username: string; readonly label: string }[]): boolean {
    const before = this.#labels.size;
    for (const { username, label } of people) this.#labels.set(username, label);
    if (this.#labels.size === before) return false;
    for (const name of this.#labels.keys()) {
      if (this.#labels.size <= MAX_NAMES) break;
      this.#labels.delete(name);
    }
    this.#book = nameBook([...this.#labels].map(([username, label]) => ({ username, label })));
    return true;
  }
}
