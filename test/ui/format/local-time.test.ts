import { expect, test } from "bun:test";

import { ageOf } from "../../../src/ui/format/local-time.ts";

test.each([
  [0, "0 s"],
  [59_400, "59 s"],
  [60_000, "1 min"],
  [3_599_000, "59 min"],
  [7_300_000, "2 h"],
  [-5, "0 s"],
])("an age of %d ms is «%s»", (ms, shown) => {
  expect(ageOf(ms)).toBe(shown);
});
