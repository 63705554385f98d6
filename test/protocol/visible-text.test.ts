import { describe, expect, test } from "bun:test";

import { visibleText } from "../../src/protocol/visible-text.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";

const ESC = "\x1b";

/** What arrives, and the one line that is shown. */
const ATTACKS: readonly (readonly [name: string, attack: string, shown: string])[] = [
  ["an escape", ESC, "␛"],
  ["colours", `${ESC}[31mrojo${ESC}[0m`, "␛[31mrojo␛[0m"],
  ["a cleared screen", `${ESC}[2J${ESC}[H`, "␛[2J␛[H"],
  ["a moved cursor", `${ESC}[1A${ESC}[2K`, "␛[1A␛[2K"],
  ["another screen", `${ESC}[?1049h`, "␛[?1049h"],
  ["a question to the terminal", `${ESC}[6n`, "␛[6n"],
  ["a reset", `${ESC}c`, "␛c"],
  ["a title", `${ESC}]0;root@host\x07`, "␛]0;root@host␇"],
  ["the clipboard", `${ESC}]52;c;cm0gLXJm${ESC}\\`, "␛]52;c;cm0gLXJm␛\\"],
  [
    "a hyperlink",
    `${ESC}]8;;http://evil.example${ESC}\\bank${ESC}]8;;${ESC}\\`,
    "␛]8;;http://evil.example␛\\bank␛]8;;␛\\",
  ],
  ["a device control string", `${ESC}P+q544e${ESC}\\`, "␛P+q544e␛\\"],
  ["an application program command", `${ESC}_Ga=T;AAAA${ESC}\\`, "␛_Ga=T;AAAA␛\\"],
  ["a C1 sequence introducer", "\x9b31mrojo", "�31mrojo"],
  ["a C1 operating system command", "\x9d0;title\x9c", "�0;title�"],
  ["a C1 next line", "one\x85two", "one�two"],
  ["a line written over", "good\rbad ", "good␍bad "],
  ["a bell", "\x07", "␇"],
  ["backspaces", "abc\b\b\bxyz", "abc␈␈␈xyz"],
  ["NUL and DEL", "a\0b\x7fc", "a␀b␡c"],
  ["a shift into line drawing", "\x0eqqq\x0f", "␎qqq␏"],
  ["vertical tab and form feed", "a\x0bb\x0cc", "a␋b␌c"],
  ["a line feed", "uno\nana: dos", "uno␊ana: dos"],
  ["a tab", "a\tb", "a␉b"],
  ["a right-to-left override", "archivo\u202egpj.exe", "archivogpj.exe"],
  ["embeddings", "a\u202ab\u202bc\u202cd\u202de", "abcde"],
  ["isolates", "a\u2066b\u2067c\u2068d\u2069e", "abcde"],
  ["direction marks", "a\u200eb\u200fc\u061cd", "abcd"],
  ["zero-width characters", "ad\u200bm\u200ci\u200dn\u2060\ufeff", "admin"],
  ["soft hyphens", "ad\u00admin", "admin"],
  ["invisible fillers", "a\u115fb\u1160c\u3164d\uffa0e\u034ff", "abcdef"],
  ["invisible operators", "f\u2061x\u2062y\u2063z\u2064w", "fxyzw"],
  ["annotations", "a\ufff9b\ufffac\ufffbd", "abcd"],
  ["hidden tags", "hola\u{e0001}\u{e0068}\u{e0069}\u{e007f}", "hola"],
  ["variation selectors that carry data", "a\ufe00\ufe01\ufe0f\u{e0100}\u{e01ef}b", "ab"],
  ["variation selectors behind an emoji", `😀${"\ufe0f".repeat(500)}`, "😀\ufe0f"],
  ["joiners behind an emoji", `😀${"\u200d".repeat(500)}x`, "😀x"],
  ["a joiner to a pictograph that does not exist yet", "😀\u200d\u{1faff}", "😀\ufffd"],
  ["a line separator", "uno\u2028dos\u2029tres", "uno dos tres"],
  ["odd spaces", "a\u00a0b\u2003c\u3000d\u1680e", "a b c d e"],
  ["private use", "\ue000\uf8ff\u{f0000}\u{10fffd}", "����"],
  ["what is no character", "\ufdd0\uffff\u{1fffe}", "���"],
  ["lone surrogates", "a\ud800b\udc00c", "a�b�c"],
  ["a flood of marks", `a${"\u0301".repeat(500)}b`, `a${"\u0301".repeat(6)}b`],
  ["a flood of enclosing marks", `a${"\u20dd".repeat(500)}b`, `a${"\u20dd".repeat(6)}b`],
  [
    "floods on many characters",
    `a${"\u0300".repeat(9)}b${"\u0300".repeat(9)}`,
    `à${"\u0300".repeat(5)}b${"\u0300".repeat(6)}`,
  ],
  ["a flood cut by what vanishes", `a${"\u0301\u200b".repeat(500)}`, `a${"\u0301".repeat(6)}`],
  ["tags behind a flag without end", `🏴${"\u{e0061}".repeat(500)}`, `🏴${"\u{e0061}".repeat(7)}`],
];

