import { describe, expect, test } from "bun:test";

import type { Contact } from "../../../src/client/profile/contacts.ts";
import { searchQuery } from "../../../src/client/profile/message-search.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";
import { arriving, fill, MessageScene, NOW, plansOf, text, withScene } from "../message-scene.ts";

/** Runs `use` with one text for each of `texts`, its id being the text. */
function withTexts(texts: readonly string[], use: (scene: MessageScene, ana: Contact) => void) {
  return withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    scene.read(ana, { incoming: texts.map((each) => arriving(each, each)) });
    use(scene, ana);
  });
}

describe("a search", () => {
  test("finds whole words, regardless of accents and case", () =>
    withTexts(["El camión ROJO", "camion", "CAMIO\u0301N viejo", "camiones", "İstanbul", "año"], (scene) => {
      const trucks = ["El camión ROJO", "camion", "CAMIO\u0301N viejo"];
      for (const word of ["camion", "camión", "CAMIÓN", "camio\u0301n"])
        expect(scene.found(word)).toEqual(trucks);
      expect(scene.found("rojo")).toEqual(["El camión ROJO"]);
      expect(scene.found("cami")).toEqual([]);
      expect(scene.found("ano")).toEqual(["año"]);
    }));

  test("finds a word beside an emoji or a currency symbol, old or new", () =>
    withTexts(["hola🥰", "🫠hola", "hola❤️", "hola🕊️ 👩🏽‍💻hola", "₽500", "500€", "🇨🇴hola🏳️‍🌈"], (scene) => {
      expect(scene.found("hola").length).toBe(5);
      expect(scene.found("hola🥰").length).toBe(5);
      expect(scene.found("500")).toEqual(["₽500", "500€"]);
    }));

  const alike: string[][] = [
    ["Straße", "STRASSE", "straẞe"],
    ["ﬁn", "fin", "ＦＩＮ"],
    ["１２３", "123"],
    ["йод", "ЙОД", "иод"],
    ["שָׁלוֹם", "שלום"],
    ["مُحَمَّد", "محمد", "مـحـمـد"],
    ["Łódź", "lodz"],
    ["đak", "dak"],
    ["øre", "ORE"],
    ["ısı", "isi", "İSİ"],
    ["Æon", "aeon"],
    ["ὁδός", "ΟΔΟΣ"],
    ["ｶﾞｽ", "ガス"],
    ["한국", "한국".normalize("NFD")],
  ];
  test.each(alike)("finds %s and %s by each other", (...forms) =>
    withTexts([...forms, "other"], (scene) => {
      for (const form of forms) expect(scene.found(form)).toEqual(forms);
      scene.checkIndex();
    }),
  );

  test("finds words in scripts without spaces, and no others that have the same letters", () => {
    const texts = [
      "我家在上海东边",
      "海上",
      "学校へ行く",
      "ไปโรงเรียนแล้ว",
      "서울에서",
      "မြန်မာစာ",
      "iPhone手机",
    ];
    return withTexts(texts, (scene) => {
      for (const [words, ...found] of [
        ["上海", "我家在上海东边"],
        ["海", "我家在上海东边", "海上"],
        ["上海 我家", "我家在上海东边"],
        ["上我"],
        ["学校", "学校へ行く"],
        ["โรงเรียน", "ไปโรงเรียนแล้ว"],
        ["เรียนโรง"],
        ["서울", "서울에서"],
        ["မာ", "မြန်မာစာ"],
        ["手机", "iPhone手机"],
        ["iphone手", "iPhone手机"],
      ] as const)
        expect([words, ...scene.found(words)]).toEqual([words, ...found]);
      scene.checkIndex();
    });
  });

  test("finds a text with any one Latin letter or sign in each of its forms", () => {
    const texts = Array.from({ length: 0x250 - 0x20 + 0x70 }, (_, index) =>
      String.fromCodePoint(index < 0x230 ? 0x20 + index : 0x2000 + index - 0x230),
    ).map((sign) => `q${sign}z`);
    return withTexts(texts, (scene) => {
      for (const text of texts) {
        for (const form of [text, text.toUpperCase(), text.normalize("NFD"), text.normalize("NFKC")]) {
          expect([form, scene.found(form).includes(text)]).toEqual([form, true]);
        }
      }
      scene.checkIndex();
    });
  });

  test("finds the messages that hold all the words, in any order", () =>
    withTexts(["uno dos tres", "tres uno", "dos"], (scene) => {
      expect(scene.found("tres uno")).toEqual(["uno dos tres", "tres uno"]);
      expect(scene.found("uno nada")).toEqual([]);
    }));

  const odd = [
    ["AND", "black and white"],
    ["OR", "or else"],
    ["NOT", "why not"],
    ["NEAR", "so near"],
    ["NEAR(so far)", "near so far"],
    ["text:hello", "text hello there"],
    ["-hello", "text hello there"],
    ["^black", "black and white"],
    ["whit*", undefined],
    ['"black', "black and white"],
    ['bl"ack', undefined],
    ['""" black', "black and white"],
    ["'; DROP TABLE messages; --", undefined],
    ["bl\u0000ack", undefined],
    ["black\u0000", "black and white"],
    ["{black white}", "black and white"],
    ["(black", "black and white"],
    ["+ black +", "black and white"],
    ["\ud800 black", "black and white"],
    ["🕊 black", "black and white"],
  ] as const;
  test.each(odd)("treats %j as words, not as operators", (words, expected) =>
    withTexts(
      ["black and white", "or else", "why not", "so near", "near so far", "text hello there"],
      (scene) => {
        const found = scene.found(words);
        if (expected === undefined) expect(found).toEqual([]);
        else expect(found).toContain(expected);
      },
    ),
  );

  test("without a letter or digit is no query", () => {
    for (const words of ["", "   ", "🕊️", "🥰", "😀", "₽", '* ^ : - "', "!?", "\u0000", "—", "_"]) {
      expect(searchQuery(words)).toBeUndefined();
    }
  });

  test("with very many words or a very long word does not fail", () =>
    withTexts(["a b", "x".repeat(32_768)], (scene) => {
      expect(scene.found("a ".repeat(16_384))).toEqual(["a b"]);
      expect(scene.found("x".repeat(32_768)).length).toBe(1);
      expect(scene.found("x".repeat(32_767))).toEqual([]);
    }));

  test("of a text as long as a message takes no longer for it: only its first words count", () =>
    withTexts(["a@".repeat(16_384), "上".repeat(5_000), "uno dos"], (scene) => {
      for (const typed of ["a@".repeat(32_768), "上".repeat(32_768)]) {
        // A phrase of all its parts takes a minute.
        expect(searchQuery(typed)?.length).toBeLessThan(100);
        expect(scene.found(typed).length).toBe(1);
      }
      const many = Array.from({ length: 100 }, (_, number) => `${number}`).join(" ");
      expect(searchQuery(`uno uno ${many}`)).toStartWith('"uno" "0" "1"');
      expect(searchQuery(many)?.split(" ").length).toBe(32);
      expect(scene.found(`uno ${"dos ".repeat(9_999)}`)).toEqual(["uno dos"]);
    }));

  test("covers all conversations, newest or oldest first, in pages", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.receive(ana, "1");
      scene.write(carla, "2");
      scene.receive(carla, "3");
      scene.write(ana, "4");
      const { search } = scene;
      while (search.indexSome());
      const query = searchQuery("text") as string;
      const newest = search.newest(query, Number.MAX_SAFE_INTEGER, 3);
      expect(newest.map(({ id, contact }) => [id, contact])).toEqual([
        ["4", ana.id],
        ["3", carla.id],
        ["2", carla.id],
      ]);
      expect(search.newest(query, newest[2]?.seq ?? 0, 3).map(({ id }) => id)).toEqual(["1"]);
      const oldest = search.oldest(query, 0, 3);
      expect(oldest.map(({ id }) => id)).toEqual(["1", "2", "3"]);
      expect(search.oldest(query, oldest[2]?.seq ?? 0, 3).map(({ id }) => id)).toEqual(["4"]);
    }));
});

