import { expect, test } from "bun:test";

import { snippetOf } from "../../../src/ui/format/excerpt.ts";

test("a short message is shown whole", () => {
  expect(snippetOf("una CANCIÓN\nlarga", "cancion")).toBe("una CANCIÓN\nlarga");
});

test.each([0, 1, 50, 200, 5_000])(
  "of a long message the snippet with the word is shown, %d words before it",
  (count) => {
    const text = `${"é👨‍👩‍👧 ".repeat(count)}CANCIÓN${" ñ".repeat(5_000)}`;
    const shown = snippetOf(text, "¡cancion!");
    expect(shown).toContain("CANCIÓN");
    expect([...shown].length).toBeLessThanOrEqual(302);
    expect(shown.isWellFormed()).toBe(true);
    expect(shown.endsWith("…")).toBe(true);
    expect(shown.startsWith("…")).toBe(count >= 50);
  },
);

test("a word that is not found as it was typed shows the beginning", () => {
  expect(snippetOf("x ".repeat(1_000), "ß")).toStartWith("x x");
});

test.each([
  ["STRASSE", "straße"],
  ["１2", "12"],
  ["上海", "上海"],
  ["โรงเรียน", "โรงเรียน"],
  ["ガス", "ｶﾞｽ"],
  ["l’eau", "l'eau"],
  ["ŁÓDŹ", "lodz"],
])("the snippet shows %s, and not the letters of it that come before, if %s is searched", (word, typed) => {
  const before = `xstrassex 海 เรียน ${"ﷺ ﬁ ẞ 👨‍👩‍👧 ".repeat(300)}`;
  const shown = snippetOf(`${before}${word} ${"ñ ".repeat(500)}`, typed);
  expect(shown.indexOf(word)).toBeGreaterThan(0);
  expect([...shown.slice(0, shown.indexOf(word))].length).toBeLessThanOrEqual(61);
});
