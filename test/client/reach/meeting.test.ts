import { describe, expect, test } from "bun:test";

import {
  HANDSHAKE_TIME,
  Meeting,
  PUNCH_TIME,
  RELAY_TIME,
  SEAT_TIME,
  type MeetingEffect,
  type Purpose,
} from "../../../src/client/reach/meeting.ts";
import { HANDSHAKE_TIMEOUT } from "../../../src/net/connection.ts";
import type { Family } from "../../../src/protocol/ip-address.ts";

const IP = "203.0.113.7";
const GO = { family: 4, ip: IP, port: 4_000, in_ms: 20, rtt_ms: 60 } as const;
const DIAL: MeetingEffect = { name: "dial", family: 4, ip: IP, port: 4_000 };
const RELAY: MeetingEffect = { name: "say", family: 4, line: { action: "relay" } };

type Options = {
  isDecider?: boolean;
  purpose?: Purpose;
  mayRelay?: boolean;
  families?: readonly Family[];
};

/** A meeting with its own clock, in which every seat is taken. */
class Scene {
  now = 1_000;
  readonly meeting: Meeting;

  constructor({ families = [4], ...options }: Options = {}) {
    const defaults = { isDecider: false, purpose: "chat", mayRelay: true } as const;
    this.meeting = new Meeting({ ...defaults, ...options, families, now: this.now });
    for (const family of families) this.meeting.seated(family);
  }

  /** What is done until `ms` have passed, with the time after the beginning at which it is. */
  pass(ms: number): { readonly at: number; readonly effect: MeetingEffect }[] {
    const end = this.now + ms;
    const done: { at: number; effect: MeetingEffect }[] = [];
    while (this.meeting.wakeAt <= end) {
      this.now = Math.max(this.now, this.meeting.wakeAt);
      const at = this.now - 1_000;
      done.push(...this.meeting.checkDeadlines(this.now).map((effect) => ({ at, effect })));
    }
    this.now = end;
    return done;
  }
}

function ended(failure: string | undefined, ...families: Family[]): unknown[] {
  return [...families.map((family) => ({ name: "closeSeat", family })), { name: "ended", failure }];
}

describe("after «go»", () => {
  test("the address is dialled when in_ms is over, and never earlier", () => {
    const scene = new Scene();
    expect(scene.meeting.go(GO, scene.now)).toEqual([]);
    expect(scene.pass(500)).toEqual([{ at: 20, effect: DIAL }]);
  });

  test.each([
    [true, [20, 460, 780]],
    [false, [20, 420, 820]],
  ])("refused dials are made again, spread around the other side's (decider: %j)", (isDecider, times) => {
    const scene = new Scene({ isDecider });
    scene.meeting.go(GO, scene.now);
    const dials = [];
    for (let step = 0; step < 1_000; step++) {
      for (const { at, effect } of scene.pass(1)) {
        if (effect.name !== "dial") continue;
        dials.push(at);
        scene.meeting.dialFailed(4, scene.now);
      }
    }
    expect(dials).toEqual(times);
  });

  test("the relay is asked for 1,500 ms and the round trips later, if nothing has opened", () => {
    const scene = new Scene();
    scene.meeting.go(GO, scene.now);
    expect(scene.pass(5_000).slice(1)).toEqual([{ at: PUNCH_TIME + 60, effect: RELAY }]);
  });

  test("an open connection whose handshake hangs has 3 s more", () => {
    const scene = new Scene();
    scene.meeting.go(GO, scene.now);
    scene.pass(100);
    expect(scene.meeting.dialOpened(4)).toBe(true);
    expect(scene.pass(10_000)).toEqual([{ at: PUNCH_TIME + HANDSHAKE_TIME + 60, effect: RELAY }]);
    expect(scene.meeting.dialOpened(4)).toBe(false);
  });

  test("the later of two families decides, and the relay is asked for over IPv4", () => {
    const scene = new Scene({ families: [4, 6] });
    scene.meeting.go(GO, scene.now);
    scene.pass(500);
    scene.meeting.go({ ...GO, family: 6, ip: "2001:db8::7" }, scene.now);
    const asked = scene.pass(5_000).find(({ effect }) => effect.name === "say");
    expect(asked).toEqual({ at: 500 + PUNCH_TIME + 60, effect: RELAY });
  });

  test("without an address the relay is asked for at once", () => {
    const scene = new Scene();
    expect(scene.meeting.go({ family: 4, in_ms: 0, rtt_ms: 0 }, scene.now)).toEqual([RELAY]);
  });

  test.each([{ purpose: "move" }, { mayRelay: false }] as const)("%j never ends at the relay", (options) => {
    const scene = new Scene(options);
    expect(scene.meeting.go({ family: 4, in_ms: 0, rtt_ms: 0 }, scene.now)).toEqual(
      ended("no_way", 4) as MeetingEffect[],
    );
  });
});

