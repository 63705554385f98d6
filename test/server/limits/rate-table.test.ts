import { describe, expect, test } from "bun:test";

import { NO_LIMIT } from "../../../src/server/limits/limits.ts";
import { refundAll, RateTable, retryAfter, takeAll } from "../../../src/server/limits/rate-table.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

function table(rate: { burst: number; perSecond: number }, maxBuckets?: number, seed = 1) {
  const clock = { now: 1_000_000 };
  const { next } = seededRandom(seed);
  const made = new RateTable({
    rate,
    clock: () => clock.now,
    random: next,
    ...(maxBuckets === undefined ? {} : { maxBuckets }),
  });
  const pass = (key: string, cost = 1) => takeAll([{ table: made, key, cost }]) === 0;
  return { clock, table: made, pass };
}

describe("one bucket", () => {
  test("a burst passes at once, then as many as the rate gives, and the wait is exact", () => {
    const { clock, table: rates, pass } = table({ burst: 3, perSecond: 0.5 });
    expect([pass("a"), pass("a"), pass("a"), pass("a")]).toEqual([true, true, true, false]);
    expect(rates.wait("a")).toBe(2_000);
    clock.now += 1_999;
    expect(pass("a")).toBe(false);
    clock.now += 1;
    expect([pass("a"), pass("a")]).toEqual([true, false]);
    clock.now += 3_600_000;
    expect([pass("a"), pass("a"), pass("a"), pass("a")]).toEqual([true, true, true, false]);
  });

  test("a higher cost takes more, and one above the burst needs a full bucket", () => {
    const { clock, pass } = table({ burst: 10, perSecond: 1 });
    expect([pass("a", 7), pass("a", 4), pass("a", 3)]).toEqual([true, false, true]);
    clock.now += 9_999;
    expect(pass("a", 500)).toBe(false);
    clock.now += 1;
    expect(pass("a", 500)).toBe(true);
  });

  test("refunded tokens can be taken again, up to a burst", () => {
    const { clock, table: rates, pass } = table({ burst: 2, perSecond: 1 });
    expect([pass("a"), pass("a"), pass("a")]).toEqual([true, true, false]);
    rates.refund("a");
    expect([pass("a"), pass("a")]).toEqual([true, false]);
    clock.now += 5_000;
    rates.refund("a");
    rates.refund("a");
    expect(rates.size).toBe(0);
    expect([pass("a"), pass("a"), pass("a")]).toEqual([true, true, false]);
  });

  test("without a limit no bucket is kept", () => {
    const { table: rates, pass } = table(NO_LIMIT);
    for (let count = 0; count < 1_000; count++) expect(pass("a", 100)).toBe(true);
    expect(rates.size).toBe(0);
  });
});

test("several charges are taken together or not at all, and the longest wait is returned", () => {
  const { table: wide } = table({ burst: 5, perSecond: 1 });
  const { table: narrow } = table({ burst: 1, perSecond: 0.1 });
  const charges = [
    { table: wide, key: "a" },
    { table: narrow, key: "a" },
  ];
  expect(takeAll(charges)).toBe(0);
  for (let count = 0; count < 20; count++) expect(takeAll(charges)).toBe(10_000);
  refundAll(charges);
  expect(takeAll([{ table: wide, key: "a", cost: 5 }])).toBe(0);
});

test("retry_after is in whole seconds, at least one and at most a day", () => {
  expect([0.1, 1_000, 1_001, 1e12, Infinity].map(retryAfter)).toEqual([1, 1, 2, 86_400, 86_400]);
});

describe("a table that is full", () => {
  test("never exceeds its size limit", () => {
    const { table: rates, pass } = table({ burst: 5, perSecond: 1 }, 100);
    for (let count = 0; count < 10_000; count++) expect(pass(`key ${count}`)).toBe(true);
    expect(rates.size).toBe(100);
  });

  test("buckets that are full again are forgotten as others come, without a sweep", () => {
    const { clock, table: rates, pass } = table({ burst: 5, perSecond: 1 }, 100_000);
    for (let count = 0; count < 20_000; count++) {
      clock.now += 10;
      pass(`key ${count}`);
    }
    // A hundred at a time are not full.
    expect(rates.size).toBeLessThan(400);
  });

  test("an attacker who uses endless keys cannot displace a drained bucket", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const { clock, table: rates, pass } = table({ burst: 15, perSecond: 0.1 }, 1_000, seed);
    for (let count = 0; count < 15; count++) pass("drained");
    let passed = 0;
    const begun = clock.now;
    for (let count = 0; count < 100_000; count++) {
      clock.now += random.integer(3);
      // Fresh keys, some of them drained a little more, and now and then a look whether it worked.
      const key = `fresh ${count}`;
      for (let tries = random.integer(4); tries >= 0; tries--) pass(key);
      if (random.integer(50) === 0 && pass("drained")) passed++;
    }
    const allowed = Math.ceil(((clock.now - begun) / 1_000) * 0.1);
    expect({ seed, ok: passed <= allowed, size: rates.size }).toEqual({ seed, ok: true, size: 1_000 });
  });

  test("that is strict gives nothing back when a bucket is forgotten", () => {
    const seed = testSeed();
    const { next } = seededRandom(seed);
    const rate = { burst: 4, perSecond: 0.001 };
    const strict = new RateTable({ rate, clock: () => 0, random: next, maxBuckets: 50, strict: true });
    const taken = new Map<string, number>();
    for (let round = 0; round < 10; round++) {
      for (let count = 0; count < 200; count++) {
        const key = `key ${count}`;
        if (takeAll([{ table: strict, key }]) === 0) taken.set(key, (taken.get(key) ?? 0) + 1);
      }
    }
    expect({ seed, size: strict.size, isHeld: Math.max(...taken.values()) <= 4 }).toEqual({
      seed,
      size: 50,
      isHeld: true,
    });
  });

  test("a newcomer costs about the same in a full table as in an empty one", () => {
    const looks = { count: 0 };
    const rates = new RateTable({
      rate: { burst: 5, perSecond: 1 },
      clock: () => 0,
      maxBuckets: 500,
      random: () => {
        looks.count++;
        return 0.5;
      },
    });
    for (let count = 0; count < 2_000; count++) {
      looks.count = 0;
      rates.take(`key ${count}`);
      expect(looks.count).toBeLessThanOrEqual(16);
    }
  });
});
