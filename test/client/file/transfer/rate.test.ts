import { expect, test } from "bun:test";

import { Rate } from "../../../../src/client/file/transfer/rate.ts";

/** The rate at 10 s, after it was so much at these times, in ms. */
function rateOf(...moved: readonly (readonly [at: number, done: number])[]): number | undefined {
  const rate = new Rate();
  rate.begin(100, 0);
  for (const [at, done] of moved) rate.moved(done, at);
  return rate.at(10_000);
}

test("a rate is that of the last seconds, and never of what was lost", () => {
  expect(rateOf([9_900, 100])).toBe(0);
  expect(rateOf([2_000, 1_100], [4_000, 1_200], [9_000, 2_200])).toBe(167);
  // What was there is asked for again.
  expect(rateOf([8_000, 20], [10_000, 220])).toBe(100);
  expect(new Rate().at(10_000)).toBeUndefined();
});
