import { describe, expect, test } from "bun:test";

import { isPlain, mostColumns } from "../../../src/ui/format/column-width.ts";

describe("the most columns of a text", () => {
  test.each([
    ["what is typed in Spanish", "¿Qué tal, señor? — «sí»…", 24],
    ["the marks of our lines", "✓✓ · >", 6],
    ["Han characters", "漢字", 4],
    ["kana, and a mark on one of them", "か\u3099", 4],
    ["an accent by itself", "e\u0301", 2],
    ["a vowel sign that stands beside its letter", "कि", 2],
    ["three letters joined to one", "क्षि", 4],
    ["a vowel sign on both sides of its letter", "தொ", 2],
    ["Korean letters that make up a syllable", "\u1112\u1161\u11ab", 4],
    ["the half of a flag", "\u{1f1ea}", 2],
    ["a flag", "🇪🇸", 4],
    ["a pictograph that is text or emoji", "❤", 2],
    ["a pictograph that is made an emoji", "❤\ufe0f", 3],
    ["a keycap", "1\ufe0f\u20e3", 4],
    ["a thumb with its skin tone", "👍🏽", 4],
    ["a family", "👨\u200d👩\u200d👧", 8],
    ["an encircled number on a square", "\u3248", 2],
    ["a new emoji, which is two boxes to an old terminal", "\u{1fae9}", 2],
  ] as const)("%s", (_name, text, columns) => {
    expect(mostColumns(text)).toBe(columns);
  });

  test("are never fewer than one for each code point, nor than is usual", () => {
    for (let code = 0x20; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const point = String.fromCodePoint(code);
      const most = mostColumns(point);
      if (most < 1 || most < Bun.stringWidth(point))
        expect({ code: code.toString(16), most }).toBeUndefined();
      // Terminals that have no table for these agree about no others.
      if (isPlain(point) && most !== Bun.stringWidth(point))
        expect({ code: code.toString(16), most }).toBeUndefined();
    }
  });
});

test("a text is plain when all terminals agree about its width", () => {
  for (const text of ["", "hola", "¿Qué? — «ñ»…", "✓✓ > ", "漢字かな한국", "[2 líneas]"])
    expect({ text, plain: isPlain(text) }).toEqual({ text, plain: true });
  for (const text of ["e\u0301", "कि", "👍", "❤", "©", "\u1112\u1161", "🇪", "か\u3099", "\u3248", "\x1b[32m"])
    expect({ text, plain: isPlain(text) }).toEqual({ text, plain: false });
});
