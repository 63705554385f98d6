/** The budget of relayed pairs, on a clock of the test: in steps of 50 ms a reader reads what it may. */
import { expect, test } from "bun:test";

import { commonBucket, PairBudget } from "../../../src/server/meeting/relay-budget.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const READ = 512 * KIB;
const STEP = 50;

/** What each budget's reader, who reads `READ` whenever it may, has read after `seconds`. */
function readAll(budgets: readonly PairBudget[], seconds: number, isSlow = false): number[] {
  const read = budgets.map(() => 0);
  for (let now = 0; now <= seconds * 1_000; now += STEP) {
    for (const [index, budget] of budgets.entries()) {
      while (budget.mayRead(now)) {
        budget.charge(READ, isSlow, now);
        read[index] = (read[index] as number) + READ;
      }
    }
  }
  return read;
}

test("a pair passes 1 MiB at once and then 2 MiB a second", () => {
  const common = commonBucket(1_000 * MIB, 0);
  const [bytes] = readAll([new PairBudget(common, 0)], 10);
  expect(bytes).toBeGreaterThanOrEqual(20.5 * MIB);
  expect(bytes).toBeLessThanOrEqual(21.5 * MIB);
});

test("a pair whose day is used up passes 16 KiB a second", () => {
  const common = commonBucket(1_000 * MIB, 0);
  const [bytes] = readAll([new PairBudget(common, 0)], 600, true);
  expect(bytes).toBeGreaterThanOrEqual(600 * 16 * KIB - READ);
  expect(bytes).toBeLessThanOrEqual(600 * 16 * KIB + 2 * READ);
});

test("all pairs together keep to the common bucket, and share it", () => {
  const common = commonBucket(10 * MIB, 0);
  const pairs = Array.from({ length: 40 }, () => new PairBudget(common, 0));
  const read = readAll(pairs, 20);
  const total = read.reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeGreaterThanOrEqual(0.95 * 200 * MIB);
  // What each has outside of it, and one read of each.
  expect(total).toBeLessThanOrEqual(203 * MIB + 40 * (20 * 8 * KIB + READ));
});

test("a chat is never made to wait by pairs that use up the common bucket", () => {
  const common = commonBucket(10 * MIB, 0);
  const chat = new PairBudget(common, 0);
  const pairs = Array.from({ length: 40 }, () => new PairBudget(common, 0));
  for (let now = 0; now <= 20_000; now += STEP) {
    for (const pair of pairs) while (pair.mayRead(now)) pair.charge(READ, false, now);
    expect(chat.mayRead(now)).toBe(true);
    chat.charge(300, false, now);
    expect(chat.mayRead(now)).toBe(true);
  }
});
