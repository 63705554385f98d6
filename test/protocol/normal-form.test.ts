import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { checkUsername, fold, isOldNameAcceptable, isSamePerson, label } from "../../src/identity/names.ts";
import { searchQuery } from "../../src/client/profile/message-search.ts";
import { isEmailAcceptable, isPasswordAcceptable } from "../../src/protocol/account-rules.ts";
import { exactText, INVALID, text } from "../../src/protocol/fields.ts";
import { folded, hasLongMarkRun, normalForm, wordsOf } from "../../src/protocol/normal-form.ts";
import { readRequestId } from "../../src/protocol/rendezvous-messages.ts";
import { jsonLine, visibleText } from "../../src/protocol/visible-text.ts";
import { complete } from "../../src/ui/chat/commands.ts";
import { excerptOf, snippetOf } from "../../src/ui/format/excerpt.ts";
import { withoutLastGrapheme } from "../../src/ui/format/graphemes.ts";
import { KnownNames } from "../../src/ui/format/name-book.ts";
import { isYes } from "../../src/ui/format/questions.ts";
import { wrapped } from "../../src/ui/format/wrapped-text.ts";
import { frameOf } from "../../src/ui/line/line-frame.ts";
import { searchChoices } from "../../src/ui/prompts/choice-search.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { guardNormalForms, MARK_FLOODS } from "./mark-floods.ts";

const ACUTE = "\u0301";

describe("a run of marks is long", () => {
  test("if it has more than 30 marks", () => {
    expect(hasLongMarkRun(`a${ACUTE.repeat(30)}`)).toBe(false);
    expect(hasLongMarkRun(`a${ACUTE.repeat(31)}`)).toBe(true);
    expect(hasLongMarkRun(`${`a${ACUTE.repeat(30)}`.repeat(9)}${ACUTE}`)).toBe(true);
  });

  test("of whatever kind of mark: nonspacing, spacing, enclosing, a variation selector, beyond U+FFFF", () => {
    for (const mark of ["\u0301", "\u093e", "\u20dd", "\ufe0f", "\u{e0100}", "\u{1d165}"]) {
      expect(hasLongMarkRun(`a${mark.repeat(31)}`)).toBe(true);
    }
    expect(hasLongMarkRun("\u200d".repeat(99))).toBe(false);
  });

  test("at whatever place of the text", () => {
    const run = ACUTE.repeat(31);
    for (const long of [run, `${run}a`, `${"a".repeat(9_999)}${run}`, `${run.slice(1)}a${run}b`]) {
      expect(hasLongMarkRun(long)).toBe(true);
    }
  });
});

test("every code point that a normal form moves counts as a mark", () => {
  const moved: string[] = [];
  // The planes above have no letters and no marks but variation selectors, which nothing moves.
  for (let code = 0x80; code < 0x40000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const point = String.fromCodePoint(code);
    // U+0345 goes after all other marks.
    const isMoved = `a\u0345${point}`.normalize("NFD") !== `a\u0345${point.normalize("NFD")}`;
    if (isMoved && !/\p{M}/u.test(point)) moved.push(code.toString(16));
  }
  expect(moved).toEqual([]);
});

test("a normal form is that of the runtime, with at most 30 marks in a row", () => {
  expect(normalForm("n\u0303andu\u0301")).toBe("ñandú");
  expect(normalForm("ñ", "NFD")).toBe("n\u0303");
  // 30 marks, of which one composes.
  expect(normalForm(`a${ACUTE.repeat(99)}b${ACUTE.repeat(30)}`)).toBe(
    `á${ACUTE.repeat(29)}b${ACUTE.repeat(30)}`,
  );
});

