import { describe, expect, test } from "bun:test";

import { edited, EMPTY_LINE, inserted, type EditedLine } from "../../../src/ui/line/line-edits.ts";

const MARK = "[2\u00a0líneas]";

/** A line as a text with | where the cursor is. */
function lineOf(drawn: string): EditedLine {
  return { ...EMPTY_LINE, text: drawn.replace("|", ""), cursor: drawn.indexOf("|") };
}

function drawn({ text, cursor }: EditedLine): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

/** Keys by name: `C-w`, `M-b`, `left`. */
function press(line: EditedLine, keys: string): EditedLine {
  return keys.split(" ").reduce((before, key) => {
    const [, modifier, name = ""] = /^(?:([CM])-)?(.+)$/.exec(key) ?? [];
    return edited(before, { name, ctrl: modifier === "C", meta: modifier === "M" }, [MARK]);
  }, line);
}

describe("editing keys", () => {
  test.each([
    ["a|b", "left", "|ab"],
    ["|ab", "left", "|ab"],
    ["ab|", "right", "ab|"],
    ["a|b", "home", "|ab"],
    ["a|b", "C-e", "ab|"],
    ["a|b", "backspace", "|b"],
    ["a|b", "delete", "a|"],
    ["a|b", "C-d", "a|"],
    ["a|b", "C-t", "ba|"],
    ["ab|", "C-t", "ba|"],
    ["a|", "C-t", "a|"],
    ["|", "C-w", "|"],
    ["ab cd|ef", "C-k", "ab cd|"],
    ["ab cd|ef", "C-u", "|ef"],
    ["ab cd|ef", "C-u C-y", "ab cd|ef"],
    ["ab cd|ef", "C-u right C-y", "eab cd|f"],
    ["ab|", "M-x", "ab|"],
    ["ab|", "C-r", "ab|"],
  ])("%p and %s give %p", (before, keys, after) => {
    expect(drawn(press(lineOf(before), keys))).toBe(after);
  });

  test("words have every letter of Spanish, and end where signs begin", () => {
    expect(drawn(press(lineOf("el ñandú, así  |"), "M-b"))).toBe("el ñandú, |así  ");
    expect(drawn(press(lineOf("el ñandú, así  |"), "C-left C-left C-left"))).toBe("el |ñandú, así  ");
    expect(drawn(press(lineOf("el| ñandú, así"), "M-f"))).toBe("el ñandú|, así");
    expect(drawn(press(lineOf("el ñandú|"), "C-w"))).toBe("el |");
    expect(drawn(press(lineOf("el| ñandú, así"), "M-d"))).toBe("el|, así");
    expect(drawn(press(lineOf("cómo|"), "C-w"))).toBe("|");
  });

  test("what one sees as one character is one", () => {
    for (const character of ["👩‍👩‍👧", "🇪🇸", "e\u0301", "日", "👍🏽", "❤️"]) {
      expect(drawn(press(lineOf(`a${character}|b`), "left"))).toBe(`a|${character}b`);
      expect(drawn(press(lineOf(`a|${character}b`), "right"))).toBe(`a${character}|b`);
      expect(drawn(press(lineOf(`a${character}|b`), "backspace"))).toBe("a|b");
      expect(drawn(press(lineOf(`a|${character}b`), "delete"))).toBe("a|b");
    }
  });

  test("a mark is one character and one word, so that no key leaves half of it", () => {
    for (const key of ["left", "M-b"]) expect(drawn(press(lineOf(`a${MARK}|b`), key))).toBe(`a|${MARK}b`);
    for (const key of ["right", "M-f"]) expect(drawn(press(lineOf(`a|${MARK}b`), key))).toBe(`a${MARK}|b`);
    for (const key of ["backspace", "C-w", "M-backspace"])
      expect(drawn(press(lineOf(`a${MARK}|b`), key))).toBe("a|b");
    for (const key of ["delete", "M-d"]) expect(drawn(press(lineOf(`a|${MARK}b`), key))).toBe("a|b");
    expect(drawn(press(lineOf(`a${MARK}|b`), "C-t"))).toBe(`ab${MARK}|`);
    expect(drawn(press(lineOf(`${MARK}${MARK}|`), "C-w C-y C-y"))).toBe(`${MARK}${MARK}${MARK}|`);
  });

  test("typed text goes in at the cursor", () => {
    expect(drawn(inserted(lineOf("a|b"), "ñu"))).toBe("añu|b");
  });
});
