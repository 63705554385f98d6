import { expect, test } from "bun:test";

import { COLUMNS, RingBuffer, MAX_SAMPLES, type Sample } from "../../../src/server/metrics/ring-buffer.ts";

function sample(at: number, more: Partial<Sample> = {}): Sample {
  const zeros = Object.fromEntries(COLUMNS.map((name) => [name, 0])) as Sample;
  return { ...zeros, at, ...more };
}

test("an hour of samples is kept, the oldest go first, and `since` gives those from a number on", () => {
  const samples = new RingBuffer();
  expect(samples.since(0).at).toEqual([]);
  for (let number = 0; number < MAX_SAMPLES + 5; number++) samples.add(sample(number * 10_000));
  expect(samples.next).toBe(MAX_SAMPLES + 5);
  const all = samples.since(0);
  expect(all.at).toHaveLength(MAX_SAMPLES);
  expect(all.at[0]).toBe(50_000);
  expect(all.at.at(-1)).toBe((MAX_SAMPLES + 4) * 10_000);
  expect(samples.since(MAX_SAMPLES + 3).at).toEqual([(MAX_SAMPLES + 3) * 10_000, (MAX_SAMPLES + 4) * 10_000]);
  expect(samples.since(MAX_SAMPLES + 5).at).toEqual([]);
  expect(samples.since(1e12).at).toEqual([]);
});

test("a value that was not measured is null", () => {
  const samples = new RingBuffer();
  samples.add(sample(1, { p50: NaN, online: 3 }));
  const { p50, online } = samples.since(0);
  expect(p50).toEqual([null]);
  expect(online).toEqual([3]);
});
