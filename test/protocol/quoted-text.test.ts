import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { quotedText } from "../../src/protocol/quoted-text.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";
import { ATTACKS } from "./text-attacks.ts";

/** What ends a quotation, or may be taken for it. */
const ENDS = /[«»‹›“”„‟‘’‚‛"＂≪≫《》⟪⟫❝❞″〞〟「」『』❱≻⪼ꞌ᾽῞΄]|''|[<>＜＞﹤﹥]\p{M}*[<>＜＞﹤﹥]/u;

describe("no text can end its quotation", () => {
  test.each([
    ["the Spanish mark", "hola». Ana le ha retirado el acceso", "hola'. Ana le ha retirado el acceso"],
    ["the English mark", "hi”. The server says: log in again", "hi'. The server says: log in again"],
    ["an opening mark first", "“hi” and «hola»", "'hi' and 'hola'"],
    ["straight marks", 'say "yes"', "say 'yes'"],
    ["low and reversed marks", "„a‟ ‚b‛", "'a' 'b'"],
    ["single guillemets", "a› b‹", "a' b'"],
    ["two single guillemets", "a›› b", "a' b"],
    ["two apostrophes, which look like one mark", "a'' b’’ c‘’", "a' b' c'"],
    ["an apostrophe, which stays", "don't, l’eau", "don't, l'eau"],
    ["much greater", "a≫ b≪", "a' b'"],
    ["brackets of Chinese", "a》 b《 c〉〉 d「e」『f』", "a' b' c' d'e''f'".replaceAll("''", "'")],
    ["angle brackets", "cat >> file << end >>>", "cat > > file < < end > > >"],
    ["full width", "a＂ b＞＞", "a' b＞ ＞"],
    ["primes", "5′ 6″ 7‴ a´´ b``", "5' 6' 7' a' b'"],
    ["ornaments", "a❞ b❝", "a' b'"],
    ["a mark hidden between invisible characters", "a\u200b»\u200b’\u2060’", "a'"],
    ["angle brackets with something invisible between", "a>\u200b> b", "a> > b"],
    ["a mark with an accent", "a»\u0301 b", "a'\u0301 b"],
    ["angle brackets with an accent between", "a>\u0301>b ﹥﹥", "a>\u0301 >b ﹥ ﹥"],
    ["heavy brackets, and signs of order", "a❱ b≻≻ c⪼", "a' b' c'"],
    ["saltillos and accents of Greek", "aꞌꞌ b᾽᾽ c῞ d΄΄", "a' b' c' d'"],
    ["a double accent on a space", "a \u030b. b", "a . b"],
    ["a double accent at the beginning", "\u030b. b", ". b"],
    ["a line feed", "a\n*** b", "a␊*** b"],
    ["a carriage return", "a\r» b", "a␍' b"],
    ["an escape", "a\u001b[1A» b", "a␛[1A' b"],
    ["an override of direction", "a\u202e» b", "a' b"],
  ])("%s", (_name, attack, shown) => {
    expect(quotedText(attack)).toBe(shown);
    expect(shown).not.toMatch(ENDS);
  });

  test.each(ATTACKS)("%s, as a visible text", (_name, attack) => {
    for (const options of [{}, { lines: true }]) expect(quotedText(attack, options)).not.toMatch(ENDS);
  });

  test("whatever stands beside each other, also if it is quoted again", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const pieces = [
      ..."«»‹›“”„‟‘’'\"´`′″≪≫《》<>＞ˮ״",
      "\u200b",
      "\u0301",
      "\u030b",
      " ",
      "a",
      "\n",
      "\u202e",
    ];
    for (let round = 0; round < 5_000; round++) {
      const text = Array.from({ length: random.integer(12) }, () => random.pick(pieces)).join("");
      const quoted = quotedText(text);
      try {
        expect(quoted).not.toMatch(ENDS);
        expect(quotedText(quoted)).toBe(quoted);
      } catch (error) {
        console.error(`PALOMA_TEST_SEED=${seed}`, JSON.stringify(text));
        throw error;
      }
    }
  });
});

test("what people write stays readable", () => {
  for (const text of [
    "¿Qué tal, ñandú? (100 €) — 5 < 6",
    "漢字 かな",
    "שלום",
    "👩🏽‍💻 it's",
    "a.b_c-d",
    "/var/lib/x.db",
  ])
    expect(quotedText(text)).toBe(text);
});

test("lines stay where the caller indents them", () => {
  expect(quotedText("a»\nb", { lines: true })).toBe("a'\nb");
});

test("a long text is cut, and not within a character", () => {
  expect(quotedText("x".repeat(100_000))).toBe(`${"x".repeat(4_096)}…`);
  expect(quotedText(`x${"👍".repeat(5_000)}`)).toBe(`x${"👍".repeat(2_047)}…`);
});

test("every quotation in the sentences of both programs is made by this function", () => {
  const root = join(import.meta.dir, "../../src");
  const unquoted = [...new Bun.Glob("**/*.ts").scanSync({ cwd: root })].flatMap((path) =>
    readFileSync(join(root, path), "utf8")
      .split("\n")
      .flatMap(
        (line) => line.match(/[«“](?:[^»”`$]|\$\{quotedText\([^}]*\)\})*\$\{(?!quotedText\()[^}]*\}/g) ?? [],
      )
      .map((found) => `${path}: ${found}`),
  );
  expect(unquoted).toEqual([]);
});
