import { expect, test } from "bun:test";

import { tooHeavy } from "../../../src/server/limits/memory-budget.ts";

const holders = (...bytes: number[]) => bytes.map((heldBytes) => ({ heldBytes }));

test("nobody is dropped while all together hold no more than the limit", () => {
  expect(tooHeavy([], 10)).toEqual([]);
  expect(tooHeavy(holders(4, 1, 5), 10)).toEqual([]);
});

test("the heaviest go, and no more of them than is needed", () => {
  expect(tooHeavy(holders(1, 7, 2, 6), 10)).toEqual(holders(7));
  expect(tooHeavy(holders(1, 7, 2, 6), 8)).toEqual(holders(7, 6));
  expect(tooHeavy(holders(1, 7), 0)).toEqual(holders(7, 1));
});