describe("what was changed", () => {
  for (const when of ["before", "after"] as const) {
    test(`${when} it was indexed is found by its current text`, () =>
      withScene((scene) => {
        const ana = scene.contacts.ensure("Ana");
        scene.receive(ana, "edited", "withdrawn", "deleted", "empty");
        scene.queue(text(ana, "mine", "primero"), text(ana, "cancelled", "primero"), text(ana, "void", ""));
        scene.read(ana, { incoming: [{ kind: "edit", id: "e0", target: "empty", text: "" }] });
        if (when === "after") while (scene.search.indexSome());
        scene.read(ana, {
          incoming: [
            { kind: "edit", id: "e1", target: "edited", text: "nuevo" },
            { kind: "withdraw", id: "w1", target: "withdrawn" },
            { kind: "edit", id: "e2", target: "empty", text: "nuevo" },
          ],
        });
        scene.removal.delete(ana, "deleted", false);
        scene.removal.cancel(ana, "cancelled");
        scene.removal.rewrite(ana, "mine", "nuevo", NOW);
        scene.removal.rewrite(ana, "void", "nuevo", NOW);
        expect(scene.found("nuevo")).toEqual(["edited", "empty", "mine", "void"]);
        expect(scene.found("text")).toEqual([]);
        expect(scene.found("primero")).toEqual([]);
        scene.checkIndex();
      }));
  }

  test("is gone from the index at once, and found by its new text", () =>
    withTexts(["straße", "上海", "plain", "øre"], (scene, ana) => {
      while (scene.search.indexSome());
      const edit = (target: string, words: string) =>
        scene.read(ana, { incoming: [{ kind: "edit", id: `${target} ${words}`, target, text: words }] });
      edit("straße", "Łódź");
      edit("上海", "北京");
      edit("plain", "æon");
      edit("plain", "ﬁn");
      scene.removal.delete(ana, "øre", false);
      for (const words of ["strasse", "上海", "plain", "ore", "lodz"])
        expect(scene.search.oldest(searchQuery(words) ?? "", 0, 9)).toEqual([]);
      expect(scene.search.isBehind).toBe(true);
      expect(["lodz", "北京", "fin", "aeon"].map((words) => scene.found(words))).toEqual([
        ["straße"],
        ["上海"],
        ["plain"],
        [],
      ]);
      scene.checkIndex();
    }));
});

