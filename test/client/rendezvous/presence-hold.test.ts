import { describe, expect, test } from "bun:test";

import { HOLD, PresenceHold } from "../../../src/client/rendezvous/presence-hold.ts";
import { RETURN_SPREAD } from "../../../src/client/rendezvous/return-schedule.ts";
import { MAX_WATCHED } from "../../../src/protocol/rendezvous-messages.ts";

function names(hold: PresenceHold): string[] {
  return hold.held.map(({ username }) => username);
}

/** Ana and Berta were online when the server was lost at 1,000. */
function lost(): PresenceHold {
  const hold = new PresenceHold();
  hold.changed("Ana", true);
  hold.changed("Berta", true);
  hold.changed("Carla", true);
  hold.changed("Carla", false);
  hold.lost(1_000);
  return hold;
}

describe("a person who was online before the server was lost", () => {
  test("stays shown as online until the server reports them, and their return changes nothing", () => {
    const hold = lost();
    hold.back(3_000, true);
    expect(names(hold)).toEqual(["Ana", "Berta"]);
    expect(hold.changed("ANA", true)).toBe(false);
    expect(names(hold)).toEqual(["Berta"]);
    // From then on every change is shown.
    expect(hold.changed("Ana", false)).toBe(true);
    expect(hold.changed("Ana", true)).toBe(true);
  });

  test("is shown as offline once, 10 s after the server is back", () => {
    const hold = lost();
    hold.back(3_000, true);
    hold.changed("Berta", true);
    expect(hold.expired(3_000 + HOLD - 1)).toEqual([]);
    expect(hold.expired(3_000 + HOLD)).toEqual(["Ana"]);
    expect(hold.expired(3_000 + 2 * HOLD)).toEqual([]);
    expect(names(hold)).toEqual([]);
    expect(hold.changed("Ana", true)).toBe(true);
  });

  test("is held for as long as the server is away, however often it is lost again", () => {
    const hold = lost();
    expect(hold.expired(1_000_000)).toEqual([]);
    hold.back(1_000_000, true);
    hold.changed("Ana", true);
    hold.lost(1_005_000);
    hold.lost(1_006_000);
    hold.back(1_008_000, true);
    expect(hold.expired(1_008_000 + HOLD)).toEqual(["Berta", "Ana"]);
  });

  test("is shown as offline at once when they leave after our return", () => {
    const hold = lost();
    hold.back(3_000, true);
    expect(hold.changed("Ana", false)).toBe(true);
    expect(names(hold)).toEqual(["Berta"]);
    expect(hold.expired(3_000 + HOLD)).toEqual(["Berta"]);
  });

  test("is shown as online again if the outage was shown", () => {
    const hold = lost();
    hold.back(60_000, false);
    expect(names(hold)).toEqual(["Ana", "Berta"]);
    expect(hold.changed("Ana", true)).toBe(true);
    expect(names(hold)).toEqual(["Berta"]);
  });

  test("from a recent list is held until the next list names them", () => {
    const hold = new PresenceHold();
    hold.list([{ username: "Ana", secure: false }, { username: "Berta" }], 0);
    hold.lost(9_000);
    hold.back(10_000, true);
    expect(hold.held).toEqual([{ username: "Ana", secure: false }, { username: "Berta" }]);
    hold.list([{ username: "berta" }], 11_000);
    expect(names(hold)).toEqual(["Ana"]);
  });
});

describe("no person is held", () => {
  test("who came after the loss, or was only in an old list", () => {
    const hold = new PresenceHold();
    hold.list([{ username: "Ana" }], 0);
    hold.lost(60_000);
    hold.back(61_000, true);
    expect(names(hold)).toEqual([]);
    expect(hold.changed("Ana", true)).toBe(true);
  });

  test("on a live link: each change is shown at once", () => {
    const hold = new PresenceHold();
    hold.back(0, true);
    expect([true, false, true].map((online) => hold.changed("Ana", online))).toEqual([true, true, true]);
    expect(hold.expired(HOLD)).toEqual([]);
  });

  test("beyond the limit of watched names, whatever the server pushes", () => {
    const hold = new PresenceHold();
    for (let index = 0; index < MAX_WATCHED + 10; index++) hold.changed(`user${index}`, true);
    hold.lost(0);
    hold.back(1, true);
    expect(hold.held).toHaveLength(MAX_WATCHED);
  });
});

test("after an outage that was not shown, a list is complete once every client had time to return", () => {
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
