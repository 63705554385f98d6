import { expect, test } from "bun:test";

import { Budget } from "../../../../src/client/peer/limits/budget.ts";

test("so much is there at once, and more of it every second", () => {
  const budget = new Budget(4, 2);
  const took = (now: number) => Array.from({ length: 6 }, () => budget.take(now)).filter(Boolean).length;
  expect(took(1_000)).toBe(4);
  expect(took(1_499)).toBe(0);
  expect(took(1_500)).toBe(1);
  expect(took(2_500)).toBe(2);
  expect(took(60_000)).toBe(4);
});

test("what was spent and was not there is owed for a time", () => {
  const budget = new Budget(100, 10);
  expect(budget.spend(0, 100)).toBe(0);
  expect(budget.spend(0, 30)).toBe(3_000);
  expect(budget.spend(1_000, 10)).toBe(3_000);
  expect(budget.take(3_999)).toBe(false);
  expect(budget.spend(4_000, 0)).toBe(0);
  expect(budget.isFull(13_999)).toBe(false);
  expect(budget.isFull(14_000)).toBe(true);
});