describe("at the relay", () => {
  const relaying = (isDecider: boolean) => {
    const scene = new Scene({ isDecider });
    scene.meeting.go({ family: 4, in_ms: 0, rtt_ms: 0 }, scene.now);
    return scene;
  };

  test("the decider says «ready» and secures its seat in one step, the other only secures it", () => {
    expect(relaying(true).meeting.spliced(4)).toEqual([
      { name: "say", family: 4, line: { action: "ready" } },
      { name: "secureSeat", family: 4 },
    ]);
    expect(relaying(false).meeting.spliced(4)).toEqual([{ name: "secureSeat", family: 4 }]);
  });

  test("a server that says nothing more is waited for in vain only so long", () => {
    expect(
      relaying(true)
        .pass(RELAY_TIME)
        .map(({ effect }) => effect),
    ).toEqual(ended("no_way", 4) as MeetingEffect[]);
  });

  test("the handshake behind «spliced» is not cut short, however late that came", () => {
    const scene = relaying(true);
    expect(scene.pass(RELAY_TIME - 1)).toEqual([]);
    scene.meeting.spliced(4);
    expect(scene.pass(HANDSHAKE_TIMEOUT)).toEqual([]);
    expect(scene.meeting.leave()).toEqual(ended(undefined) as MeetingEffect[]);
  });

  test("a full relay, a server that leaves, and a peer that proves nothing end it", () => {
    expect(relaying(true).meeting.relayFull()).toEqual(ended("relay_full", 4) as MeetingEffect[]);
    expect(relaying(true).meeting.gone()).toEqual(ended("gone", 4) as MeetingEffect[]);
    const { meeting } = relaying(true);
    meeting.spliced(4);
    expect(meeting.gone()).toEqual([]);
    expect(meeting.relayClosed()).toEqual(ended("not_proven") as MeetingEffect[]);
  });

  test("«spliced» that was not asked for is nothing", () => {
    expect(new Scene().meeting.spliced(4)).toEqual([]);
  });
});

describe("a meeting ends", () => {
  test("when no seat is got, and when no «go» comes", () => {
    const options = { isDecider: false, purpose: "chat", mayRelay: true, families: [4, 6], now: 0 } as const;
    const none = new Meeting(options);
    expect(none.seatClosed(4)).toEqual([]);
    expect(none.seatClosed(6)).toEqual(ended("no_seat") as MeetingEffect[]);
    const late = new Meeting(options).checkDeadlines(SEAT_TIME);
    expect(late).toEqual(ended("no_seat", 4, 6) as MeetingEffect[]);
    const effects = new Scene().pass(SEAT_TIME).map(({ effect }) => effect);
    expect(effects).toEqual(ended("alone", 4) as MeetingEffect[]);
    expect(new Scene().meeting.seatClosed(4)).toEqual(ended("gone") as MeetingEffect[]);
    expect(new Meeting(options).gone()).toEqual(ended("no_seat", 4, 6) as MeetingEffect[]);
  });

  test("when the other side leaves, unless something has opened", () => {
    const scene = new Scene();
    scene.meeting.go(GO, scene.now);
    scene.pass(100);
    scene.meeting.dialOpened(4);
    expect(scene.meeting.gone()).toEqual([]);
    scene.meeting.openClosed(4, scene.now);
    expect(scene.meeting.gone()).toEqual(ended("gone", 4) as MeetingEffect[]);
  });

  test("once: after it nothing is done", () => {
    const scene = new Scene();
    expect(scene.meeting.leave()).toEqual(ended(undefined, 4) as MeetingEffect[]);
    expect([
      ...scene.meeting.leave(),
      ...scene.meeting.go(GO, scene.now),
      ...scene.meeting.gone(),
      ...scene.pass(60_000).map(({ effect }) => effect),
    ]).toEqual([]);
  });
});