/** A simple search: words of letters and digits, without accents and case. */
const fold = (each: string) =>
  each.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll("ß", "ss").replaceAll("ø", "o");
const wordsOf = (each: string) =>
  fold(each)
    .replaceAll(/[海上]/g, " $& ")
    .match(/[\p{L}\p{N}]+/gu) ?? [];
const ALPHABET = [
  "a",
  "á",
  "A",
  "Á",
  "n",
  "ñ",
  "Ñ",
  "e\u0301",
  "é",
  "ü",
  "o",
  "1",
  "ß",
  "ss",
  "ø",
  "Ｏ",
  "海",
  "上",
  "🕊️",
  "-",
  '"',
  "*",
  " ",
  " ",
  " ",
  ",",
];

test("random texts are found as a naive search finds them, and the index is never broken", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const anyText = () => Array.from({ length: random.integer(12) }, () => random.pick(ALPHABET)).join("");
  await withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    const now = new Map<string, string>();
    for (let step = 0; step < 400; step++) {
      const id = `m${step}`;
      const target = now.size === 0 ? "none" : random.pick([...now.keys()]);
      const outgoing = scene.history.find(ana, target)?.outgoing ?? false;
      const words = anyText();
      switch (random.integer(9)) {
        case 0:
        case 1:
        case 2:
          scene.queue(text(ana, id, words));
          now.set(id, words);
          break;
        case 3:
        case 4:
          scene.read(ana, { incoming: [arriving(id, words)] });
          now.set(id, words);
          break;
        case 5:
          if (outgoing && scene.removal.rewrite(ana, target, words, NOW)) now.set(target, words);
          if (outgoing || !now.has(target)) break;
          scene.read(ana, { incoming: [{ kind: "edit", id, target, text: words }] });
          now.set(target, words);
          break;
        case 6:
          if (outgoing) scene.queue({ kind: "withdraw", contact: ana, id, target, sentAt: NOW });
          else scene.read(ana, { incoming: [{ kind: "withdraw", id, target }] });
          now.delete(target);
          break;
        case 7:
          if (outgoing ? scene.removal.cancel(ana, target) : scene.removal.delete(ana, target, false))
            now.delete(target);
          break;
        default:
          while (scene.search.indexSome());
      }
      if (step % 40 === 0) scene.checkIndex();
    }
    scene.checkIndex();
    for (let look = 0; look < 100; look++) {
      const words = anyText();
      // The words of each piece between blanks have to be adjacent.
      const phrases = words
        .split(/\s+/u)
        .map(wordsOf)
        .filter((each) => each.length > 0);
      const holds = (each: string) => {
        const stored = ` ${wordsOf(each).join(" ")} `;
        return phrases.every((phrase) => stored.includes(` ${phrase.join(" ")} `));
      };
      const expected =
        phrases.length === 0 ? [] : [...now].filter(([, each]) => holds(each)).map(([id]) => id);
      expect({ seed, words, found: scene.found(words) }).toEqual({ seed, words, found: expected });
    }
  });
}, 30_000);

