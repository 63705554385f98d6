import { expect, test } from "bun:test";

import { copySequence, pastableText } from "../../../src/ui/terminal/clipboard.ts";
import { TerminalScreen } from "../../integration/terminal-screen.ts";
import { ATTACKS } from "../../protocol/text-attacks.ts";

test.each([
  ["one\n\ttwo\r\n\n    three", "one\n\ttwo\n\n    three"],
  ["\u001b[201~rm\r", "␛[201~rm␍"],
  ["a\u202eb\u200bc", "abc"],
  ["\t\u0007\t", "\t␇\t"],
])("%j can be pasted as %j", (text, pasted) => {
  expect(pastableText(text)).toBe(pasted);
});

test("whatever is copied is in the clipboard, and nothing else happens", () => {
  for (const [, attack] of ATTACKS)
    for (const text of [attack, `${attack}\n\t${attack}`, "", "漢字 👨‍👩‍👧".repeat(1_000)]) {
      const copied = pastableText(text);
      const screen = new TerminalScreen(80, 4);
      screen.feed(`a${copySequence(copied)}b`);
      expect(screen.clipboard).toEqual([copied.toWellFormed()]);
      expect(screen.rows).toEqual(["ab", "", "", ""]);
      expect(screen).toMatchObject({ unknown: [], title: undefined, bells: 0, links: [] });
    }
});