describe("an attack is seen and does nothing", () => {
  test.each(ATTACKS)("%s", (_name, attack, shown) => {
    expect(visibleText(attack).normalize("NFC")).toBe(shown.normalize("NFC"));
  });
});

describe("what people write stays", () => {
  test.each([
    "hola",
    "¿Qué tal, ñandú? «sí» — 100 €",
    "漢字 かな 한국어",
    "שלום עולם",
    "مرحبا بالعالم",
    "नमस्ते",
    "สวัสดี",
    "e\u0301 n\u0303",
    "I ❤️ U",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "👩🏽‍💻",
    "🏳️‍🌈",
    "🏴‍☠️",
    "🇪🇸🇲🇽",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "1️⃣ #️⃣ *️⃣",
    "🧑🏿‍🤝‍🧑🏻",
    "👁️‍🗨️",
    "❤️‍🔥",
    "🤷🏻‍♀️",
    "☺︎",
    "©️",
    "🕊️ paloma",
  ])("%s", (text) => expect(visibleText(text)).toBe(text));
});

describe("with lines", () => {
  const lines = (text: string) => visibleText(text, { lines: true });

  test("line feeds stay, CR LF is one, a lone CR is seen", () => {
    expect(lines("uno\ndos\r\ntres\rcuatro")).toBe("uno\ndos\ntres␍cuatro");
    expect(lines("\r\r\n\n")).toBe("␍\n\n");
  });

  test("a tab becomes spaces, separators become line feeds", () => {
    expect(lines("a\tb")).toBe("a    b");
    expect(lines("uno\u2028dos\u2029tres")).toBe("uno\ndos\ntres");
  });

  test("everything else is as without", () => {
    expect(lines(`${ESC}[2J\x9b1A\u202e`)).toBe("␛[2J�1A");
  });
});

/** Pieces that touch each rule, and each other's edges. */
const PIECES = [
  ..."aZ09#* ñ漢",
  ..."\0\x07\b\t\n\r\x1b\x7f\x80\x85\x9b\x9f",
  ..."\u00a0\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u202e\u2028\u2029\u2060\u2066\u2069\ufeff\u3164",
  ..."\u0301\u20e3\u0e33\u093c\u1ab0",
  ..."\ufe00\ufe0e\ufe0f\u{e0100}",
  ..."😀👨👩👧❤☠♀🏳🏴🌈🏻🏽🏿🇪🇸©",
  ..."\u{e0001}\u{e0020}\u{e0061}\u{e007f}",
  ..."\ue000\u{f0000}\u{1faff}\ufdd0\uffff\u0378\u2fe0",
  "\ud800",
  "\udc00",
];

/** Code points that must never reach a terminal, whatever stands around them. */
const FORBIDDEN =
  /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufe00-\ufe0d\u{e0001}\u{e0100}-\u{e01ef}]/u;

test("whatever is mixed, the result is harmless and a second pass changes nothing", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 20_000; round++) {
    const input = Array.from({ length: 1 + random.integer(12) }, () => random.pick(PIECES)).join("");
    for (const options of [{}, { lines: true }]) {
      const shown = visibleText(input, options);
      const context = `seed ${seed}: ${JSON.stringify(input)} gives ${JSON.stringify(shown)}`;
      const seen = options.lines === true ? shown.replaceAll("\n", "") : shown;
      if (FORBIDDEN.test(seen)) throw new Error(`forbidden, ${context}`);
      if (!shown.isWellFormed()) throw new Error(`not well-formed, ${context}`);
      if (visibleText(shown, options) !== shown) throw new Error(`not idempotent, ${context}`);
      // A joiner is there only between two pictographs, a tag only behind a black flag.
      if (/\u200d(?!\p{Extended_Pictographic})/u.test(seen)) throw new Error(`loose joiner, ${context}`);
      if (
        /(?<![\u{1f3f4}\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}\p{M}\u{e0020}-\u{e007f}])[\u{e0020}-\u{e007f}]/u.test(
          seen,
        )
      ) {
        throw new Error(`loose tag, ${context}`);
      }
      if (/[\ufe0e\ufe0f]{2}/u.test(seen)) throw new Error(`two selectors, ${context}`);
      if (/\p{M}{20}/u.test(seen)) throw new Error(`a flood, ${context}`);
    }
  }
});

test("every code point alone is harmless", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const shown = visibleText(String.fromCodePoint(code));
    if (FORBIDDEN.test(shown)) throw new Error(`U+${code.toString(16)} gives ${JSON.stringify(shown)}`);
  }
});

test("the largest text on one line costs no more than a moment, whatever it is made of", () => {
  // Quadratic work on 32 KiB would take many seconds; linear work takes milliseconds.
  for (const piece of ["a", "\u0301", "\u200d", "👨‍", "🏴\u{e0061}", "\x1b", "\r", "\ufe0f", "漢"]) {
    const text = piece.repeat(Math.floor(32_768 / Buffer.byteLength(piece)));
    const started = performance.now();
    visibleText(text);
    visibleText(text, { lines: true });
    expect(performance.now() - started).toBeLessThan(1_000);
  }
});
