import { expect, test } from "bun:test";

import { Metrics } from "../../../src/server/metrics/metrics.ts";

test("requests are counted by action and code, and timed when they were handled", () => {
  const metrics = new Metrics();
  metrics.request("ping", "ok", 0.02);
  metrics.request("ping", "ok", 0.03);
  metrics.request("login", "invalid_credentials", 40);
  metrics.request("login", "bad_request", 0);
  metrics.request(undefined, "bad_json", 0);
  expect(metrics.requests("ping", "ok")).toBe(2);
  expect(metrics.requests("login", "invalid_credentials")).toBe(1);
  expect(metrics.requests("login", "ok")).toBe(0);
  expect(metrics.requests("none", "bad_json")).toBe(1);
  expect(metrics.answered).toBe(5);
  const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
  expect(total(metrics.requestSeconds("login").counts)).toBe(1);
  expect(metrics.requestSeconds("ping").sum).toBeCloseTo(0.00005, 9);
  expect(total(metrics.allRequestSeconds.counts)).toBe(3);
});

test("logins, dropped connections, hashes and the database have their own counts", () => {
  const metrics = new Metrics();
  metrics.logins.add("resumed");
  metrics.logins.add("limited");
  metrics.logins.add("limited");
  metrics.drops.add("slow_reader");
  metrics.hash(1_500, 20);
  metrics.database(0.5);
  expect(metrics.logins.of("limited")).toBe(2);
  expect(metrics.logins.of("ok")).toBe(0);
  expect(metrics.drops.of("slow_reader")).toBe(1);
  expect(metrics.drops.of("idle")).toBe(0);
  expect(metrics.hashWaitSeconds.sum).toBe(1.5);
  expect(metrics.hashSeconds.sum).toBe(0.02);
  expect(metrics.databaseSeconds.sum).toBe(0.0005);
});
