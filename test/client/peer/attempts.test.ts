import { expect, test } from "bun:test";

import { Attempts, type Tried } from "../../../src/client/peer/attempts.ts";

const STEP: Tried = { way: "reversed", ip: "80.1.0.12" };

test("the steps of the last attempt are kept, and those before forgotten", () => {
  const attempts = new Attempts(() => 0);
  expect(attempts.of("a")).toEqual([]);
  attempts.note("a", STEP);
  attempts.begin("a");
  expect(attempts.of("a")).toEqual([]);
  attempts.note("a", STEP);
  attempts.note("b", { way: "lookup", ms: 1 });
  expect(attempts.of("a")).toEqual([STEP]);
});

test("what an earlier attempt had begun, and fails only now, is no step of this one", () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  const failed = (ms: number): Tried => ({
    way: "direct",
    kind: "direct",
    ip: "80.1.0.12",
    port: 9_000,
    ms,
    code: "EHOSTUNREACH",
  });
  attempts.note("a", failed(130_000));
  expect(attempts.of("a")).toEqual([failed(130_000)]);
  now = 120_000;
  attempts.begin("a");
  now = 130_000;
  attempts.note("a", failed(130_000));
  attempts.note("a", failed(10_000));
  expect(attempts.of("a")).toEqual([failed(10_000)]);
});

test("neither the steps of one person nor the people grow without end", () => {
  const attempts = new Attempts(() => 0);
  for (let count = 0; count < 1_000; count++) attempts.note("a", STEP);
  expect(attempts.of("a").length).toBe(64);
  for (let count = 0; count < 1_000; count++) attempts.note(`person ${count}`, STEP);
  const kept = Array.from({ length: 1_000 }, (_, count) => attempts.of(`person ${count}`).length);
  expect(kept.filter((steps) => steps > 0).length).toBe(256);
  expect([attempts.of("a"), attempts.of("person 999")]).toEqual([[], [STEP]]);
});