describe("a folded text", () => {
  test.each([
    ["STRASSE straße", "strasse strasse"],
    ["ﬁn ｌ１２３ ① ½", "fin l123 1 1⁄2"],
    ["Й שָׁלוֹם مُحَمَّد مـحـمـد", "и שלום محمد محمد"],
    ["Łódź đak ØRE ısı İstanbul æon Œuvre þing", "lodz dak ore isi istanbul aeon oeuvre thing"],
    ["ὈΔΟΣ ὀδός", "οδοσ οδοσ"],
    ["ｶﾞｰ が 한국", "ガー が 한국"],
    ["फ़ोन की", "फोन की"],
    ["a\u00ad\u200bb ❤\ufe0f", "ab ❤"],
  ])("of %j is %j", (text, expected) => {
    expect(folded(text)).toBe(expected.normalize());
    expect(folded(text.normalize("NFD"))).toBe(expected.normalize());
  });

  test("is folded already, for every code point that is assigned", () => {
    const unstable: string[] = [];
    for (let code = 0; code < 0x40000; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const once = folded(String.fromCodePoint(code));
      if (folded(once) !== once) unstable.push(code.toString(16));
    }
    expect(unstable).toEqual([]);
  });
});

test("letters of scripts without spaces are words of their own, each with its vowel signs", () => {
  expect(wordsOf("iPhone手机 is 上海。")).toEqual(["iphone", "手", "机", "is", "上", "海"]);
  expect(wordsOf("โรงเรียน")).toEqual(["โ", "ร", "ง", "เ", "รี", "ย", "น"]);
  expect(wordsOf("l'eau_1 — किताब")).toEqual(["l", "eau", "1", "किताब"]);
});

describe("a field", () => {
  test("may have four times its length before NFC, and no more", () => {
    // NFC composes U+1FA7 of four code points, and gives it as one.
    const composed = "\u03c9\u0314\u0342\u0345";
    expect(text(1, 1)(composed)).toBe("\u1fa7");
    expect(text(8, 8)(composed.repeat(8))).toBe("\u1fa7".repeat(8));
    expect(exactText(8, 8)(composed.repeat(8))).toBe(composed.repeat(8));
    expect(text(1, 1)(`${composed}\u0316`)).toBe(INVALID);
    // Code points count, not UTF-16 units.
    expect(text(1, 4)("🕊🕊🕊🕊")).toBe("🕊🕊🕊🕊");
  });

  test("has at most 30 marks in a row, however much there is room for", () => {
    for (const check of [text(0, 100), exactText(0, 100)]) {
      const taken = `x${"\u0316".repeat(30)}`;
      expect(check(taken)).toBe(taken);
      expect(check(`${taken}\u0316`)).toBe(INVALID);
    }
  });
});

describe("a flood of marks is normalised nowhere:", () => {
  let release: () => void;
  beforeAll(() => {
    release = guardNormalForms();
  });
  afterAll(() => release());

  const english = textsIn("en");
  const uses: readonly (readonly [string, (flood: string) => unknown])[] = [
    ["fields", (flood) => [text(0, 100_000)(flood), exactText(0, 100_000)(flood), text(0, 64)(flood)]],
    ["request ids", (flood) => readRequestId(flood)],
    ["names", (flood) => [checkUsername(flood), isOldNameAcceptable(flood), fold(flood), label(flood)]],
    ["the comparison of names", (flood) => isSamePerson("ana", flood)],
    ["passwords and addresses", (flood) => [isPasswordAcceptable(flood), isEmailAcceptable(`${flood}@b`)]],
    ["what is shown", (flood) => wrapped(visibleText(flood, { lines: true }), 80)],
    ["excerpts and snippets", (flood) => [excerptOf(flood), snippetOf(flood, "a"), snippetOf("a", flood)]],
    ["JSON lines", (flood) => jsonLine({ flood })],
    ["shown names", (flood) => new KnownNames([{ username: flood, label: "0".repeat(40) }])],
    ["searches", (flood) => searchQuery(flood)],
    ["answers", (flood) => isYes(flood, english)],
    ["choices", (flood) => searchChoices([{ value: flood, name: flood }], flood)],
    ["completions", (flood) => complete(flood, new Map([[flood, flood]]), "ana")],
    ["the typed line", (flood) => frameOf("> ", flood, flood.length, { columns: 80, rows: 24 })],
    ["edits and folds", (flood) => [withoutLastGrapheme(flood), folded(flood), wordsOf(flood)]],
  ];
  test.each(uses)("%s", (_, use) => {
    for (const [name, flood] of MARK_FLOODS) expect(() => use(flood), name).not.toThrow();
  });
});
