import { describe, expect, test } from "bun:test";
import {
  checkUsername,
  fold,
  isNameLetter,
  isOldNameAcceptable,
  isOrdinaryName,
  label,
} from "../../src/identity/names.ts";

const ALL_LETTERS = Array.from({ length: 0x2000 }, (_, codePoint) => codePoint)
  .filter(isNameLetter)
  .map((codePoint) => String.fromCodePoint(codePoint));

describe("a new name", () => {
  const allowed: [string, string][] = [
    ["abc", "three letters"],
    ["ñandú", "Spanish letters"],
    ["Żółć", "Polish letters"],
    ["Nguyễn", "Vietnamese letters of U+1E00–1EFF"],
    ["Straße", "the sharp s"],
    ["GROẞ", "the capital sharp s"],
    ["007", "digits alone"],
    ["a.b_c-d", "marks after the first character"],
    ["a..", "marks at the end"],
    ["x".repeat(32), "32 code points"],
    ["ñ".repeat(32), "32 code points of two bytes"],
    ["Şişli", "Turkish letters other than the two i"],
  ];
  test.each(allowed)("%p is taken: %s", (name) => {
    expect(checkUsername(name)).toEqual({ ok: true, name });
  });

  const refused: [string, string][] = [
    ["", "nothing"],
    ["ab", "two code points"],
    ["n\u0303u", "two code points once it is in NFC"],
    ["x".repeat(33), "33 code points"],
    ["x".repeat(70_000), "a whole message"],
    [`a${"\u0300".repeat(32_000)}${"\u0316".repeat(32_000)}`, "a whole message of marks"],
    [".abc", "a dot first"],
    ["-abc", "a hyphen first"],
    ["_abc", "an underscore first"],
    ["ab c", "a space"],
    [" abc", "a space first"],
    ["abc\n", "a line feed"],
    ["abc\u0000", "a NUL"],
    ["abc/..", "a slash"],
    ["ab×", "U+00D7, which is no letter"],
    ["ab÷", "U+00F7, which is no letter"],
    ["ab[", "a bracket, between the capitals and the small letters"],
    ["ab`", "a backtick, between the capitals and the small letters"],
    ["ab\u00a0", "a no-break space"],
    ["ab\u00ad", "a soft hyphen"],
    ["abª", "a feminine ordinal, which NFKC changes"],
    ["abµ", "the micro sign, which NFKC changes"],
    ["abſ", "the long s, which NFKC changes"],
    ["ẛab", "the long s with a dot, which NFKC changes"],
    ["ĳssel", "a ligature of Latin Extended-A"],
    ["ǆurd", "a ligature of Latin Extended-B"],
    ["\ufb01nn", "the ligature fi"],
    ["\uff41bc", "a full-width letter"],
    ["ab\uff11", "a full-width digit"],
    ["ab\u0661", "an Arabic digit"],
    ["İzmir", "the I with a dot, U+0130"],
    ["ırmak", "the i without a dot, U+0131"],
    ["abĸ", "the kra, U+0138"],
    ["αβγ", "Greek"],
    ["аbc", "a Cyrillic a"],
    ["x\u0303yz", "a combining mark that nothing composes"],
    ["ab\u200d", "a zero-width joiner"],
    ["ab\ud83d", "half a character"],
    ["🐦🐦🐦", "emoji"],
  ];
  test.each(refused)("%p is refused: %s", (name) => {
    expect(checkUsername(name)).toEqual({ ok: false });
  });

  test("is registered in NFC, and its length is counted there", () => {
    expect(checkUsername("n\u0303andu\u0301")).toEqual({ ok: true, name: "ñandú" });
    expect(checkUsername("n\u0303".repeat(32))).toEqual({ ok: true, name: "ñ".repeat(32) });
    expect(checkUsername("u\u0308\u0304".repeat(32))).toEqual({ ok: true, name: "ǖ".repeat(32) });
    expect(checkUsername("n\u0303".repeat(33))).toEqual({ ok: false });
    expect(checkUsername("\u212bbc")).toEqual({ ok: true, name: "Åbc" }); // the ångström sign is Å in NFC
  });

  test("holds a code point exactly when it is a letter of the range that NFKC keeps", () => {
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
      const character = String.fromCodePoint(codePoint);
      const inRange =
        (codePoint >= 0x41 && codePoint <= 0x24f) || (codePoint >= 0x1e00 && codePoint <= 0x1eff);
      const expected =
        inRange &&
        /\p{L}/u.test(character) &&
        character.normalize("NFKC") === character &&
        !"\u0130\u0131\u0138".includes(character);
      if (isNameLetter(codePoint) !== expected)
        throw new Error(`U+${codePoint.toString(16)} is judged wrongly`);
    }
    expect(ALL_LETTERS.length).toBeGreaterThan(600);
  });
});

