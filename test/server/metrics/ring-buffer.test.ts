import { expect, test } from "bun:test";

import { COLUMNS, Hour, MAX_SAMPLES, type Sample } from "../../../src/server/metrics/ring-buffer.ts";

function sample(at: number, more: Partial<Sample> = {}): Sample {
  const zeros = Object.fromEntries(COLUMNS.map((name) => [name, 0])) as Sample;
  return { ...zeros, at, ...more };
}

test("an hour of samples is kept, the oldest go first, and each is given to whoever does not know it", () => {
  const hour = new Hour();
  expect(hour.since(0).at).toEqual([]);
  for (let number = 0; number < MAX_SAMPLES + 5; number++) hour.add(sample(number * 10_000));
  expect(hour.next).toBe(MAX_SAMPLES + 5);
  const all = hour.since(0);
  expect(all.at).toHaveLength(MAX_SAMPLES);
  expect(all.at[0]).toBe(50_000);
  expect(all.at.at(-1)).toBe((MAX_SAMPLES + 4) * 10_000);
  expect(hour.since(MAX_SAMPLES + 3).at).toEqual([(MAX_SAMPLES + 3) * 10_000, (MAX_SAMPLES + 4) * 10_000]);
  expect(hour.since(MAX_SAMPLES + 5).at).toEqual([]);
  expect(hour.since(1e12).at).toEqual([]);
});

test("where there was nothing to measure there is no value, and none is made up", () => {
  const hour = new Hour();
  hour.add(sample(1, { p50: NaN, online: 3 }));
  const { p50, online } = hour.since(0);
  expect(p50).toEqual([null]);
  expect(online).toEqual([3]);
});
