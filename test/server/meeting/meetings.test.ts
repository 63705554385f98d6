/** How many meetings there may be, of whom, and for how long one that nobody joins is in the way of others. */
import { expect, test } from "bun:test";

import { DEFAULT_RELAY_LIMITS } from "../../../src/server/limits/limits.ts";
import { Meetings } from "../../../src/server/meeting/meetings.ts";
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
    this.meetings = new Meetings({
      presence: { isWatching: (user, fold) => this.watches.has(`${user.fold} ${fold}`) },
      relay: new Relay(DEFAULT_RELAY_LIMITS, metrics, () => 0),
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

  /** How many of so many requests get a meeting, each of a new user to a new user, unless they are given. */
  met(count: number, { from = () => this.user(), to = () => this.user() }: Asking = {}): number {
    return Array.from({ length: count }, () => this.meetings.connect(from(), to(), "chat")).filter(
      ({ name }) => name === "ticket",
    ).length;
  }
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
