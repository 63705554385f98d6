import { expect, test } from "bun:test";

import { clockDifference } from "../../../src/ui/format/server-words.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const MINUTE = 60_000;

test.each([
  [6 * MINUTE, "6 minutos", "6 minutes"],
  [-119 * MINUTE, "119 minutos", "119 minutes"],
  [120 * MINUTE - 1, "2 horas", "2 hours"],
  [47 * 60 * MINUTE, "47 horas", "47 hours"],
  [-48 * 60 * MINUTE, "2 días", "2 days"],
  [576_000 * MINUTE, "400 días", "400 days"],
])("clocks that differ by %d ms differ in words by %s", (offset, es, en) => {
  expect(clockDifference(offset, textsIn("es"))).toBe(es);
  expect(clockDifference(offset, textsIn("en"))).toBe(en);
});
