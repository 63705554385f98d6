/** The machine of one meeting: its way step by step, and what must hold in any order of events. */
import { describe, expect, test } from "bun:test";

import {
  GO_TIMEOUT,
  Meeting,
  NO_COMMON_FAMILY,
  READY_PATIENCE,
  RELAY_PATIENCE,
  SEAT_TIMEOUT,
  TICKET_LIFE,
  type Effect,
  type MeetingOptions,
  type Side,
} from "../../../src/server/meeting/meeting.ts";
import type { Family } from "../../../src/protocol/ip-address.ts";
import { seededRandom } from "../../seeded-random.ts";

const AT = {
  4: [
    { ip: "80.1.0.11", port: 40_011 },
    { ip: "80.1.0.12", port: 40_012 },
  ],
  6: [
    { ip: "2a00:1::11", port: 60_011 },
    { ip: "2a00:1::12", port: 60_012 },
  ],
} as const;

function meetingWith(options: Partial<MeetingOptions> = {}): Meeting {
  let n = 0;
  return new Meeting({
    purpose: "chat",
    canPunch: () => true,
    admitRelay: () => true,
    random: () => ++n,
    now: 0,
    ...options,
  });
}

/** Takes a seat and answers both pings, each after `rtt`. @returns the effects after the last one */
function seat(
  meeting: Meeting,
  side: Side,
  options: { family?: Family; rtt?: number; now?: number; relay?: boolean } = {},
) {
  const { family = 4, rtt = 10, now = 0, relay = false } = options;
  let effects: readonly Effect[] = meeting.sit(side, AT[family][side], now, relay, now);
  for (const round of [1, 2]) {
    const n = pingNumber(effects);
    effects = meeting.pong(side, family, n, now + round * rtt) ?? [];
  }
  return effects;
}

function pingNumber(effects: readonly Effect[]): number {
  for (const effect of effects)
    if (effect.name === "line" && "n" in effect.line) return effect.line.n as number;
  throw new Error("no ping");
}

function pushes(effects: readonly Effect[]): object[] {
  return effects.flatMap((effect) =>
    effect.name === "push" ? [{ to: effect.side, ...effect.message }] : [],
  );
}

const names = (effects: readonly Effect[] | undefined) => effects?.map(({ name }) => name);

describe("go", () => {
  test("tells each the other's address, and lets both dials leave at one moment", () => {
    const meeting = meetingWith();
    expect(seat(meeting, 0, { rtt: 40 })).toEqual([]);
    expect(pushes(seat(meeting, 1, { rtt: 10 }))).toEqual([
      { to: 0, action: "go", family: 4, ...AT[4][1], in_ms: 0, rtt_ms: 50 },
      { to: 1, action: "go", family: 4, ...AT[4][0], in_ms: 15, rtt_ms: 50 },
    ]);
  });

  test("has no address where one of them wants the relay, or their NATs cannot be punched", () => {
    for (const [options, relay] of [
      [{}, true],
      [{ canPunch: () => false }, false],
    ] as const) {
      const meeting = meetingWith(options);
      seat(meeting, 0, { relay });
      expect(pushes(seat(meeting, 1))).toEqual([
        { to: 0, action: "go", family: 4, in_ms: 0, rtt_ms: 20 },
        { to: 1, action: "go", family: 4, in_ms: 0, rtt_ms: 20 },
      ]);
    }
  });

  test("has no address that the server sees as private while it sees the other as public", () => {
    const meeting = meetingWith();
    meeting.sit(0, { ip: "192.168.1.10", port: 5_000 }, 0, false, 0);
    meeting.pong(0, 4, 1, 5);
    meeting.pong(0, 4, 2, 10);
    const gos = pushes(seat(meeting, 1));
    expect(gos).toHaveLength(2);
    for (const go of gos) expect(go).not.toHaveProperty("ip");
  });

  test("to the relay waits for a family in which they may punch", () => {
    const meeting = meetingWith({ canPunch: (family) => family === 6 });
    seat(meeting, 0, { family: 4 });
    const n = pingNumber(meeting.sit(0, AT[6][0], 0, false, 0));
    const other = pingNumber(meeting.sit(1, AT[6][1], 0, false, 0));
    expect(pushes(seat(meeting, 1, { family: 4 }))).toEqual([]);
    for (const [side, first] of [
      [0, n],
      [1, other],
    ] as const) {
      meeting.pong(side, 6, pingNumber(meeting.pong(side, 6, first, 10) ?? []), 20);
    }
    expect(meeting.isGathering).toBe(false);
    expect(meeting.relay(0, 4, 1_600)).toEqual([]);
  });

  test("to the relay comes 3 s after both sit without a common family", () => {
    const meeting = meetingWith();
    seat(meeting, 0, { family: 4 });
    seat(meeting, 1, { family: 6, now: 1_000 });
    expect(meeting.checkDeadlines(1_000 + NO_COMMON_FAMILY - 1)).toEqual([]);
    expect(pushes(meeting.checkDeadlines(1_000 + NO_COMMON_FAMILY))).toEqual([
      { to: 0, action: "go", family: 4, in_ms: 0, rtt_ms: 20 },
      { to: 1, action: "go", family: 6, in_ms: 0, rtt_ms: 20 },
    ]);
  });

  test("without an address ends a move, in which nobody may say relay", () => {
    const meeting = meetingWith({ purpose: "move", canPunch: () => false });
    seat(meeting, 0);
    const effects = seat(meeting, 1);
    expect(names(effects)).toEqual(["push", "push", "close", "close", "ended"]);
    const moving = meetingWith({ purpose: "move" });
    seat(moving, 0);
    seat(moving, 1);
    expect(moving.relay(0, 4, 100)).toBeUndefined();
  });
});

