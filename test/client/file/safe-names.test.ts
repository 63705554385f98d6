import { expect, test } from "bun:test";

import { numbered, safeName, safePart, twinKey } from "../../../src/client/file/safe-names.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const LONG = "x".repeat(300);

test.each([
  // What nobody needs to fear stays as it is.
  ["report.pdf", "report.pdf"],
  ["año 2026 – ñandú.tar.gz", "año 2026 – ñandú.tar.gz"],
  ["写真 (1).jpg", "写真 (1).jpg"],
  ["👨‍👩‍👧.png", "👨‍👩‍👧.png"],
  // Paths.
  ["/etc/passwd", "_etc_passwd"],
  ["../../etc/passwd", "_._.._etc_passwd"],
  ["..", "file"],
  [".", "file"],
  ["", "file"],
  ["a/b", "a_b"],
  ["a\\b", "a_b"],
  ["..\\..\\a", "_._.._a"],
  ["\\\\server\\share", "__server_share"],
  ["C:\\Windows", "C__Windows"],
  ["C:a", "C_a"],
  ["a.txt:stream", "a.txt_stream"],
  // Names of devices.
  ["con", "_con"],
  ["NUL.txt", "_NUL.txt"],
  ["aux .tar.gz", "_aux .tar.gz"],
  ["com1", "_com1"],
  ["LPT²", "_LPT²"],
  ["CONIN$", "_CONIN$"],
  ["nul. .", "_nul"],
  ["console", "console"],
  ["com10", "com10"],
  // What is not seen, or shows something else.
  ["a\0b", "a␀b"],
  ["a\nb\tc\x1b[2J", "a␊b␉c␛[2J"],
  ["a\x7f\x85", "a␡\ufffd"],
  ["photo\u202egpj.exe", "photogpj.exe"],
  ["a\u200b\u2066b\ufeff", "ab"],
  ["a.txt          .exe", "a.txt .exe"],
  ["a\u2800\u2800b\u3000c\u00a0d", "a b c d"],
  ["\u200b", "file"],
  ["a\ud800b", "a\ufffdb"],
  ["z\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "ź\u0301\u0301\u0301\u0301\u0301"],
  // The ends.
  ["a. . .", "a"],
  ["  a ", "a"],
  ["a.", "a"],
  [".bashrc", "_bashrc"],
  ["-rf", "_rf"],
  ["~", "_"],
  ["~root", "_root"],
  ["...", "file"],
  ['*?"<>|', "______"],
  // Composed otherwise.
  ["n\u0303", "ñ"],
  ["\u212b", "Å"],
])("%j is received as %j", (name, expected) => {
  expect(safeName(name)).toBe(expected);
});

test("inside a folder a name may begin with a dot or a dash", () => {
  expect([".git", "-a", "..a", "..", ". "].map(safePart)).toEqual([".git", "-a", "..a", "file", "file"]);
});

test("a name that is too long in bytes keeps its ending, and no part of a character", () => {
  expect(safeName(`${LONG}.tar.gz`)).toBe(`${"x".repeat(233)}.tar.gz`);
  expect(safeName(`${LONG}.${LONG}`)).toBe("x".repeat(240));
  expect(safeName(`${"é".repeat(300)}.é`)).toBe(`${"é".repeat(118)}.é`);
  expect(safeName("😀".repeat(100))).toBe("😀".repeat(60));
  expect(safeName(`${"x".repeat(238)}.y zz`)).toBe(`${"x".repeat(238)}.y`);
});

test("whatever comes, the name is one part of a path, in a few bytes, and safe as it is", () => {
  const random = seededRandom(testSeed());
  const pieces = [
    ..."ab./\\:*~-_ CON nul com1 \0\n\x1b\x7f\u00a0\u0301\u0316\u200d\u202e\u2028\u3000\u3164\ud800\udc00😀👩ﬁ\u1e9eß",
    "\u0301".repeat(200),
    "con",
    "...",
    "  ",
    LONG,
    ".tar.gz",
  ];
  for (let round = 0; round < 20_000; round++) {
    const name = Array.from({ length: random.integer(8) }, () => random.pick(pieces)).join("");
    for (const safe of [safeName(name), safePart(name)]) {
      const problem =
        safe === "" ||
        /[/\\:*?"<>|\p{Cc}\u202a-\u202e\u2066-\u2069]|^ |[ .]$|^(?:con|nul|com1)(?:\.|$)/iu.test(safe) ||
        !safe.isWellFormed() ||
        Buffer.byteLength(safe) > 240 ||
        safePart(safe) !== safe;
      expect(problem ? { name, safe, again: safePart(safe) } : undefined).toBeUndefined();
    }
  }
});

test("a number stands before the ending", () => {
  expect(numbered("a.txt", 1)).toBe("a.txt");
  expect(numbered("a.txt", 2)).toBe("a (2).txt");
  expect(numbered("a.tar.gz", 3)).toBe("a (3).tar.gz");
  expect(numbered("a", 2)).toBe("a (2)");
  expect(numbered(".git", 2)).toBe(".git (2)");
  expect(Buffer.byteLength(numbered(safeName(LONG), 100_000))).toBeLessThan(255);
});

test.each([
  ["README", "readme"],
  ["ñ", "n\u0303"],
  ["Ñ", "n\u0303"],
  ["straße", "STRASSE"],
  ["ΣΑΣ", "σας"],
  ["\u212a", "k"],
])("%j and %j are the same on some disk", (one, other) => {
  expect(twinKey(one)).toBe(twinKey(other));
});

test("a name without end is cut before anything else is done with it", () => {
  const marks = "\u0300\u0316".repeat(1_000_000);
  expect(safeName(`a${marks}.txt`)).toBe(safeName(`a${marks.slice(0, 499)}${marks.slice(-496)}.txt`));
});
