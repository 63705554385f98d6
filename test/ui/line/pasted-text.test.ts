import { describe, expect, test } from "bun:test";

import {
  isLineText,
  isTypedPaste,
  MAX_PASTE,
  MAX_PASTES,
  PastedTexts,
  pastedText,
} from "../../../src/ui/line/pasted-text.ts";

const named = () => new PastedTexts((count) => `[${count} ${count === 1 ? "línea" : "líneas"}]`);

describe("a paste", () => {
  test("has line feeds where a terminal sends CR, and no line end behind its last line", () => {
    expect(pastedText("uno\rdos\r\ntres\n\r")).toBe("uno\ndos\ntres\n");
    expect(pastedText("uno\r\n")).toBe("uno");
    expect(pastedText("\r")).toBe("");
  });

  test("is bounded, and well formed where it was cut", () => {
    const text = pastedText("😀".repeat(MAX_PASTE));
    expect(text.length).toBe(MAX_PASTE);
    expect(text.isWellFormed()).toBe(true);
    expect(pastedText(`x${"😀".repeat(MAX_PASTE)}`).isWellFormed()).toBe(true);
  });

  test("of one short line goes into the line as if typed, and nothing else does", () => {
    for (const text of ["hola", "", " 日本 👩‍👩‍👧 ", "😀".repeat(1_000)]) expect(isTypedPaste(text)).toBe(true);
    for (const text of ["a\nb", "a\tb", "\x1b[31m", "\x9b", "a\u2028b", "\x00", "😀".repeat(1_001)])
      expect(isTypedPaste(text)).toBe(false);
    expect(isLineText("x".repeat(100_000))).toBe(true);
  });
});

describe("placeholders", () => {
  test("say how many lines there are, without the line ends behind them", () => {
    const pastes = named();
    expect(pastes.add("a\nb\n\n\n")).toBe("[2\u00a0líneas]");
    // /\n+$/ would take minutes for these.
    expect(pastes.add(`a${"\n".repeat(500_000)}b${"\n".repeat(500_000)}`)).toBe("[500001\u00a0líneas]");
    expect(pastes.add("a\tb")).toBe("[1\u00a0línea]");
    expect(pastes.add("\n\n")).toBe("[1\u00a0línea,\u00a02]");
  });

  test("differ, and each is replaced by its own text, once", () => {
    const pastes = named();
    const [first, second] = [pastes.add("uno\n[2\u00a0líneas,\u00a02]"), pastes.add("dos\n[2\u00a0líneas]")];
    expect(second).toBe("[2\u00a0líneas,\u00a02]");
    expect(pastes.expand(`a ${second} b ${first}${first} [2 líneas]`)).toBe(
      "a dos\n[2\u00a0líneas] b uno\n[2\u00a0líneas,\u00a02]uno\n[2\u00a0líneas,\u00a02] [2 líneas]",
    );
  });

  test("part what was pasted from what was typed", () => {
    const pastes = named();
    const [first = "", second = ""] = [pastes.add("a\nb"), pastes.add("c\td")];
    expect(pastes.parts(`${first} y ${second}`)).toEqual(["", "a\nb", " y ", "c\td", ""]);
    expect(pastes.parts("hola")).toEqual(["hola"]);
  });

  test("are a bounded number, and one that is forgotten makes room", () => {
    const pastes = named();
    for (let count = 0; count < MAX_PASTES; count++) expect(pastes.add("a\nb")).toBeString();
    expect(pastes.add("c\nd")).toBeUndefined();
    const [oldest = ""] = pastes.placeholders;
    pastes.forget(oldest);
    expect(pastes.expand(oldest)).toBe(oldest);
    expect(pastes.add("c\nd")).toBe(oldest);
    expect(pastes.expand(oldest)).toBe("c\nd");
  });
});
