import { expect, test } from "bun:test";

import {
  growingBounds,
  Histogram,
  HistogramWindow,
  quantile,
} from "../../../src/server/metrics/histogram.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

test("a value is counted at the first bound that is not below it, and above all bounds in the last place", () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 4.9, 5, 5.1, 1e9]) histogram.observe(value);
  expect([...histogram.counts]).toEqual([2, 2, 2, 2]);
  expect(histogram.sum).toBeCloseTo(1e9 + 19.5, 3);
});

test("a window has the quantiles since the one before, and NaN when nothing was counted", () => {
  const histogram = new Histogram([1, 2, 3]);
  histogram.observe(2.5);
  const window = new HistogramWindow(histogram);
  window.next();
  expect(window.quantile(0.5)).toBeNaN();
  histogram.observe(0.5);
  histogram.observe(0.5);
  window.next();
  expect(window.quantile(0.5)).toBe(0.5);
  expect(window.quantile(1)).toBe(1);
  window.next();
  expect(window.quantile(0.99)).toBeNaN();
});

test("a value above all bounds counts as the last bound", () => {
  const histogram = new Histogram([1, 2]);
  histogram.observe(50);
  expect(quantile(histogram.bounds, histogram.counts, 0.5)).toBe(2);
});

test("with bounds 19 % apart, a quantile is within 19 % of the true one", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const histogram = new Histogram(growingBounds(1e-6, 60, 2 ** 0.25));
  const values = Array.from({ length: 5_000 }, () => 10 ** (-6 + 7 * random.next()));
  for (const value of values) histogram.observe(value);
  values.sort((a, b) => a - b);
  for (const q of [0.01, 0.5, 0.9, 0.99]) {
    const exact = values[Math.ceil(q * values.length) - 1] as number;
    const ratio = quantile(histogram.bounds, histogram.counts, q) / exact;
    expect(Math.abs(Math.log2(ratio)), `PALOMA_TEST_SEED=${seed}`).toBeLessThanOrEqual(0.2501);
  }
});
