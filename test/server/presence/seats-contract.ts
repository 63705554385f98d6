/** What holds for seats, whether one server is alone or several share them. */
import { afterAll, beforeAll, expect, test } from "bun:test";

import type { OnlineUser, OwnUser } from "../../../src/server/presence/online-user.ts";
import type { Presence } from "../../../src/server/presence/presence.ts";
import type { Seats } from "../../../src/server/presence/seats.ts";
import { FakeUser } from "./fake-users.ts";

export type SeatsUnderTest = {
  readonly seats: Seats;
  readonly presence: Presence<OnlineUser, OwnUser>;
  /** Resolves once all that was done has been told. */
  settled(): Promise<void>;
  stop(): Promise<void>;
};

export function seatsContract(start: () => Promise<SeatsUnderTest>): void {
  let under: SeatsUnderTest;
  let names = 0;
  beforeAll(async () => {
    under = await start();
  });
  afterAll(() => under.stop());

  const newName = () => `name${++names}`;
  const person = (fold: string, device?: string, ip?: string) => new FakeUser(under.seats, fold, device, ip);
  const online = async (fold: string, device?: string) => {
    const user = person(fold, device);
    expect(await user.take()).toBe("ok");
    await under.settled();
    return user;
  };
  /** Somebody online who watches this name. */
  const watcherOf = async (fold: string) => {
    const watcher = await online(newName());
    under.presence.watch(watcher.user, [fold]);
    return watcher;
  };

  test("who has taken a seat is online and told of, until they leave it", async () => {
    const name = newName();
    const watcher = await watcherOf(name);
    const ana = await online(name);
    expect(under.presence.find(name)).toBe(ana.user);
    expect(under.seats.own()).toContain(ana.user);
    ana.leave();
    ana.leave();
    await under.settled();
    expect(under.presence.find(name)).toBeUndefined();
    expect(under.seats.own()).not.toContain(ana.user);
    expect(watcher.noted).toEqual([`+${name}`, `-${name}`]);
  });

  test("a claim alone is not online, and leaving it tells nobody", async () => {
    const name = newName();
    const watcher = await watcherOf(name);
    person(name).leave();
    await under.settled();
    expect(under.presence.find(name)).toBeUndefined();
    expect(watcher.noted).toEqual([]);
  });

  test("a second device is refused, unless it replaces the first, which leaves without being told of", async () => {
    const name = newName();
    const watcher = await watcherOf(name);
    const first = await online(name, "a");
    for (const device of ["b", ""]) {
      const refused = person(name, device);
      expect(await refused.take()).toBe("already_connected");
      refused.leave();
    }
    await under.settled();
    expect(under.presence.find(name)).toBe(first.user);
    const second = person(name, "b");
    expect(await second.take(true)).toBe("ok");
    await under.settled();
    expect(first.noted).toEqual(["replaced"]);
    first.leave();
    await under.settled();
    expect(under.presence.find(name)).toBe(second.user);
    expect(watcher.noted).toEqual([`+${name}`]);
  });

  test("the same device replaces its older session, and nobody is told", async () => {
    const name = newName();
    const watcher = await watcherOf(name);
    const older = await online(name);
    const newer = await online(name);
    expect(older.noted).toEqual(["replaced"]);
    expect(under.presence.find(name)).toBe(newer.user);
    expect(under.seats.own()).not.toContain(older.user);
    expect(watcher.noted).toEqual([`+${name}`]);
  });

  test("an end reaches whoever is online, and a login under way, and nobody else", async () => {
    const [name, other] = [newName(), newName()];
    const [ana, berta] = [await online(name), await online(other)];
    const asking = person(name);
    await under.seats.end(name, "account_disabled");
    await under.settled();
    expect(ana.noted).toEqual(["ended account_disabled"]);
    expect(asking.claim.isEnded).toBe(true);
    expect(berta.noted).toEqual([]);
    expect(under.presence.find(name)).toBeUndefined();
    expect(berta.claim.isEnded).toBe(false);
  });

  test("of a hundred devices that log in at once, one is online, and the others have been told", async () => {
    const name = newName();
    const devices = Array.from({ length: 100 }, (_, index) => person(name, "0123456789"[index % 10]));
    const taken = await Promise.all(devices.map((device) => device.take()));
    await under.settled();
    const seated = devices.filter((device, index) => taken[index] === "ok" && device.noted.length === 0);
    expect(seated).toHaveLength(1);
    expect(under.presence.find(name)).toBe(seated[0]?.user as OnlineUser);
  });
}
