import { describe, expect, test } from "bun:test";

import { isBlank, jsonLine, visibleText } from "../../src/protocol/visible-text.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";
import { ATTACKS, ESC } from "./text-attacks.ts";

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

  test("everything else is treated as in a single line", () => {
    expect(lines(`${ESC}[2J\x9b1A\u202e`)).toBe("␛[2J�1A");
  });
});

/** Pieces for each rule and for the edges between rules. */
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

/** Code points that must never reach a terminal, whatever is around them. */
const FORBIDDEN =
  /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufe00-\ufe0d\u{e0001}\u{e0100}-\u{e01ef}]/u;

test("any mixture becomes harmless, and a second pass changes nothing", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 8_000; round++) {
    const input = Array.from({ length: 1 + random.integer(12) }, () => random.pick(PIECES)).join("");
    for (const options of [{}, { lines: true }]) {
      const shown = visibleText(input, options);
      const context = `seed ${seed}: ${JSON.stringify(input)} gives ${JSON.stringify(shown)}`;
      const seen = options.lines === true ? shown.replaceAll("\n", "") : shown;
      if (FORBIDDEN.test(seen)) throw new Error(`forbidden, ${context}`);
      if (!shown.isWellFormed()) throw new Error(`not well-formed, ${context}`);
      if (visibleText(shown, options) !== shown) throw new Error(`not idempotent, ${context}`);
      // Joiners are kept only between two pictographs, tags only after a black flag.
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

test("a text is blank when nothing of it is seen", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const text = String.fromCodePoint(code);
    const isSeen = visibleText(text, { lines: true }).trim() !== "" && !/[\s\u2800]/.test(text);
    if (isBlank(text) === isSeen) throw new Error(`U+${code.toString(16)} is seen: ${isSeen}`);
  }
  expect(isBlank("")).toBe(true);
  expect(isBlank(" \t\r\n\u3000\u00a0\u200b\u200d\ufe0f\u2800\u3164\ufeff")).toBe(true);
  expect(isBlank(`${" ".repeat(32_000)}.`)).toBe(false);
});

test("the longest text of any kind is converted in a short time", () => {
  // Quadratic work on 32 KiB would take many seconds; linear work takes milliseconds.
  for (const piece of ["a", "\u0301", "\u200d", "👨‍", "🏴\u{e0061}", "\x1b", "\r", "\ufe0f", "漢"]) {
    const text = piece.repeat(Math.floor(32_768 / Buffer.byteLength(piece)));
    const started = performance.now();
    visibleText(text);
    visibleText(text, { lines: true });
    expect(performance.now() - started).toBeLessThan(1_000);
  }
});

test("a JSON line has no control or invisible characters, and reads back as it was", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const odd = [
    0x1b, 0x9b, 0x0a, 0x0d, 0x7f, 0x85, 0xad, 0x200b, 0x200d, 0x202e, 0x2028, 0x2066, 0xfeff, 0xe0041, 0x2065,
    0x3164, 0xfe0f,
  ];
  for (let round = 0; round < 500; round++) {
    const points = Array.from({ length: random.integer(12) }, () =>
      random.integer(2) === 0 ? random.pick(odd) : random.integer(0xd800),
    );
    const text = String.fromCodePoint(...points);
    const line = jsonLine({ event: "message", text });
    try {
      expect(JSON.parse(line)).toEqual({ event: "message", text });
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u);
      expect(line).toEndWith("}\n");
    } catch (error) {
      console.error(`PALOMA_TEST_SEED=${seed}`);
      throw error;
    }
  }
});
