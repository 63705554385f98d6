import { expect, test } from "bun:test";

import { systemClock, type Clock } from "../../../src/net/clock.ts";
import { Redial, redialDelay } from "../../../src/client/conversation/redial.ts";
import { reconnectDelay } from "../../../src/client/rendezvous/return-schedule.ts";

const ALMOST_ONE = 1 - Number.EPSILON;
const DRAWS = [0, 0.25, 0.5, 0.75, ALMOST_ONE];

test("a redial waits 1, 5, 15, then 60 s, each ± 20 %", () => {
  const seconds = [1, 5, 15, 60, 60, 60];
  seconds.forEach((base, attempt) => {
    expect(redialDelay(attempt, true, 0)).toBeCloseTo(base * 800);
    expect(redialDelay(attempt, true, 0.5)).toBeCloseTo(base * 1_000);
    expect(redialDelay(attempt, true, ALMOST_ONE)).toBeCloseTo(base * 1_200);
  });
  expect(redialDelay(1_000_000, true, 0.5)).toBe(60_000);
});

test("the side that does not decide redials 3 s later", () => {
  for (const random of DRAWS)
    for (let attempt = 0; attempt < 6; attempt++)
      expect(redialDelay(attempt, false, random) - redialDelay(attempt, true, random)).toBeCloseTo(3_000);
});

test("at the first redial the two sides never meet", () => {
  expect(redialDelay(0, false, 0)).toBeGreaterThan(redialDelay(0, true, ALMOST_ONE) + 1_000);
});

test("reconnecting to the server waits 1 to 60 s, growing, never twice the same for everybody", () => {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const waits = DRAWS.map((random) => reconnectDelay(attempt, random));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    const longest = reconnectDelay(attempt, ALMOST_ONE);
    expect(reconnectDelay(attempt + 1, ALMOST_ONE)).toBeGreaterThanOrEqual(longest);
    // After a restart of the server its clients must not come all at the same moment.
    expect(longest).toBeGreaterThan(reconnectDelay(attempt, 0) * 1.5);
  }
  expect(reconnectDelay(20, ALMOST_ONE)).toBeCloseTo(60_000);
});

test("nobody is looked for while the server asks to wait, and then soon", () => {
  const waits: number[] = [];
  const after: Clock["after"] = (ms) => {
    waits.push(ms);
    return () => undefined;
  };
  const clock = { ...systemClock(Date.now), after };
  for (const random of [0, 0.5, ALMOST_ONE]) {
    const redial = new Redial({ decider: true, clock, random: () => random, dial: () => undefined });
    redial.schedule(30_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(32_000);
  }
});

test("a link that was of use makes the next waits short, and stops none that is under way", () => {
  const waits: { ms: number; stopped: boolean }[] = [];
  const after: Clock["after"] = (ms) => {
    const wait = { ms, stopped: false };
    waits.push(wait);
    return () => (wait.stopped = true);
  };
  const clock = { ...systemClock(Date.now), after };
  const redial = new Redial({ decider: true, clock, random: () => 0.5, dial: () => undefined });
  redial.schedule();
  redial.schedule();
  redial.forgetFailures();
  expect(redial.isScheduled).toBe(true);
  expect(waits).toEqual([
    { ms: 1_000, stopped: true },
    { ms: 5_000, stopped: false },
  ]);
  redial.schedule();
  expect(waits.at(-1)?.ms).toBeCloseTo(1_000);
});
