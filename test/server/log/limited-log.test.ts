import { expect, test } from "bun:test";

import {
  LimitedLog,
  LimitedLogByAddress,
  MAX_COUNTED,
  type AddressEvent,
} from "../../../src/server/log/limited-log.ts";

test("counts every event, and reports the first at once and the others when the interval is over", () => {
  let now = 0;
  const reports: [{ refused: number; evicted: number }, string][] = [];
  const limited = new LimitedLog(
    1_000,
    () => now,
    { refused: 0, evicted: 0 },
    (counts, address: string) => reports.push([counts, address]),
  );
  expect(limited.flush("nobody")).toBe(false);
  limited.note("refused", "192.0.2.1");
  limited.note("refused", "192.0.2.2");
  limited.note("evicted", "192.0.2.3", 5);
  expect(reports.splice(0)).toEqual([[{ refused: 1, evicted: 0 }, "192.0.2.1"]]);
  now = 999;
  limited.note("refused", "192.0.2.4");
  expect(reports).toEqual([]);
  now = 1_000;
  limited.note("evicted", "192.0.2.5", 0);
  expect(reports.splice(0)).toEqual([[{ refused: 2, evicted: 5 }, "192.0.2.5"]]);
  limited.note("refused", "192.0.2.6");
  expect(limited.flush("192.0.2.7")).toBe(true);
  expect(reports.splice(0)).toEqual([[{ refused: 1, evicted: 0 }, "192.0.2.7"]]);
});

test("a reset, or a clock that is set back, makes the next report due", () => {
  let now = 10_000;
  const reports: number[] = [];
  const limited = new LimitedLog(
    1_000,
    () => now,
    { count: 0 },
    ({ count }) => reports.push(count),
  );
  limited.note("count");
  limited.note("count");
  limited.reset();
  limited.note("count");
  now = 0;
  limited.note("count");
  expect(reports).toEqual([1, 1, 1]);
});

function byAddress() {
  const clock = { now: 0 };
  const reports: AddressEvent[] = [];
  return {
    clock,
    reports,
    log: new LimitedLogByAddress(
      () => clock.now,
      (event) => reports.push(event),
    ),
  };
}

test("of each address the first is reported at once, those that follow within a minute together", () => {
  const { clock, reports, log: limited } = byAddress();
  for (let count = 0; count < 1_000; count++) {
    clock.now += 50;
    limited.note("password", "192.0.2.1");
  }
  expect(reports).toEqual([{ what: "password", address: "192.0.2.1", count: 1 }]);
  clock.now += 60_000;
  limited.note("lookup", "192.0.2.2");
  expect(reports.slice(1)).toEqual([
    { what: "lookup", address: "192.0.2.2", count: 1 },
    { what: "password", address: "192.0.2.1", count: 999 },
  ]);
  limited.note("password", "192.0.2.1");
  expect(reports).toHaveLength(3);
  limited.close();
  expect(reports.slice(3)).toEqual([{ what: "password", address: "192.0.2.1", count: 1 }]);
});

test("a flood from a hundred thousand addresses is reported in a few lines that count every event", () => {
  const { clock, reports, log: limited } = byAddress();
  for (let count = 0; count < 100_000; count++) limited.note("connection", `network ${count}`);
  expect(reports).toHaveLength(MAX_COUNTED + 1);
  clock.now += 60_000;
  for (let count = 0; count < 100; count++) limited.note("connection", `network ${count}`);
  limited.close();
  expect(reports.reduce((sum, { count }) => sum + count, 0)).toBe(100_100);
  expect(reports.filter(({ address }) => address === "others").length).toBeLessThanOrEqual(3);
});