describe("the fold", () => {
  test("of every letter is stable, and equal for its composed and its decomposed form", () => {
    for (const letter of ALL_LETTERS) {
      const folded = fold(letter);
      expect(fold(folded)).toBe(folded);
      expect(fold(letter.normalize("NFD"))).toBe(folded);
      expect(letter.normalize("NFD").toLowerCase().normalize("NFC")).toBe(folded);
      expect([...folded]).toHaveLength(1);
    }
  });

  test("brings together two letters only when they are the two cases of one", () => {
    const byFold = Map.groupBy(ALL_LETTERS, fold);
    for (const [folded, letters] of byFold) {
      const twins = letters.filter((letter) => letter !== folded);
      expect(twins.length).toBeLessThanOrEqual(1);
      // ẞ has the small form ß, whose capital form is SS; they are the same name all the same.
      for (const twin of twins) expect(twin === "ẞ" ? "ß" : twin.toLowerCase()).toBe(folded);
    }
  });

  test("is equal for names that differ only in case or in composition", () => {
    for (const twin of ["ÑANDÚ", "Ñandú", "n\u0303andu\u0301", "N\u0303ANDU\u0301"])
      expect(fold(twin)).toBe("ñandú");
    expect(fold("TITIZ")).toBe("titiz");
    expect(fold("Title")).toBe(fold("TITLE"));
  });

  test("does not depend on the length or the characters of an old name", () => {
    for (const name of ["ΟΔΟΣ", "İstanbul", "\u0390", "ǅ", "ﬁ", "🐦 Ω", "\u1e9b\u0323"]) {
      expect(fold(fold(name))).toBe(fold(name));
    }
  });
});

test("the label is 40 hexadecimal digits of the SHA-256 of the fold, with the known answers", () => {
  // python3: hashlib.sha256("ñandú".encode()).hexdigest()[:40]
  expect(label("alice")).toBe("2bd806c97f0e00af1a1fc3328fa763a9269723c8");
  expect(label("ñandú")).toBe("43dbd6bf7148e6e6584eee6d8b61ab8e5dd76374");
  expect(label("N\u0303ANDÚ")).toBe("43dbd6bf7148e6e6584eee6d8b61ab8e5dd76374");
  expect(label("Bob")).toBe("81b637d8fcd2c6da6359e6963113a1170de795e4");
});

test("an old name may stay with up to 64 code points after NFC and without control characters", () => {
  for (const name of [
    "a",
    "Ana María",
    "🐦".repeat(64),
    "n\u0303".repeat(64),
    "..",
    "рыба",
    "x".repeat(64),
  ]) {
    expect(isOldNameAcceptable(name)).toBe(true);
  }
  const refused = [
    "",
    "x".repeat(65),
    "🐦".repeat(65),
    "n\u0303".repeat(65),
    "\u0958".repeat(33),
    "a\nb",
    "a\u0000",
  ];
  for (const name of [...refused, "\u007f", "\u0085", "\u001b[2J", "\ud83d", "x".repeat(1_000_000)]) {
    expect(isOldNameAcceptable(name)).toBe(false);
  }
});

test("an ordinary name holds only what a new name may hold", () => {
  for (const name of ["a", "ñandú", "x.y_z-1", "ǀ", ""]) expect(isOrdinaryName(name)).toBe(true);
  for (const name of ["a b", "анна", "a\u200bb", "ana\u0301", "ｆ", "ı", "×", "a\nb", "🕊"])
    expect(isOrdinaryName(name)).toBe(false);
});
