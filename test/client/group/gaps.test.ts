import { expect, test } from "bun:test";

import { Gaps } from "../../../src/client/group/gaps.ts";

const missing = (count: number) => new Map(count === 0 ? [] : [["eva", count] as const]);

test("a gap is told once, as soon as it has stayed as it is for ten seconds", () => {
  const gaps = new Gaps();
  expect(gaps.look(missing(5), 0)).toEqual([]);
  expect(gaps.look(missing(3), 9_000)).toEqual([]);
  expect(gaps.look(missing(3), 18_999)).toEqual([]);
  expect(gaps.look(missing(3), 19_000)).toEqual(["eva"]);
  expect(gaps.look(missing(3), 60_000)).toEqual([]);
  expect(gaps.look(missing(4), 90_000)).toEqual([]);
});

test("a gap that is filled soon is never told, and a new one later is", () => {
  const gaps = new Gaps();
  gaps.look(missing(2), 0);
  expect(gaps.look(missing(0), 5_000)).toEqual([]);
  gaps.look(missing(2), 6_000);
  expect(gaps.look(missing(2), 15_000)).toEqual([]);
  expect(gaps.look(missing(2), 16_000)).toEqual(["eva"]);
});

test("what was told is named until it was shown or is here", () => {
  const gaps = new Gaps();
  gaps.look(missing(1), 0);
  expect(gaps.unshown).toEqual([]);
  gaps.look(missing(1), 10_000);
  expect(gaps.unshown).toEqual(["eva"]);
  gaps.shown();
  expect(gaps.unshown).toEqual([]);
  expect(gaps.look(missing(1), 30_000)).toEqual([]);
});
