import { describe, expect, test } from "bun:test";

import {
  DIAL_PERIOD,
  DialBudget,
  MAX_DIALS,
  peerTargets,
  type OwnPlace,
} from "../../../src/client/peer/dial-limits.ts";

const OWN: OwnPlace = { isServerLocal: false, port: 9_000, addresses: ["192.0.2.1", "2001:db8::1"] };

/** Those of the addresses, as IP and port, that may be dialled. */
function dialled(own: OwnPlace, ...addresses: [string, number][]): [string, number][] {
  const targets = addresses.map(([ip, port]) => ({ ip, port }));
  return peerTargets(targets, own).map(({ ip, port }) => [ip, port]);
}

describe("addresses that a server names", () => {
  test("no address that is not one of another machine, and no port of the system, is dialled", () => {
    const none = ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.1.1.1", "255.255.255.255", "ff02::1"];
    const loopback = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"];
    for (const ip of [...none, ...loopback, "example.org", "fe80::1%eth0"]) {
      expect(dialled(OWN, [ip, 9_001])).toEqual([]);
    }
    expect(dialled(OWN, ["198.51.100.1", 22], ["198.51.100.1", 1_023])).toEqual([]);
    const good: [string, number][] = [
      ["198.51.100.1", 1_024],
      ["192.168.1.7", 9_000],
      ["2001:db8::2", 65_535],
    ];
    expect(dialled(OWN, ...good)).toEqual(good);
  });

  test("loopback is dialled only if the server is there too, and never our own port", () => {
    const local = { ...OWN, isServerLocal: true };
    expect(dialled(local, ["127.0.0.1", 9_001], ["::1", 9_001])).toHaveLength(2);
    expect(dialled(local, ["127.0.0.1", 9_000], ["127.0.0.2", 9_000], ["::1", 9_000])).toEqual([]);
    expect(dialled(local, ["192.0.2.1", 9_000], ["2001:db8::1", 9_000])).toEqual([]);
    expect(dialled(local, ["192.0.2.1", 9_001], ["192.0.2.2", 9_000])).toHaveLength(2);
  });
});

describe("the budget of dials", () => {
  function budget() {
    const clock = { now: 50_000 };
    return { clock, dials: new DialBudget(() => clock.now) };
  }

  test("a user is dialled eight times in any ten seconds, at whatever addresses", () => {
    const { clock, dials } = budget();
    const take = (index: number) => dials.take("ana", `198.51.100.${index}`, OWN);
    for (let index = 0; index < MAX_DIALS; index++) {
      expect(take(index)).toBe(0);
      clock.now += 100;
    }
    expect(take(9)).toBe(DIAL_PERIOD - MAX_DIALS * 100);
    expect(dials.take("beto", "203.0.113.1", OWN)).toBe(0);
    clock.now += DIAL_PERIOD - MAX_DIALS * 100;
    expect(take(10)).toBe(0);
    expect(take(11)).toBe(100);
  });

  test("an address that is named for many users is dialled eight times in ten seconds too; one's own machine is not", () => {
    const { clock, dials } = budget();
    for (let index = 0; index < MAX_DIALS; index++)
      expect(dials.take(`user${index}`, "198.51.100.1", OWN)).toBe(0);
    expect(dials.take("another", "198.51.100.1", OWN)).toBe(DIAL_PERIOD);
    // What was refused was not counted.
    expect(dials.take("another", "198.51.100.2", OWN)).toBe(0);
    for (let index = 0; index < 100; index++) {
      for (const ip of ["127.0.0.1", "192.0.2.1"]) expect(dials.take(`near${index}`, ip, OWN)).toBe(0);
    }
    clock.now += DIAL_PERIOD;
    expect(dials.take("another", "198.51.100.1", OWN)).toBe(0);
  });

  test("a crowd of users does not grow the table without end", () => {
    const { clock, dials } = budget();
    let taken = 0;
    while (taken < 10_000 && dials.take(`user${taken}`, "127.0.0.1", OWN) === 0) taken++;
    expect(taken).toBeLessThan(10_000);
    clock.now += DIAL_PERIOD;
    expect(dials.take("another", "127.0.0.1", OWN)).toBe(0);
  });
});
