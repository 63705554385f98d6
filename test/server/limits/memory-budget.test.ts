import { expect, test } from "bun:test";

import { overBudget } from "../../../src/server/limits/memory-budget.ts";

const connections = (...bytes: number[]) => bytes.map((heldBytes) => ({ heldBytes }));

test("nothing is dropped while all connections together hold no more than the limit", () => {
  expect(overBudget([], 10)).toEqual([]);
  expect(overBudget(connections(4, 1, 5), 10)).toEqual([]);
});

test("the heaviest are dropped, and no more of them than needed", () => {
  expect(overBudget(connections(1, 7, 2, 6), 10)).toEqual(connections(7));
  expect(overBudget(connections(1, 7, 2, 6), 8)).toEqual(connections(7, 6));
  expect(overBudget(connections(1, 7), 0)).toEqual(connections(7, 1));
});
