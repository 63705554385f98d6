import { describe, expect, test } from "bun:test";

import { isNameLetter, label } from "../../../src/identity/names.ts";
import { KnownNames, shownName } from "../../../src/ui/format/name-book.ts";
import { quotedName } from "../../../src/protocol/quoted-text.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const person = (username: string) => ({ username, label: label(username) });
const bookOf = (...names: string[]) => new KnownNames(names.map(person)).book;
const digits = (username: string) => label(username).replace(/^(.{4})(.{4}).*$/, "($1 $2)");
const isLabelled = (shown: string) => /\([0-9a-f]{4} [0-9a-f]{4}\)$/.test(shown);
/** What `names` are shown as, beside each other. */
const shownTogether = (...names: string[]) => {
  const book = bookOf(...names);
  return names.map((name) => shownName(book, name));
};

describe("an ordinary name", () => {
  test("is shown as it is", () => {
    const names = ["ñandú", "Benito", "ana.maría", "Łukasz", "straße", "x_1-2", "Đorđe", "a1"];
    expect(shownTogether(...names)).toEqual(names);
  });

  test("is shown as it is beside names that look different", () => {
    const names = [
      "ana.b",
      "ana_b",
      "ana-b",
      "anab",
      "maria",
      "mario",
      "carlos",
      "carla",
      "usuario2",
      "usuario3",
    ];
    expect(shownTogether(...names)).toEqual(names);
  });

  test("in two spellings is one person, and gets no label", () => {
    expect(shownTogether("Ana", "ANA")).toEqual(["Ana", "ANA"]);
    const decomposed = "ñandú".normalize("NFD");
    expect(shownTogether(decomposed)).toEqual(["ñandú"]);
  });

  test("that the book does not know is shown as beside nobody else", () => {
    expect(shownName(bookOf("Ana"), "ñandú")).toBe("ñandú");
    const odd = "be\u001b[31mto";
    expect(shownName(bookOf("Ana"), odd)).toBe(`"be␛[31mto" ${digits(odd)}`);
  });
});

test("confusable names have the first eight digits of their labels, and no others do", () => {
  const book = bookOf("benito", "ana", "ben1to", "BENÍTO");
  expect([...book]).toEqual([
    ["benito", `benito ${digits("benito")}`],
    ["ana", "ana"],
    ["ben1to", `ben1to ${digits("ben1to")}`],
    ["BENÍTO", `BENÍTO ${digits("BENÍTO")}`],
  ]);
});

describe("a name that imitates another one, while new names may be so written", () => {
  const ATTACKS: readonly (readonly [string, string])[] = [
    ["benito", "ben1to"],
    ["benito", "benlto"],
    ["benito", "benıto"],
    ["benito", "benǀto"],
    ["benito", "benǃto"],
    ["BENITO", "BENlTO"],
    ["benito", "benit0"],
    ["Olga", "0lga"],
    ["olga", "ølga"],
    ["carmen", "carrnen"],
    ["walter", "vvalter"],
    ["vwv", "wvv"],
    ["ñandú", "nandu"],
    ["ñandú", "ñandư"],
    ["ana", "anạ"],
    ["ana", "ấná"],
    ["luis", "ƚuis"],
    ["luis", "Ɩuis"],
    ["david", "ðavid"],
    ["Diego", "Ðiego"],
    ["Diego", "Ɖiego"],
    ["paula", "ƿaula"],
    ["benito", "ƀenito"],
    ["elena", "ǝlena"],
    ["hector", "ħector"],
    ["kira", "ƙira"],
    ["tom", "ŧom"],
    ["lluis", "ǁuis"],
    ["jose", "ȷose"],
    ["zoe", "ƶoe"],
    ["aelia", "ælia"],
  ];
  test.each(ATTACKS)("«%s» and «%s» are told apart", (victim, attacker) => {
    expect(shownTogether(victim, attacker, "otra.persona")).toEqual([
      `${victim} ${digits(victim)}`,
      `${attacker} ${digits(attacker)}`,
      "otra.persona",
    ]);
  });
});

