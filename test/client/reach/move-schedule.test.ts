import { expect, test } from "bun:test";

import { MoveSchedule } from "../../../src/client/reach/move-schedule.ts";

/** The seconds at which a direct way is looked for. @param soon when more may be possible, in s */
function looks(isDecider: boolean, seconds: number, soon?: number): number[] {
  const schedule = new MoveSchedule(isDecider);
  const found: number[] = [];
  for (let second = 0; second <= seconds; second++) {
    if (second === soon) schedule.soon(second * 1_000);
    if (schedule.tick(true, second * 1_000)) found.push(second);
  }
  return found;
}

test("the decider looks for a direct way after 1, 2, 5, 15, 15 … minutes", () => {
  const minutes = [1, 3, 8, 23, 38];
  expect(looks(true, 40 * 60)).toEqual(minutes.map((minute) => minute * 60));
});

test("the other side never looks of itself", () => {
  expect(looks(false, 3_600)).toEqual([]);
});

test("after a change both look, the other side 3 s later", () => {
  expect(looks(true, 20, 10)).toEqual([10]);
  expect(looks(false, 20, 10)).toEqual([13]);
});

test("a relayed link after a direct one begins anew, and a direct one is left alone", () => {
  const schedule = new MoveSchedule(true);
  schedule.tick(true, 0);
  expect(schedule.tick(false, 60_000)).toBe(false);
  schedule.soon(61_000);
  expect(schedule.tick(false, 61_000)).toBe(false);
  expect(schedule.tick(true, 62_000)).toBe(false);
  expect(schedule.tick(true, 121_999)).toBe(false);
  expect(schedule.tick(true, 122_000)).toBe(true);
});
