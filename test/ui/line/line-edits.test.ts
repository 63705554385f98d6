import { describe, expect, test } from "bun:test";

import { edited, EMPTY_LINE, inserted, keyName, type EditedLine } from "../../../src/ui/line/line-edits.ts";

const PLACEHOLDER = "[2\u00a0líneas]";

/** A line as a text with | where the cursor is. */
function lineOf(drawn: string): EditedLine {
  return { ...EMPTY_LINE, text: drawn.replace("|", ""), cursor: drawn.indexOf("|") };
}

function drawn({ text, cursor }: EditedLine): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

/** Keys by name, one after the other. */
function press(line: EditedLine, keys: string): EditedLine {
  return keys.split(" ").reduce((before, key) => edited(before, key, [PLACEHOLDER]), line);
}

test("a key is named with its modifier, but for those that mean the same with each", () => {
  expect(keyName({ name: "w", ctrl: true, meta: false })).toBe("ctrl-w");
  expect(keyName({ name: "left", meta: true })).toBe("alt-left");
  expect(keyName({ name: "up", meta: true })).toBe("up");
  expect(keyName({ name: "return", meta: true })).toBe("line-break");
  expect(keyName({ name: "return", shift: true })).toBe("line-break");
  expect(keyName({ sequence: "ñ" })).toBe("");
});

describe("editing keys", () => {
  test.each([
    ["a|b", "left", "|ab"],
    ["|ab", "left", "|ab"],
    ["ab|", "right", "ab|"],
    ["a|b", "home", "|ab"],
    ["a|b", "ctrl-e", "ab|"],
    ["a|b", "backspace", "|b"],
    ["a|b", "delete", "a|"],
    ["a|b", "ctrl-d", "a|"],
    ["a|b", "ctrl-t", "ba|"],
    ["ab|", "ctrl-t", "ba|"],
    ["a|", "ctrl-t", "a|"],
    ["|", "ctrl-w", "|"],
    ["ab cd|ef", "ctrl-k", "ab cd|"],
    ["ab cd|ef", "ctrl-u", "|ef"],
    ["ab cd|ef", "ctrl-u ctrl-y", "ab cd|ef"],
    ["ab cd|ef", "ctrl-u right ctrl-y", "eab cd|f"],
    ["ab|", "alt-x", "ab|"],
    ["ab|", "ctrl-r", "ab|"],
  ])("%p and %s give %p", (before, keys, after) => {
    expect(drawn(press(lineOf(before), keys))).toBe(after);
  });

  test("words have every letter of Spanish, and end at punctuation", () => {
    expect(drawn(press(lineOf("el ñandú, así  |"), "alt-b"))).toBe("el ñandú, |así  ");
    expect(drawn(press(lineOf("el ñandú, así  |"), "ctrl-left ctrl-left ctrl-left"))).toBe(
      "el |ñandú, así  ",
    );
    expect(drawn(press(lineOf("el| ñandú, así"), "alt-f"))).toBe("el ñandú|, así");
    expect(drawn(press(lineOf("el ñandú|"), "ctrl-w"))).toBe("el |");
    expect(drawn(press(lineOf("el| ñandú, así"), "alt-d"))).toBe("el|, así");
    expect(drawn(press(lineOf("cómo|"), "ctrl-w"))).toBe("|");
  });

  test("what one sees as one character is one", () => {
    for (const character of ["👩‍👩‍👧", "🇪🇸", "e\u0301", "日", "👍🏽", "❤️"]) {
      expect(drawn(press(lineOf(`a${character}|b`), "left"))).toBe(`a|${character}b`);
      expect(drawn(press(lineOf(`a|${character}b`), "right"))).toBe(`a${character}|b`);
      expect(drawn(press(lineOf(`a${character}|b`), "backspace"))).toBe("a|b");
      expect(drawn(press(lineOf(`a|${character}b`), "delete"))).toBe("a|b");
    }
  });

  test("a placeholder is one character and one word, so that no key leaves half of it", () => {
    for (const key of ["left", "alt-b"])
      expect(drawn(press(lineOf(`a${PLACEHOLDER}|b`), key))).toBe(`a|${PLACEHOLDER}b`);
    for (const key of ["right", "alt-f"])
      expect(drawn(press(lineOf(`a|${PLACEHOLDER}b`), key))).toBe(`a${PLACEHOLDER}|b`);
    for (const key of ["backspace", "ctrl-w", "alt-backspace"])
      expect(drawn(press(lineOf(`a${PLACEHOLDER}|b`), key))).toBe("a|b");
    for (const key of ["delete", "alt-d"]) expect(drawn(press(lineOf(`a|${PLACEHOLDER}b`), key))).toBe("a|b");
    expect(drawn(press(lineOf(`a${PLACEHOLDER}|b`), "ctrl-t"))).toBe(`ab${PLACEHOLDER}|`);
    expect(drawn(press(lineOf(`${PLACEHOLDER}${PLACEHOLDER}|`), "ctrl-w ctrl-y ctrl-y"))).toBe(
      `${PLACEHOLDER}${PLACEHOLDER}${PLACEHOLDER}|`,
    );
  });

  test("typed text goes in at the cursor", () => {
    expect(drawn(inserted(lineOf("a|b"), "ñu"))).toBe("añu|b");
  });
});
