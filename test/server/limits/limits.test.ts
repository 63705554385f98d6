import { expect, test } from "bun:test";

import { DEFAULT_LIMITS, NO_LIMIT, parseRate, type Rate } from "../../../src/server/limits/limits.ts";

test("a rate is a burst and a number per second, minute or hour, or off", () => {
  expect(parseRate("120:6/min")).toEqual({ burst: 120, perSecond: 0.1 });
  expect(parseRate("5:2/s")).toEqual({ burst: 5, perSecond: 2 });
  expect(parseRate("1:36/h")).toEqual({ burst: 1, perSecond: 0.01 });
  expect(parseRate("1000000:1000000/s")).toEqual({ burst: 1_000_000, perSecond: 1_000_000 });
  expect(parseRate("off")).toEqual(NO_LIMIT);
});

test.each([
  "",
  "10",
  "10:1",
  "0:1/s",
  "1:0/s",
  "-1:1/s",
  "1:1/d",
  "1.5:1/s",
  "1000001:1/s",
  " 1:1/s",
  "1:1/S",
])("«%s» is no rate", (text) => expect(parseRate(text)).toBeUndefined());

test("a classroom of a hundred behind one address fits the defaults", () => {
  const limits = DEFAULT_LIMITS;
  expect(limits.anonymous).toBe(1_000);
  expect(limits.connectionsPerAddress).toBeGreaterThanOrEqual(200);
  expect(limits.connectionRate.burst).toBeGreaterThanOrEqual(100);
  expect(limits.connectionRate.perSecond).toBeGreaterThanOrEqual(30);
  expect(limits.registrationRate.burst).toBeGreaterThanOrEqual(100);
  expect(limits.registrationRateTotal).toEqual(parseRate("6000:60/min") as Rate);
  // Ten failures and a right one of everybody.
  expect(limits.loginRate.burst).toBeGreaterThanOrEqual(1_100);
  expect(limits.failureRatePerAddress.burst).toBeGreaterThanOrEqual(1_100);
  expect(limits.waitingHashes).toBeGreaterThanOrEqual(200);
  expect(limits.failureRate.burst).toBeGreaterThan(10);
});
