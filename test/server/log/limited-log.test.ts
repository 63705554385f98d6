import { expect, test } from "bun:test";

import { LimitedLog, MAX_COUNTED, type LimitedEvent } from "../../../src/server/log/limited-log.ts";

function log() {
  const clock = { now: 0 };
  const told: LimitedEvent[] = [];
  return {
    clock,
    told,
    log: new LimitedLog(
      () => clock.now,
      (event) => told.push(event),
    ),
  };
}

test("the first is told at once, those that follow within a minute together", () => {
  const { clock, told, log: limited } = log();
  for (let count = 0; count < 1_000; count++) {
    clock.now += 50;
    limited.note("password", "192.0.2.1");
  }
  expect(told).toEqual([{ what: "password", address: "192.0.2.1", count: 1 }]);
  clock.now += 60_000;
  limited.note("lookup", "192.0.2.2");
  expect(told.slice(1)).toEqual([
    { what: "lookup", address: "192.0.2.2", count: 1 },
    { what: "password", address: "192.0.2.1", count: 999 },
  ]);
  limited.note("password", "192.0.2.1");
  expect(told).toHaveLength(3);
  limited.close();
  expect(told.slice(3)).toEqual([{ what: "password", address: "192.0.2.1", count: 1 }]);
});

test("a flood from a hundred thousand addresses makes few lines, and every refusal is counted", () => {
  const { clock, told, log: limited } = log();
  for (let count = 0; count < 100_000; count++) limited.note("connection", `network ${count}`);
  expect(told).toHaveLength(MAX_COUNTED + 1);
  clock.now += 60_000;
  for (let count = 0; count < 100; count++) limited.note("connection", `network ${count}`);
  limited.close();
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(100_100);
  expect(told.filter(({ address }) => address === "others").length).toBeLessThanOrEqual(3);
});
