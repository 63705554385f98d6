import { describe, expect, test } from "bun:test";

import {
  LASTING,
  QUICK_FOR,
  reconnectDelay,
  RETURN_SPREAD,
  ReturnSchedule,
  SOON_FOR,
} from "../../../src/client/rendezvous/return-schedule.ts";
import { RefusedError, ServerError } from "../../../src/client/rendezvous/server-errors.ts";

const ALMOST_ONE = 1 - Number.EPSILON;
const CLOSING = new RefusedError("server_closing", "");
const UNREACHABLE = new ServerError("server_unreachable");

function lostAt(now: number): ReturnSchedule {
  const schedule = new ReturnSchedule();
  schedule.lost(now);
  return schedule;
}

describe("a server that was just lost", () => {
  test.each([
    ["closes", CLOSING],
    ["is gone", UNREACHABLE],
  ])("and %s is tried again within 2 s each time, for 10 s", (_, why) => {
    const schedule = lostAt(500);
    expect(schedule.next(why, 500, 0)).toBe(0);
    for (let at = 600; at < 500 + QUICK_FOR; at += 700) {
      expect(schedule.next(why, at, 0.25)).toBe(500);
      expect(schedule.next(why, at, ALMOST_ONE)).toBeLessThanOrEqual(RETURN_SPREAD);
      // There is always a pause, whatever is drawn.
      expect(schedule.next(why, at, 0)).toBe(100);
    }
    expect(schedule.next(why, 500 + QUICK_FOR, 0.5)).toBe(reconnectDelay(0, 0.5));
    expect(schedule.next(why, 600 + QUICK_FOR, 0.5)).toBe(reconnectDelay(1, 0.5));
  });

  test("is tried at once after our own line has broken, if there was a lasting one", () => {
    const schedule = new ReturnSchedule();
    schedule.lost(0, true);
    expect(schedule.next(UNREACHABLE, 0, 0.5)).toBe(0);
    expect(schedule.next(UNREACHABLE, 0, 0.5)).toBe(1_000);
    schedule.returned(1_000);
    schedule.lost(1_000 + LASTING - 1, true);
    expect(schedule.next(UNREACHABLE, 1_000 + LASTING - 1, 0.5)).toBeGreaterThan(0);
  });

  test("is tried after longer waits if it is busy or does not answer", () => {
    for (const why of [new RefusedError("server_busy", ""), new ServerError("server_timeout")])
      expect(lostAt(0).next(why, 100, 0)).toBe(reconnectDelay(0, 0));
  });

  test("receives 5,000 clients spread over time", () => {
    const waits = Array.from({ length: 5_000 }, (_, index) => lostAt(0).next(CLOSING, 0, index / 5_000));
    const perTenth = new Map<number, number>();
    for (const wait of waits)
      perTenth.set(Math.floor(wait / 100), (perTenth.get(Math.floor(wait / 100)) ?? 0) + 1);
    expect(perTenth.size).toBe(20);
    expect(Math.max(...perTenth.values())).toBeLessThanOrEqual(251);
  });

  test("is tried after the time that it asks for, and a random time more", () => {
    const limited = new RefusedError("rate_limited", "", 7);
    expect(lostAt(0).next(limited, 0, 0)).toBe(7_000);
    expect(lostAt(0).next(limited, 0, 0.5)).toBe(8_000);
    expect(lostAt(0).next(new RefusedError("rate_limited", "", 1e15), 0, 0)).toBeLessThan(2 ** 31);
    expect(lostAt(0).next(new RefusedError("rate_limited", "", 0), 0, 0.5)).toBe(reconnectDelay(0, 0.5));
  });
});

test("a client waits 1 to 8 s in the first minute after the loss, then longer and longer", () => {
  const away = [UNREACHABLE, new ServerError("server_timeout")];
  for (const why of away) {
    const schedule = lostAt(0);
    const waits: number[] = [];
    let at = QUICK_FOR;
    for (; at < SOON_FOR; at += waits.at(-1) ?? 0) waits.push(schedule.next(why, at, ALMOST_ONE));
    expect(waits[0]).toBeLessThanOrEqual(2_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(8_000);
    expect(schedule.next(why, at, ALMOST_ONE)).toBe(reconnectDelay(3, ALMOST_ONE));
    expect(schedule.next(why, at, ALMOST_ONE)).toBe(reconnectDelay(4, ALMOST_ONE));
  }
});

test("a server that is closing at the first contact is tried again as soon as a lost one", () => {
  const schedule = new ReturnSchedule();
  expect(schedule.next(CLOSING, 0, 0)).toBe(0);
  expect(schedule.next(UNREACHABLE, QUICK_FOR - 1, 0.5)).toBe(1_000);
  expect(schedule.next(CLOSING, QUICK_FOR, 0.5)).toBe(reconnectDelay(0, 0.5));
});

test("a server that was never reached is tried after 1 to 60 s, and the waits start over after each return that lasts", () => {
  const schedule = new ReturnSchedule();
  expect(schedule.next(UNREACHABLE, 0, 0)).toBe(reconnectDelay(0, 0));
  expect(schedule.next(UNREACHABLE, 0, 0)).toBe(reconnectDelay(1, 0));
  schedule.returned(100);
  schedule.lost(100 + LASTING);
  expect(schedule.next(UNREACHABLE, 100 + LASTING, 0)).toBe(0);
  expect(schedule.next(UNREACHABLE, 100 + LASTING + QUICK_FOR, 0)).toBe(reconnectDelay(0, 0));
});

test("a server that logs in and hangs up again and again is asked less and less often", () => {
  const schedule = new ReturnSchedule();
  const HOUR = 3_600_000;
  let logins = 0;
  for (let now = 0; now < HOUR; now += schedule.next(UNREACHABLE, now, 0.5)) {
    logins++;
    schedule.returned(now);
    now += LASTING - 1;
    schedule.lost(now);
  }
  expect(logins).toBeLessThan(100);
  logins = 0;
  const atOnce = new ReturnSchedule();
  for (let now = 0; now < HOUR; now += atOnce.next(UNREACHABLE, now, 0.5)) {
    logins++;
    atOnce.returned(now);
    atOnce.lost(now);
  }
  expect(logins).toBeLessThan(120);
});

test("the waits grow from 1 to 60 s, and differ between clients", () => {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const waits = [0, 0.25, 0.5, 0.75, ALMOST_ONE].map((random) => reconnectDelay(attempt, random));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    const longest = reconnectDelay(attempt, ALMOST_ONE);
    expect(reconnectDelay(attempt + 1, ALMOST_ONE)).toBeGreaterThanOrEqual(longest);
    // After a restart of the server its clients must not come at the same moment.
    expect(longest).toBeGreaterThan(reconnectDelay(attempt, 0) * 1.5);
  }
  expect(reconnectDelay(20, ALMOST_ONE)).toBeCloseTo(60_000);
});