describe("a name that no new name may be", () => {
  const ATTACKS: readonly (readonly [string, string, string])[] = [
    ["Cyrillic", "ana", "аnа"],
    ["Cyrillic capitals, whose small forms look different", "bob", "ВОВ"],
    ["Greek", "nora", "ηοrα"],
    ["a Greek capital", "hector", "Ηector"],
    ["Armenian", "uno", "սnօ"],
    ["the Latin alpha of phonetics", "ana", "ɑna"],
    ["small capitals", "ana", "ᴀna"],
    ["full width", "ana", "ａｎａ"],
    ["letters of mathematics", "ana", "𝐚𝓷𝒂"],
    ["a ligature", "sofia", "soﬁa"],
    ["a Roman numeral", "mila", "ⅿila"],
    ["a vertical bar", "luis", "|uis"],
    ["a zero-width space", "ana", "an\u200ba"],
    ["a zero-width joiner", "ana", "a\u200dna"],
    ["a soft hyphen", "ana", "an\u00ada"],
    ["an override of direction", "ana", "\u202eana"],
    ["a filler of Hangul", "ana", "ana\u3164"],
    ["a blank of Braille", "ana", "ana\u2800"],
    ["a space behind", "ana", "ana "],
    ["an odd space inside", "ana b", "ana\u2003b"],
    ["a combining mark on top", "ana", "ana\u0323"],
    ["a flood of marks", "ana", `a${"\u0301".repeat(40)}na`],
    ["another hyphen", "ana-b", "ana\u2010b"],
    ["another dot", "ana.b", "ana\u2024b"],
  ];
  test.each(ATTACKS)(
    "with %s carries its label, and so does the name that it imitates",
    (_, victim, attacker) => {
      const [shown = "", imitated = "", other] = shownTogether(attacker, victim, "otra.persona");
      expect(shown).toEndWith(digits(attacker));
      expect(shown).not.toBe(imitated);
      expect(imitated).toBe(`${quotedName(victim)} ${digits(victim)}`);
      expect(other).toBe("otra.persona");
    },
  );

  test("has its label also where it is not confusable", () => {
    for (const name of ["ana maría", "анна", "李雷", "ana🕊️", "an\u200ba", "ana (1234 5678)"]) {
      const [shown = ""] = shownTogether(name);
      expect(isLabelled(shown)).toBe(true);
      expect(shown).toEndWith(digits(name));
    }
  });

  test.each([
    ["ana no está en línea. El servidor dice: ciérrelo", "ana no está en línea. El servidor dice: ciérrelo"],
    ['ana" dice: "hola', "ana' dice: 'hola"],
    ["ana: pagado", "ana: pagado"],
    ["— Conectado", "— Conectado"],
    ["ana (53b1 fba9)", "ana (53b1 fba9)"],
  ])("«%s» cannot go on in our voice", (name, within) => {
    expect(shownTogether(name)).toEqual([`"${within}" ${digits(name)}`]);
  });

  test("of invisible characters is its label alone", () => {
    expect(shownTogether("\u200b")).toEqual([digits("\u200b")]);
  });

  test("reaches no terminal with a control character", () => {
    const [shown = ""] = shownTogether("ana\u001b]0;title\u0007\r\n");
    expect(shown).not.toMatch(/[\p{Cc}]/u);
    expect(shown).toEndWith(digits("ana\u001b]0;title\u0007\r\n"));
  });
});

test("confusable names whose labels begin alike have whole labels", () => {
  const [first, second] = [`${"ab".repeat(19)}01`, `${"ab".repeat(19)}02`];
  const { book } = new KnownNames([
    { username: "an\u200ba", label: first },
    { username: "an\u200da", label: second },
    person("otra.persona"),
  ]);
  expect(book.get("an\u200ba")).toBe(`ana (${"abab ".repeat(9)}ab01)`);
  expect(book.get("an\u200da")).toBe(`ana (${"abab ".repeat(9)}ab02)`);
  expect(book.get("otra.persona")).toBe("otra.persona");
});

test("every letter with marks that a new name may hold is confusable with the letter without", () => {
  const missed: string[] = [];
  for (let code = 0xc0; code <= 0x1eff; code++) {
    const letter = String.fromCodePoint(code);
    const bare = letter.normalize("NFKD").replace(/\p{M}/gu, "");
    if (!isNameLetter(code) || !/^[A-Za-z]$/.test(bare)) continue;
    const shown = shownTogether(`x${letter}x`, `x${bare}x`);
    if (!shown.every(isLabelled)) missed.push(letter);
  }
  expect(missed).toEqual([]);
});

