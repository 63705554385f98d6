import { expect, test } from "bun:test";

import { parsePastTime } from "../../../src/ui/format/past-time.ts";

const NOW = Date.UTC(2026, 10, 30, 12, 50);
const local = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts).getTime();

test.each([
  ["2026-11-30T10:00:00Z", Date.UTC(2026, 10, 30, 10)],
  ["2026-11-30t10:00:00.250z", Date.UTC(2026, 10, 30, 10) + 250],
  ["2026-11-30T10:00:00-05:00", Date.UTC(2026, 10, 30, 15)],
  ["2026-11-30", local(2026, 10, 30)],
  ["2026-02-28", local(2026, 1, 28)],
  ["2026-11-30 09:05", local(2026, 10, 30, 9, 5)],
  ["2026-11-30T09:05:07", local(2026, 10, 30, 9, 5, 7)],
  ["90m", NOW - 90 * 60_000],
  ["8h", NOW - 8 * 3_600_000],
  ["7d", NOW - 7 * 86_400_000],
  ["0m", NOW],
])("%s is a time", (typed, time) => {
  expect(parsePastTime(typed, NOW)).toBe(time);
});

test.each([
  "",
  "yesterday",
  "7",
  "7w",
  "-7d",
  "1.5h",
  "2026-02-31",
  "2026-13-01",
  "2026-11-30T25:00:00Z",
  "2026-11-30T10:00:00+99:00",
  "30/11/2026",
  "2026-11-30 09:05 ",
])("“%s” is none", (typed) => {
  expect(parsePastTime(typed, NOW)).toBeUndefined();
});
