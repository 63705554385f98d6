import { describe, expect, test } from "bun:test";

import { HOLD, PresenceHold } from "../../../src/client/rendezvous/presence-hold.ts";
import { RETURN_SPREAD } from "../../../src/client/rendezvous/return-schedule.ts";
import { ServerOutage, UNTOLD_OUTAGE } from "../../../src/client/rendezvous/server-outage.ts";
import type { RendezvousState } from "../../../src/client/rendezvous/session.ts";
import { MAX_WATCHED } from "../../../src/protocol/rendezvous-messages.ts";

function names(hold: PresenceHold): string[] {
  return hold.held.map(({ username }) => username);
}

/** Ana and Berta were online by the server's word when it went at 1,000. */
function lost(): PresenceHold {
  const hold = new PresenceHold();
  hold.news("Ana", true);
  hold.news("Berta", true);
  hold.news("Carla", true);
  hold.news("Carla", false);
  hold.lost(1_000);
  return hold;
}

describe("who was online before the server went", () => {
  test("is shown as online until the server names them, and their return is no news", () => {
    const hold = lost();
    hold.back(3_000, true);
    expect(names(hold)).toEqual(["Ana", "Berta"]);
    expect(hold.news("ANA", true)).toBe(false);
    expect(names(hold)).toEqual(["Berta"]);
    // Whatever they do from then on is news.
    expect(hold.news("Ana", false)).toBe(true);
    expect(hold.news("Ana", true)).toBe(true);
  });

  test("is told gone once, 10 s after the server is back", () => {
    const hold = lost();
    hold.back(3_000, true);
    hold.news("Berta", true);
    expect(hold.expired(3_000 + HOLD - 1)).toEqual([]);
    expect(hold.expired(3_000 + HOLD)).toEqual(["Ana"]);
    expect(hold.expired(3_000 + 2 * HOLD)).toEqual([]);
    expect(names(hold)).toEqual([]);
    expect(hold.news("Ana", true)).toBe(true);
  });

  test("is held for as long as the server is away, however often it goes again", () => {
    const hold = lost();
    expect(hold.expired(1_000_000)).toEqual([]);
    hold.back(1_000_000, true);
    hold.news("Ana", true);
    hold.lost(1_005_000);
    hold.lost(1_006_000);
    hold.back(1_008_000, true);
    expect(hold.expired(1_008_000 + HOLD)).toEqual(["Berta", "Ana"]);
  });

  test("is told at once when they really leave after the return", () => {
    const hold = lost();
    hold.back(3_000, true);
    expect(hold.news("Ana", false)).toBe(true);
    expect(names(hold)).toEqual(["Berta"]);
    expect(hold.expired(3_000 + HOLD)).toEqual(["Berta"]);
  });

  test("is told to be back to whoever was told that nobody knows", () => {
    const hold = lost();
    hold.back(60_000, false);
    expect(names(hold)).toEqual(["Ana", "Berta"]);
    expect(hold.news("Ana", true)).toBe(true);
    expect(names(hold)).toEqual(["Berta"]);
  });

  test("was in a list that is still shown, and is in the next one or held", () => {
    const hold = new PresenceHold();
    hold.listed([{ username: "Ana", secure: false }, { username: "Berta" }], 0);
    hold.lost(9_000);
    hold.back(10_000, true);
    expect(hold.held).toEqual([{ username: "Ana", secure: false }, { username: "Berta" }]);
    hold.listed([{ username: "berta" }], 11_000);
    expect(names(hold)).toEqual(["Ana"]);
  });
});

describe("nobody is held", () => {
  test("who came after the loss, or of whom an old list spoke", () => {
    const hold = new PresenceHold();
    hold.listed([{ username: "Ana" }], 0);
    hold.lost(60_000);
    hold.back(61_000, true);
    expect(names(hold)).toEqual([]);
    expect(hold.news("Ana", true)).toBe(true);
  });

  test("on a live link: each change is told at once", () => {
    const hold = new PresenceHold();
    hold.back(0, true);
    expect([true, false, true].map((online) => hold.news("Ana", online))).toEqual([true, true, true]);
    expect(hold.expired(HOLD)).toEqual([]);
  });

  test("beyond the names that can be asked about, whatever the server pushes", () => {
    const hold = new PresenceHold();
    for (let index = 0; index < MAX_WATCHED + 10; index++) hold.news(`user${index}`, true);
    hold.lost(0);
    hold.back(1, true);
    expect(hold.held).toHaveLength(MAX_WATCHED);
  });
});

describe("a server that is away", () => {
  const online: RendezvousState = { name: "online" };
  const offline: RendezvousState = { name: "offline" };
  const connecting: RendezvousState = { name: "connecting" };
  const waiting: RendezvousState = { name: "waiting", until: 5, why: new Error("gone") };

  /** Online at 0, and lost at 1,000. */
  function away(): ServerOutage {
    const outage = new ServerOutage();
    expect(outage.take(connecting, 0)).toBe(true);
    expect(outage.take(online, 0)).toBe(true);
    expect(outage.isUntold).toBe(false);
    expect(outage.take(waiting, 1_000)).toBe(false);
    expect(outage.isUntold).toBe(true);
    return outage;
  }

  test("and back in time was never away", () => {
    const outage = away();
    for (const state of [connecting, offline, waiting, connecting])
      expect(outage.take(state, 2_000)).toBe(false);
    expect(outage.overdue(1_000 + UNTOLD_OUTAGE - 1)).toBeUndefined();
    expect(outage.take(online, 1_000 + UNTOLD_OUTAGE - 1)).toBe(false);
    expect(outage.isUntold).toBe(false);
    expect(outage.overdue(1_000_000)).toBeUndefined();
  });

  test("for longer is told once, and so is its return", () => {
    const outage = away();
    expect(outage.overdue(1_000 + UNTOLD_OUTAGE)).toBe(waiting);
    expect(outage.isUntold).toBe(false);
    expect(outage.overdue(1_000 + 2 * UNTOLD_OUTAGE)).toBeUndefined();
    expect(outage.take(online, 60_000)).toBe(true);
  });

  test("is told after the attempt that is under way when its time is over", () => {
    const outage = away();
    outage.take(connecting, 5_000);
    expect(outage.overdue(1_000 + UNTOLD_OUTAGE)).toBeUndefined();
    expect(outage.take(waiting, 15_000)).toBe(true);
  });

  test("is told at once where it was never there, and where it will not come back", () => {
    const never = new ServerOutage();
    for (const state of [connecting, offline, waiting]) expect(never.take(state, 0)).toBe(true);
    expect(away().take({ name: "stopped", why: new Error("replaced") }, 2_000)).toBe(true);
    const once = new ServerOutage();
    once.take(online, 0);
    expect(once.take(offline, 1)).toBe(true);
  });
});

test("a list is complete once everybody had the time that we had to come back, where nobody was told", () => {
  const hold = new PresenceHold();
  expect(hold.completeAt).toBeUndefined();
  hold.lost(1_000);
  expect(hold.completeAt).toBeUndefined();
  hold.back(1_500, true);
  expect(hold.completeAt).toBe(1_500 + RETURN_SPREAD);
  hold.lost(20_000);
  hold.back(60_000, false);
  expect(hold.completeAt).toBeUndefined();
});
