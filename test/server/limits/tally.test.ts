import { expect, test } from "bun:test";

import { Tally } from "../../../src/server/limits/tally.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

test("the largest count is right after any steps", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const tally = new Tally();
  const counts = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const key = `key ${random.integer(12)}`;
    const count = counts.get(key) ?? 0;
    if (random.integer(2) === 0) {
      tally.add(key);
      counts.set(key, count + 1);
    } else {
      tally.remove(key);
      counts.set(key, Math.max(0, count - 1));
    }
    const most = Math.max(0, ...counts.values());
    const largest = tally.largest;
    const isRight = most === 0 ? largest === undefined : counts.get(largest ?? "") === most;
    expect({ seed, step, most: tally.most, isRight }).toEqual({ seed, step, most, isRight: true });
  }
});