describe("the relay", () => {
  function gone(options: Partial<MeetingOptions> = {}): Meeting {
    const meeting = meetingWith(options);
    seat(meeting, 0);
    seat(meeting, 1);
    return meeting;
  }

  test("is handed to the acceptor first, and to the dialler once the acceptor is ready", () => {
    const meeting = gone();
    expect(meeting.relay(1, 4, 1_000)).toEqual([]);
    const spliced = { action: "spliced" };
    expect(meeting.relay(0, 4, 1_001)).toEqual([{ name: "line", side: 0, family: 4, line: spliced }]);
    expect(meeting.ready(1, 4)).toBeUndefined();
    expect(meeting.ready(0, 4)).toEqual([
      { name: "line", side: 1, family: 4, line: spliced },
      { name: "splice", acceptor: 4, dialler: 4 },
      { name: "ended", way: "relayed", outcome: "spliced" },
    ]);
  });

  test("joins connections of different families", () => {
    const meeting = meetingWith();
    seat(meeting, 0, { family: 4 });
    seat(meeting, 1, { family: 6 });
    meeting.checkDeadlines(NO_COMMON_FAMILY);
    meeting.relay(0, 4, 3_100);
    meeting.relay(1, 6, 3_200);
    expect(meeting.ready(0, 4)).toContainEqual({ name: "splice", acceptor: 4, dialler: 6 });
  });

  test("without a place is refused to both", () => {
    const meeting = gone({ admitRelay: () => false });
    meeting.relay(1, 4, 1_000);
    const effects = meeting.relay(0, 4, 1_000);
    expect(names(effects)).toEqual(["line", "line", "close", "close", "ended"]);
    expect(JSON.stringify(effects)).toContain("relay_full");
  });

  test("is not waited for longer than 5 s, nor is ready", () => {
    const asked = gone();
    asked.relay(1, 4, 1_000);
    expect(asked.checkDeadlines(1_000 + RELAY_PATIENCE - 1)).toEqual([]);
    expect(names(asked.checkDeadlines(1_000 + RELAY_PATIENCE))).toContain("ended");
    const handing = gone();
    handing.relay(1, 4, 1_000);
    handing.relay(0, 4, 1_000);
    expect(names(handing.checkDeadlines(1_000 + READY_PATIENCE))).toContain("ended");
  });
});

describe("the end", () => {
  test("a side that closes its last seat is missed by the other", () => {
    const meeting = meetingWith();
    seat(meeting, 0, { family: 4 });
    seat(meeting, 0, { family: 6 });
    expect(meeting.closed(0, 6)).toEqual([]);
    expect(meeting.closed(0, 4)).toEqual([
      { name: "push", side: 1, message: { action: "gone" } },
      { name: "ended", way: "direct", outcome: "left" },
    ]);
  });

  test("a seat is taken once a family, and not with an old ticket", () => {
    const meeting = meetingWith();
    expect(meeting.isFree(0, 4, 0)).toBe(true);
    seat(meeting, 0);
    expect(meeting.isFree(0, 4, 20)).toBe(false);
    expect(meeting.isFree(0, 6, TICKET_LIFE - 1)).toBe(true);
    expect(meeting.isFree(0, 6, TICKET_LIFE)).toBe(false);
  });

  test("comes 10 s after the first seat without go, and 30 s after a ticket that nobody showed", () => {
    const alone = meetingWith();
    seat(alone, 0, { now: 1_000 });
    expect(alone.checkDeadlines(1_000 + GO_TIMEOUT - 1)).toEqual([]);
    expect(pushes(alone.checkDeadlines(1_000 + GO_TIMEOUT))).toHaveLength(2);
    expect(names(meetingWith().checkDeadlines(TICKET_LIFE))).toEqual(["push", "push", "ended"]);
  });
});