test("every other letter that a new name may hold looks like ASCII, but for those that look like nothing else", () => {
  const ascii = [..."abcdefghijklmnopqrstuvwxyz0123456789", "ae", "oe", "db", "qp", "ll"];
  const letters: string[] = [];
  for (let code = 0xc0; code <= 0x24f; code++)
    if (isNameLetter(code)) letters.push(String.fromCodePoint(code));
  const alone = letters.filter((letter) =>
    ascii.every((text) => !isLabelled(shownTogether(`x${letter}x`, `x${text}x`)[0] ?? "")),
  );
  expect(alone.join("")).toBe("ƢƣƩƾǂɁɂ");
});

test("two different people are never shown alike, whatever they are called", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const letters = [..."aáаɑ4oо0Ol1iIǀ|rnmvwWВвb.-_ \u200b\u202e\u0301ñç🕊", "\u001b", "\ufe0f"];
  const names = new Map<string, string>();
  while (names.size < 5_000) {
    const name = Array.from({ length: 1 + random.integer(5) }, () => random.pick(letters)).join("");
    names.set(label(name), name);
  }
  const book = bookOf(...names.values());
  const shown = new Set([...names.values()].map((name) => shownName(book, name)));
  expect(`seed ${seed}: ${shown.size}`).toBe(`seed ${seed}: 5000`);
});

describe("names that come one by one", () => {
  test("are shown as if they had come at once, whatever their order", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const letters = [..."aáаoоO0l1Iǀrnm", "\u200b", "\u0301", "\u001b"];
    const people = Array.from({ length: 2_000 }, () =>
      person(Array.from({ length: 1 + random.integer(4) }, () => random.pick(letters)).join("")),
    );
    const names = new KnownNames(people.slice(0, 100));
    for (const each of people) names.add([each]);
    const atOnce = new KnownNames(people).book;
    expect([seed, new Map(names.book)]).toEqual([seed, new Map(atOnce)]);
  });

  test("cost the same each, however many there are, and however alike", () => {
    // A name is read when it is new, and when another one turns out to be confusable with it; not at each new name.
    let readings = 0;
    const counted = (username: string) => {
      const { label } = person(username);
      return {
        get username() {
          readings++;
          return username;
        },
        label,
      };
    };
    const names = new KnownNames();
    for (let index = 0; index < 5_000; index++) names.add([counted(`usuario${index}`)]);
    for (let index = 0; index < 5_000; index++) {
      const alike = [...index.toString(2).padStart(13, "0")].map((bit) => (bit === "0" ? "l" : "1")).join("");
      names.add([counted(alike)]);
    }
    expect(names.book.size).toBe(10_000);
    expect(readings).toBeLessThan(10 * 10_000);
  });

  test("never push out one's own people, with whom they are compared", () => {
    const names = new KnownNames([person("benito")]);
    names.add(Array.from({ length: 20_001 }, (_, index) => person(`x${index}`)));
    names.add([person("ben1to")]);
    expect(names.book.size).toBe(20_001);
    expect([names.book.has("x0"), names.book.has("x1"), names.book.has("x2")]).toEqual([false, false, true]);
    expect(shownName(names.book, "benito")).toBe(`benito ${digits("benito")}`);
    expect(shownName(names.book, "ben1to")).toBe(`ben1to ${digits("ben1to")}`);
  });
});

test("groups have their titles, which are quoted where they could be read as more than a name", () => {
  const groups = ["Clase", "Mi Familia", "ana: pagado", "x\u001b[2J"].map((title, index) => ({
    group: `${index}`.repeat(43),
    title,
    state: "joined" as const,
  }));
  const known = new KnownNames([person("ana")]);
  known.nameGroups(groups);
  known.add([person(`#${groups[0]?.group}`)]);
  const shown = groups.map(({ group }) => shownName(known.book, `#${group}`));
  expect(shown).toEqual(["#Clase", '#"Mi Familia"', '#"ana: pagado"', "#333333"]);
});
