/** The checks that dial clients back: how often, how many at one time, and never anybody else. */
import { expect, test } from "bun:test";

import type { Endpoint } from "../../../src/server/meeting/meeting.ts";
import { Observations } from "../../../src/server/meeting/observations.ts";
import type { OnlineSession, OnlineUser } from "../../../src/server/presence/online-user.ts";

const MINUTE = 60_000;
const OWN = "203.0.113.7";

class Scene {
  now = 0;
  readonly dialled: string[] = [];
  /** Ends the check that began last. */
  end: () => void = () => undefined;
  readonly #observations = new Observations({
    changed: () => undefined,
    dialBack: ({ ip, port }) => {
      this.dialled.push(`${ip} ${port}`);
      return new Promise((resolve) => (this.end = () => resolve(false)));
    },
    clock: () => this.now,
  });
  #users = 0;

  user(ip = OWN): OnlineUser {
    const userId = ++this.#users;
    return {
      userId,
      username: `user${userId}`,
      fold: `user${userId}`,
      since: 0,
      ip,
      p2pPort: 9_000,
      addresses: "",
      reach: undefined,
      isRelayOnly: false,
      key: { fingerprint: "", tokenHash: "" },
      session: { push: () => undefined } as unknown as OnlineSession,
    };
  }

  /** @returns whether a check has begun */
  check(user: OnlineUser, mapped: readonly Endpoint[] = [], addresses: readonly string[] = []): boolean {
    const seen = { ip: user.ip, port: 40_000, localAddress: "198.51.100.1" };
    return this.#observations.told(user, seen, { addresses, mapped, check: true }).checking;
  }
}

test("once a minute and twenty times an hour for one user, and sixteen at one time", async () => {
  const scene = new Scene();
  const user = scene.user();
  let checks = 0;
  for (let minute = 0; minute < 60; minute++, scene.now += MINUTE) {
    if (scene.check(user)) checks++;
    expect(scene.check(user)).toBe(false);
    scene.end();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(checks).toBeWithin(20, 40);
  const crowd = Array.from({ length: 20 }, () => scene.check(scene.user()));
  expect(crowd.filter(Boolean)).toHaveLength(16);
});

test("nobody is dialled but the user, at ports at which clients listen", () => {
  const scene = new Scene();
  const mapped = [
    { ip: OWN, port: 9_001 },
    { ip: "192.0.2.1", port: 9_002 },
  ];
  scene.check(scene.user(), mapped, ["192.0.2.1", "192.168.1.9"]);
  expect(scene.dialled).toEqual([`${OWN} 9000`, `${OWN} 9001`]);
  // The server is in no private network.
  scene.check(scene.user("192.168.1.9"));
  scene.check({ ...scene.user(), p2pPort: 22 });
  expect(scene.dialled).toHaveLength(2);
});