test("in any order of events: seats end, go comes in pairs, nothing is spliced unasked, and it ends once", () => {
  for (let seed = 1; seed <= 2_000; seed++) runAtRandom(seed);
});

function runAtRandom(seed: number): void {
  const { next: random } = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const canPunch = random() < 0.7;
  const isMove = random() < 0.2;
  const isAdmitted = random() < 0.8;
  const meeting = meetingWith({
    purpose: isMove ? "move" : "chat",
    canPunch: () => canPunch,
    admitRelay: () => isAdmitted,
    random: () => Math.floor(random() * 2 ** 32),
  });
  const seats = new Map<
    string,
    { side: Side; family: Family; pings: number[]; answered: number; wants: boolean }
  >();
  const asked = new Set<Side>();
  const gos: { to: Side; family: Family; ip: boolean }[] = [];
  let isReady = false;
  let isOver = false;
  let now = 0;

  const apply = (effects: readonly Effect[] | undefined): void => {
    if (isOver) expect(effects ?? []).toEqual([]);
    for (const effect of effects ?? []) {
      expect(isOver).toBe(false);
      switch (effect.name) {
        case "line": {
          const own = seats.get(`${effect.side} ${effect.family}`);
          expect(own).toBeDefined();
          if ("n" in effect.line) own?.pings.push(effect.line.n as number);
          break;
        }
        case "push": {
          const message = effect.message as { action: string; family: Family; ip?: string };
          if (message.action !== "go") break;
          gos.push({ to: effect.side, family: message.family, ip: message.ip !== undefined });
          if (message.ip === undefined) break;
          expect(canPunch).toBe(true);
          for (const side of [0, 1]) {
            const own = seats.get(`${side} ${message.family}`);
            expect(own?.answered).toBe(2);
            expect(own?.wants).toBe(false);
          }
          break;
        }
        case "close":
          expect(seats.delete(`${effect.side} ${effect.family}`)).toBe(true);
          break;
        case "splice":
          expect(asked.size).toBe(2);
          expect(isReady && isAdmitted && !isMove).toBe(true);
          expect(seats.delete(`0 ${effect.acceptor}`)).toBe(true);
          expect(seats.delete(`1 ${effect.dialler}`)).toBe(true);
          break;
        case "ended":
          expect(seats.size).toBe(0);
          isOver = true;
          break;
        default:
          effect satisfies never;
      }
    }
    expect(gos.filter(({ to }) => to === 0)).toHaveLength(gos.length / 2);
  };

  const steps: readonly (() => void)[] = [
    () => {
      const side = pick([0, 1] as const);
      const family = pick([4, 6] as const);
      if (!meeting.isFree(side, family, now)) return;
      const wants = random() < 0.1;
      const seat = { side, family, pings: [] as number[], answered: 0, wants };
      seats.set(`${side} ${family}`, seat);
      apply(meeting.sit(side, AT[family][side], now, wants, now));
    },
    () => {
      const own = pick([...seats.values()]);
      if (own === undefined) return;
      const n = own.pings.shift() ?? 7;
      if (n !== 7) own.answered++;
      apply(meeting.pong(own.side, own.family, n, now));
    },
    () => {
      const own = pick([...seats.values()]);
      if (own === undefined) return;
      const effects = meeting.relay(own.side, own.family, now);
      if (effects === undefined) return;
      asked.add(own.side);
      apply(effects);
    },
    () => {
      const own = pick([...seats.values()]);
      if (own === undefined) return;
      isReady = true;
      apply(meeting.ready(own.side, own.family));
      isReady = false;
    },
    () => {
      const own = pick([...seats.values()]);
      if (own === undefined || random() < 0.8) return;
      seats.delete(`${own.side} ${own.family}`);
      apply(meeting.closed(own.side, own.family));
    },
    () => {
      if (random() < 0.02) apply(meeting.offline(pick([0, 1] as const)));
    },
    () => {
      now += Math.floor(random() * 200);
      apply(meeting.checkDeadlines(now));
    },
  ];
  for (let step = 0; step < 80; step++) pick(steps)();
  for (let left = 0; left <= SEAT_TIMEOUT + TICKET_LIFE; left += 500)
    apply(meeting.checkDeadlines(now + left));
  if (!isOver) throw new Error(`seed ${seed}: the meeting goes on`);
}
