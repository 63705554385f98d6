import { describe, expect, test } from "bun:test";

import { addressesIn, withLinks } from "../../../src/ui/format/addresses.ts";
import { visibleText } from "../../../src/protocol/visible-text.ts";
import { TerminalScreen } from "../../integration/terminal-screen.ts";
import { ATTACKS } from "../../protocol/text-attacks.ts";

describe("an address in", () => {
  test.each([
    ["see https://a.org/b, then", ["https://a.org/b,"]],
    ["ssh://a@b:22 file:///etc/passwd x-y.z+1://q", ["ssh://a@b:22", "file:///etc/passwd", "x-y.z+1://q"]],
    ["https://a.org/ñandú/日本 x", ["https://a.org/ñandú/日本"]],
    ['"https://a.org" «http://b.org» <http://c.org>', ["https://a.org", "http://b.org", "http://c.org"]],
    ["http:// nothing, ://nothing, 1://nothing, a:/b", []],
    [`${"a".repeat(40)}://b`, []],
    ["見https://a.org", ["https://a.org"]],
  ] as const)("%j is found", (text, addresses) => {
    expect(addressesIn(text).map(({ address }) => address)).toEqual([...addresses]);
    for (const { index, address } of addressesIn(text)) expect(text.startsWith(address, index)).toBe(true);
  });
});

/** What a terminal shows, and its links. */
function onScreen(text: string): TerminalScreen {
  const screen = new TerminalScreen(4_000, 40);
  screen.feed(text.replaceAll("\n", "\r\n"));
  return screen;
}

describe("a link", () => {
  test.each([
    ["see https://a.org/b, then", ["https://a.org/b"]],
    ["(see https://a.org/b).", ["https://a.org/b"]],
    ["https://a.org/b_(c) (https://a.org/b_(c)).", ["https://a.org/b_(c)", "https://a.org/b_(c)"]],
    ["is it http://[::1]:80/?", ["http://[::1]:80/"]],
    ["[http://a.org]", ["http://a.org"]],
    ["https://a.org;x=1;y https://a.org/?q=a;b", ["https://a.org;x=1;y", "https://a.org/?q=a;b"]],
    ["HTTPS://A.ORG", ["HTTPS://A.ORG"]],
    // Of the web alone: no other program is started with what somebody else wrote.
    ["file:///etc/passwd ssh://a ms-msdt:x://y javascript://a%0aalert(1)", []],
    // What a link cannot have as it is shown.
    ["https://a.org/ñandú https://аpple.com", []],
    ["«https://a.org/…» …ps://a.org …http://b.org", []],
    [`https://a.org/${"a".repeat(3_000)}`, []],
    ["https://...", []],
  ] as const)("is one to what is shown: %#", (text, targets) => {
    const { links, unknown, rows } = onScreen(withLinks(text));
    expect(links).toEqual(targets.map((target) => ({ target, shown: target })));
    expect(unknown).toEqual([]);
    expect(rows[0]).toBe(text);
  });

  const BEFORE = ["", "https://a.org/", "https://a.org/b ", "x://"];
  const INTO = [
    "\u001b]8;;http://evil.example\u001b\\bank",
    "\u001b\\",
    "\u0007",
    "\u009c",
    "\u009d8;;http://evil.example\u009cbank",
    "\u0018",
    "\\",
    "\n",
    "\r",
    "\u202ehttps://bank.example",
    "\u2066https://bank.example\u2069",
    "https://bank.example\u200b.evil.example",
    "https://bank.example\u00ad.evil.example",
    "https://bank.example⁄login.evil.example",
    "https://bank.example\u2044@evil.example",
    ";;http://evil.example",
    "%1b]8;;http://evil.example",
    "]8;;",
    ...ATTACKS.map(([, text]) => text),
  ];

  test("leads nowhere else than it shows, and ends where it ends, whatever stands in the text", () => {
    for (const before of BEFORE)
      for (const attack of INTO)
        for (const after of ["", "http://b.org", " http://b.org"]) {
          const text = visibleText(`${before}${attack}${after}`, { lines: true });
          const linked = withLinks(text);
          const { links, unknown, title, clipboard } = onScreen(`${linked}END`);
          for (const { target, shown } of links) {
            expect(shown).toBe(target);
            expect(target).toMatch(/^https?:\/\/[!-~]+$/);
            expect(text).toContain(target);
          }
          expect({ unknown, title, clipboard }).toEqual({ unknown: [], title: undefined, clipboard: [] });
          // Without the sequences it is the text itself.
          expect(linked.replace(/\u001b\]8;;[^\u001b]*\u001b\\/g, "")).toBe(text);
        }
  });

  test("is quickly made of the largest texts", () => {
    for (const piece of [
      "http://a) ",
      "http://a.",
      ")",
      "http://",
      "http://a…",
      "(((((http://a))))",
      `http://a${")".repeat(2_070)} `,
    ]) {
      const text = piece.repeat((32 * 1024) / piece.length);
      const began = performance.now();
      withLinks(text);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });
});
