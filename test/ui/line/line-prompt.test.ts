import { expect, test } from "bun:test";

import { promptText, signText, type LinePrompt } from "../../../src/ui/line/line-prompt.ts";

const PROMPT: LinePrompt = { name: "benito", isAway: false, mark: "✓✓", waiting: 0, sign: "" };

test("the prompt names the person and shows the state, and is dim while they are away", () => {
  expect(promptText(PROMPT, 80, true)).toBe("benito ✓✓ > ");
  expect(promptText({ ...PROMPT, mark: "" }, 80, true)).toBe("benito > ");
  expect(promptText({ ...PROMPT, isAway: true }, 80, true)).toBe("\x1b[2mbenito\x1b[22m ✓✓ > ");
  expect(promptText({ ...PROMPT, isAway: true }, 80, false)).toBe("benito ✓✓ > ");
});

test("the prompt counts what waits in other chats", () => {
  expect(promptText({ ...PROMPT, waiting: 2 }, 80, true)).toBe("benito ✓✓ (2) > ");
  expect(promptText({ ...PROMPT, mark: "", waiting: 12 }, 80, true)).toBe("benito (12) > ");
  expect(promptText({ ...PROMPT, waiting: 2 }, 15, false)).toBe("✓✓ (2) > ");
});

test("a long name loses its middle where there is little room, and all of it where there is none", () => {
  const name = "maria.de.los.angeles.garcia (3f2a 91bc)";
  expect(promptText({ ...PROMPT, name }, 60, false)).toBe(`${name} ✓✓ > `);
  const short = promptText({ ...PROMPT, name }, 40, false);
  expect(short).toMatch(/^maria\.de.*….*91bc\) ✓✓ > $/);
  expect(Bun.stringWidth(short)).toBeLessThanOrEqual(32);
  expect(promptText(PROMPT, 15, false)).toBe("✓✓ > ");
});

test("a long mark is brief where it would leave less than half of the row", () => {
  const group = { ...PROMPT, name: "#Familia", mark: "✓ en 3 de 5 · leído por 2", brief: "✓ 3/5" };
  expect(promptText(group, 80, false)).toBe("#Familia ✓ en 3 de 5 · leído por 2 > ");
  expect(promptText({ ...group, waiting: 12 }, 80, false)).toBe("#Familia ✓ 3/5 (12) > ");
  expect(promptText(group, 20, false)).toBe("#…a ✓ 3/5 > ");
});

test("the sign stands behind the text, dim", () => {
  expect(signText(PROMPT, true)).toBe("");
  expect(signText({ ...PROMPT, sign: "escribiendo…" }, true)).toBe("\x1b[2m  escribiendo…\x1b[22m");
});