describe("the index", () => {
  test("is built in batches, and may be interrupted between two of them", () =>
    withScene((scene, folder) => {
      const ana = scene.contacts.ensure("Ana");
      scene.read(ana, { incoming: Array.from({ length: 1_400 }, (_, index) => arriving(`${index}`)) });
      expect(scene.search.isBehind).toBe(true);
      expect(scene.search.indexSome()).toBe(true);
      const later = new MessageScene(folder);
      later.removal.delete(ana, "7", false);
      later.removal.delete(ana, "1300", false);
      expect(later.search.indexSome()).toBe(true);
      expect(scene.search.indexSome()).toBe(false);
      expect(later.search.isBehind).toBe(false);
      later.checkIndex();
      later.database.close();
      expect(scene.found("text").length).toBe(1_398);
    }));
});

test("long texts are indexed a few at a time, and one of any length alone", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    const incoming = Array.from({ length: 100 }, (_, index) =>
      arriving(`${index}`, `word${index} `.padEnd(10 * 1024, "ñ ")),
    );
    incoming.push(arriving("longest", "x ".repeat(256 * 1024)), arriving("last"));
    scene.read(ana, { incoming });
    const progress = () =>
      scene.database.query<{ seq: number }, []>("SELECT seq FROM search_progress").get()?.seq ?? 0;
    const ends: number[] = [];
    for (let isMore = true; isMore; ends.push(progress())) isMore = scene.search.indexSome();
    const sizes = ends.map((end, index) => end - (ends[index - 1] ?? 0));
    // Four of 15 KiB in UTF-8 fit in 64 KiB.
    expect(sizes).toEqual([...Array(25).fill(4), 1, 1]);
    scene.checkIndex();
    expect(scene.found("word7")).toEqual(["7"]);
  }));

test("with many messages stored a search reads only the rows that it returns", () =>
  withScene((scene) => {
    fill(scene);
    while (scene.search.indexSome());
    const query = searchQuery("text 19000") as string;
    const plans = plansOf(scene.database, () => [
      scene.search.newest(query, 1e9, 50),
      scene.search.oldest(query, 0, 50),
    ]);
    expect(plans.length).toBe(2);
    for (const plan of plans) {
      // By words, and by number in the requested order.
      expect(plan).toMatch(/SCAN message_words VIRTUAL TABLE INDEX \d+:M1[<>]/);
      expect(plan).toContain("SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)");
    }
    const [behind] = plansOf(scene.database, () => scene.search.isBehind);
    expect(behind).toContain("SEARCH messages");
  }));
