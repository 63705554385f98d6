/** How many meetings there may be, of whom, and for how long one that nobody joins is in the way of others. */
import { expect, test } from "bun:test";

import { DEFAULT_RELAY_LIMITS } from "../../../src/server/limits/limits.ts";
import type { Purpose } from "../../../src/server/meeting/meeting.ts";
import { Meetings, type SeatSocket } from "../../../src/server/meeting/meetings.ts";
import { Relay } from "../../../src/server/meeting/relay.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import type { OnlineSession, OnlineUser } from "../../../src/server/presence/online-user.ts";

class Scene {
  readonly watches = new Set<string>();
  readonly meetings: Meetings;
  now = 0;
  #users = 0;

  constructor() {
    const metrics = new Metrics();
    const relay = new Relay(DEFAULT_RELAY_LIMITS, metrics, () => 0);
    this.meetings = new Meetings({
      presence: { isWatching: (user, fold) => this.watches.has(`${user.fold} ${fold}`) },
      // Bytes that never end keep their place.
      relay: {
        admit: (place) => relay.admit(place),
        release: (place) => relay.release(place),
        join: () => undefined,
      },
      metrics,
      clock: () => this.now,
    });
  }

  user(): OnlineUser {
    const userId = ++this.#users;
    const username = `user${userId}`;
    return {
      userId,
      username,
      fold: username,
      since: 0,
      ip: "192.0.2.1",
      p2pPort: 9_000,
      addresses: "",
      reach: { mapped: [], proven: undefined, mapping: undefined, open: [] },
      isRelayOnly: false,
      key: { fingerprint: "", tokenHash: "" },
      session: { push: () => undefined } as unknown as OnlineSession,
    };
  }

  /** Whether these two, of whom the first asks, get a place at the relay, which they then keep. */
  relayed(from: OnlineUser, to: OnlineUser): boolean {
    const met = this.meetings.connect(from, to, "chat");
    if (met.name === "limited") throw new Error("they do not meet");
    const told: object[] = [];
    const seats = [met.ticket, met.pushed ?? ""].map((ticket, index) =>
      this.meetings.sit(ticket, seatSocket(`192.0.2.${this.#users + index}`, told), true),
    );
    for (const { n = 0 } of told as Iterable<{ n?: number }>)
      for (const seat of seats) seat?.line({ action: "pong", n });
    for (const seat of seats) seat?.line({ action: "relay" });
    for (const seat of seats) seat?.line({ action: "ready" });
    return told.filter((line) => "action" in line && line.action === "spliced").length === 2;
  }

  /** How many of so many requests get a meeting, each of a new user to a new user, unless they are given. */
  met(count: number, { from = () => this.user(), to = () => this.user() }: Asking = {}): number {
    return Array.from({ length: count }, () => this.meetings.connect(from(), to(), "chat")).filter(
      ({ name }) => name === "ticket",
    ).length;
  }
}

function seatSocket(ip: string, told: object[]): SeatSocket {
  return { ip, port: 40_000, since: 0, send: (line) => told.push(line), end: () => undefined };
}

type Asking = { readonly from?: () => OnlineUser; readonly to?: () => OnlineUser };

test("four that one user has asked for, and 1,000 in all", () => {
  const scene = new Scene();
  const busy = scene.user();
  expect(scene.met(10, { from: () => busy })).toBe(4);
  expect(scene.met(1_500)).toBe(996);
  scene.meetings.left(busy);
  expect(scene.met(10)).toBe(4);
});

test("eight to which one user was asked, four of them by strangers; without a seat each is in the way for 5 s", () => {
  const scene = new Scene();
  const target = scene.user();
  const to = () => target;
  const from = () => {
    const user = scene.user();
    scene.watches.add(`${target.fold} ${user.fold}`);
    return user;
  };
  expect(scene.met(10, { to })).toBe(4);
  expect(scene.met(10, { to, from })).toBe(4);
  // Who was asked may ask.
  expect(scene.met(1, { from: to })).toBe(1);
  scene.now += 4_999;
  expect(scene.met(1, { to, from })).toBe(0);
  scene.now += 1;
  expect(scene.met(10, { to })).toBe(4);
});

test("a stranger has one of them, whatever it is for; who was asked knows it once it has asked for more than a move", () => {
  const scene = new Scene();
  const [target, stranger, other] = [scene.user(), scene.user(), scene.user()];
  const ask = (from: OnlineUser, to: OnlineUser, purpose: Purpose, transfer?: string) =>
    scene.meetings.connect(from, to, purpose, transfer).name;
  expect(ask(stranger, target, "chat")).toBe("ticket");
  expect(ask(stranger, target, "stream", "x")).toBe("limited");
  expect(ask(stranger, target, "move")).toBe("limited");
  expect(ask(other, target, "move")).toBe("ticket");
  expect(ask(target, other, "move")).toBe("ticket");
  expect(ask(other, target, "chat")).toBe("limited");
  expect(ask(target, stranger, "stream", "y")).toBe("ticket");
  expect(ask(stranger, target, "move")).toBe("ticket");
});

test("strangers who are relayed leave half of a user's places to those whom it watches or has asked to meet", () => {
  const scene = new Scene();
  const [target, friend, met] = [scene.user(), scene.user(), scene.user()];
  scene.watches.add(`${target.fold} ${friend.fold}`);
  const strangers = Array.from({ length: 8 }, () => scene.user());
  expect(strangers.filter((each) => scene.relayed(each, target))).toEqual(strangers.slice(0, 4));
  expect(scene.relayed(friend, target)).toBe(true);
  expect(scene.relayed(target, met)).toBe(true);
  expect(scene.relayed(met, target)).toBe(true);
});
