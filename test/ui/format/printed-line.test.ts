import { describe, expect, test } from "bun:test";

import { renderLine, type Line } from "../../../src/ui/format/printed-line.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const AT = new Date(2026, 10, 22, 17, 5).getTime();
const SPANISH = { columns: 80, language: "es", texts: textsIn("es"), colours: false, links: false } as const;
const ENGLISH = { ...SPANISH, language: "en", texts: textsIn("en") } as const;
const MESSAGE = {
  name: "message",
  at: AT,
  writtenAt: undefined,
  from: "benito",
  isOwn: false,
  text: "hola",
  state: undefined,
} as const satisfies Line;

describe("a line", () => {
  test.each([
    [MESSAGE, "17:05 benito: hola\n"],
    [{ ...MESSAGE, isOwn: true, from: "ana" }, "17:05 ana: hola\n"],
    [{ ...MESSAGE, isOwn: true, from: "ana", state: "queued" }, "17:05 ana ·: hola\n"],
    [{ ...MESSAGE, isOwn: true, from: "ana", state: "sent" }, "17:05 ana ✓: hola\n"],
    [{ ...MESSAGE, isOwn: true, from: "ana", state: "received" }, "17:05 ana ✓✓: hola\n"],
    [{ ...MESSAGE, text: "uno\n17:06 ana: dos" }, "17:05 benito: uno\n    17:06 ana: dos\n"],
    [
      { ...MESSAGE, writtenAt: new Date(2026, 10, 22, 9, 10).getTime() },
      "17:05 benito (escrito a las 09:10): hola\n",
    ],
    [
      { ...MESSAGE, writtenAt: new Date(2026, 10, 21, 9, 10).getTime() },
      "17:05 benito (escrito el 21 de noviembre a las 09:10): hola\n",
    ],
    [
      { ...MESSAGE, writtenAt: new Date(2025, 10, 21, 9, 10).getTime() },
      "17:05 benito (escrito el 21 de noviembre de 2025 a las 09:10): hola\n",
    ],
    [{ name: "day", at: AT }, "— domingo, 22 de noviembre de 2026 —\n"],
    [{ name: "unread" }, "— mensajes nuevos —\n"],
    [{ name: "notice", text: "Se sabe algo." }, "— Se sabe algo.\n"],
    [{ name: "failure", text: "No se puede." }, "! No se puede.\n"],
  ] as const)("stands as it should: %#", (line, shown) => {
    expect(renderLine(line, SPANISH)).toBe(shown);
    expect(renderLine(line, { ...SPANISH, columns: undefined })).toBe(shown);
  });

  test("has its dates in English too", () => {
    expect(renderLine({ name: "day", at: AT }, ENGLISH)).toBe("— Sunday, November 22, 2026 —\n");
    expect(renderLine({ ...MESSAGE, writtenAt: new Date(2026, 10, 21, 9, 10).getTime() }, ENGLISH)).toBe(
      "17:05 benito (written on November 21 at 09:10): hola\n",
    );
  });

  test("of ours is wrapped too", () => {
    const shown = renderLine(
      { name: "notice", text: "una frase nuestra ".repeat(9) },
      { ...SPANISH, columns: 40 },
    );
    for (const row of shown.trimEnd().split("\n")) expect(Bun.stringWidth(row)).toBeLessThanOrEqual(40);
    expect(shown.split("\n").length).toBeGreaterThan(4);
  });

  test("has colours that change neither its words nor where it breaks", () => {
    for (const columns of [12, 40, 80, undefined]) {
      for (const from of ["benito", "x".repeat(64)]) {
        for (const line of [
          { ...MESSAGE, from, text: "una frase con palabras ".repeat(20) },
          { ...MESSAGE, from, isOwn: true, state: "read" },
          { name: "notice", text: "una frase ".repeat(20) },
          { name: "failure", text: "una frase ".repeat(20) },
          { name: "day", at: AT },
        ] as const) {
          const plain = renderLine(line, { ...SPANISH, columns });
          const coloured = renderLine(line, { ...SPANISH, columns, colours: true });
          expect(Bun.stripANSI(coloured)).toBe(plain);
          expect(coloured).toEndWith("\n");
        }
      }
    }
    expect(renderLine(MESSAGE, { ...SPANISH, colours: true })).toContain("\u001b[1mbenito\u001b[22m: hola");
  });

  test("is dim but for the name and the text, also in a list and in what was found", () => {
    const dim = (text: string) => `\u001b[2m${text}\u001b[22m`;
    const own = { ...MESSAGE, isOwn: true, state: "received", number: 1 } as const;
    const rendered = (line: Line) => renderLine(line, { ...SPANISH, colours: true });
    expect(rendered(own)).toBe(`${dim("#1 17:05")} \u001b[36mbenito\u001b[39m${dim(" ✓✓")}: hola\n`);
    expect(rendered({ ...own, found: { to: "ana" } })).toEndWith(` → ana${dim(" ✓✓")}: hola\n`);
    expect(rendered({ name: "unread" })).toBe(`${dim("— mensajes nuevos —")}\n`);
  });
});

describe("what somebody else wrote", () => {
  const forged = "17:06 ana: pago 1000";
  const attacks = [
    `uno\n${forged}`,
    `uno\r\n${forged}`,
    `uno\r${forged}`,
    `uno\u2028${forged}\u2029${forged}`,
    `uno\x85${forged}\x0b${forged}\x0c${forged}`,
    `\x1b[2J\x1b[H${forged}\x1b]0;title\x07`,
    `${"x".repeat(62)}${forged}`,
    `${" ".repeat(200)}${forged}`,
    `\n\n\n— aviso falso\n! fallo falso\n> `,
    "a\u202egpj.exe\u0301\u0301\u0301",
    `漢字${"漢".repeat(40)}${forged}`,
    "👨‍👩‍👧‍👦".repeat(40) + forged,
    "a".repeat(32_768),
    "palabra ".repeat(4_096),
    "\n".repeat(32_768),
    "\u0301".repeat(16_384),
    "漢".repeat(10_922),
  ];

  test.each(attacks)("never begins where our lines begin, nor passes the edge: %#", (text) => {
    for (const columns of [40, 80, undefined]) {
      for (const line of [
        { ...MESSAGE, text },
        { ...MESSAGE, from: text.slice(0, 64), text },
      ]) {
        const shown = renderLine(line, { ...SPANISH, columns });
        const rows = shown.slice(0, -1).split("\n");
        expect(rows[0]).toStartWith("17:05 ");
        for (const row of rows.slice(1)) expect(row).toStartWith("    ");
        if (columns !== undefined) {
          for (const row of rows) expect(Bun.stringWidth(row)).toBeLessThanOrEqual(columns);
        }
        expect(shown).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]/);
      }
    }
  });
});
