import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";

import { writeBeacon } from "../../../../src/client/reach/lan/beacon.ts";
import { onLink } from "../../../../src/client/reach/lan/interfaces.ts";
import {
  HEARD_FOR,
  MAX_ADDRESSES,
  MAX_SENDERS,
  Nearby,
  SENDER_BEACONS,
  TAGS_A_SECOND,
} from "../../../../src/client/reach/lan/nearby.ts";
import { label } from "../../../../src/identity/names.ts";

const [ANA, BOB] = [label("ana"), label("bob")];

const beacon = (of: string, port = 9_000) => writeBeacon(of, randomBytes(16), port);

test("a contact is heard, with port and zone, and nobody else", () => {
  const nearby = new Nearby(() => [BOB, ANA]);
  expect(nearby.take(beacon(ANA), "fe80::7%eth0", 0)).toBe(ANA);
  expect(nearby.take(beacon(ANA, 9_001), "10.0.0.7", 10)).toBe(ANA);
  expect(nearby.take(beacon(label("eve")), "10.0.0.8", 20)).toBeUndefined();
  expect(nearby.targets(ANA, 20)).toEqual([
    { ip: "10.0.0.7", port: 9_001 },
    { ip: "fe80::7%eth0", port: 9_000 },
  ]);
  expect(nearby.targets(BOB, 20)).toEqual([]);
});

test("an address counts for 90 s after its last beacon", () => {
  const nearby = new Nearby(() => [ANA]);
  nearby.take(beacon(ANA), "10.0.0.7", 0);
  nearby.take(beacon(ANA), "10.0.0.7", 30_000);
  expect(nearby.targets(ANA, 30_000 + HEARD_FOR - 1)).toHaveLength(1);
  expect(nearby.labels(30_000 + HEARD_FOR - 1)).toEqual([ANA]);
  expect(nearby.targets(ANA, 30_000 + HEARD_FOR)).toEqual([]);
  expect(nearby.labels(30_000 + HEARD_FOR)).toEqual([]);
});

test("of a contact four addresses are kept, those heard last", () => {
  const nearby = new Nearby(() => [ANA]);
  for (let host = 1; host <= 200; host++) nearby.take(beacon(ANA), `10.0.0.${host}`, host);
  const kept = nearby.targets(ANA, 200).map(({ ip }) => ip);
  expect(kept).toEqual(["10.0.0.200", "10.0.0.199", "10.0.0.198", "10.0.0.197"]);
  expect(kept).toHaveLength(MAX_ADDRESSES);
});

test("a beacon that others repeat adds their addresses, four at most, and is not heard as somebody else's", () => {
  const nearby = new Nearby(() => [ANA, BOB]);
  const heard = beacon(ANA);
  expect(nearby.take(heard, "10.0.0.7", 0)).toBe(ANA);
  // It may be of another of ana's networks. Who answers there proves to be ana, or is nobody.
  for (let host = 8; host <= 9; host++) expect(nearby.take(heard, `10.0.0.${host}`, 0)).toBe(ANA);
  expect(nearby.targets(ANA, 0).map(({ ip }) => ip)).toEqual(["10.0.0.9", "10.0.0.8", "10.0.0.7"]);
  for (let host = 10; host < 200; host++) nearby.take(heard, `10.0.0.${host}`, 0);
  expect(nearby.targets(ANA, 0)).toHaveLength(MAX_ADDRESSES);
  expect(nearby.targets(BOB, 0)).toEqual([]);
  // She comes back with her next beacon, and is the first to be dialled.
  expect(nearby.take(beacon(ANA), "10.0.0.7", 1_000)).toBe(ANA);
  expect(nearby.targets(ANA, 1_000)[0]).toEqual({ ip: "10.0.0.7", port: 9_000 });
});

test("every account of one machine is heard, at whatever moment of the same second they send", () => {
  const nearby = new Nearby(() => [ANA, BOB]);
  for (const second of [0, 1_000, 2_000]) {
    // As one's own, if it is this machine.
    expect(nearby.take(beacon(label("eve")), "10.0.0.7", second)).toBeUndefined();
    expect(nearby.take(beacon(ANA, 9_001), "10.0.0.7", second + 1)).toBe(ANA);
    expect(nearby.take(beacon(BOB, 9_002), "10.0.0.7", second + 900)).toBe(BOB);
  }
});

test("an address is heard eight times a second, whatever it sends", () => {
  const nearby = new Nearby(() => [ANA, BOB]);
  for (let sent = 0; sent < SENDER_BEACONS; sent++)
    expect(nearby.take(beacon(label("eve")), "10.0.0.7", 0)).toBeUndefined();
  expect(nearby.take(beacon(ANA), "10.0.0.7", 999)).toBeUndefined();
  expect(nearby.take(beacon(ANA), "10.0.0.7", 1_000)).toBe(ANA);
  expect(nearby.take(beacon(BOB), "10.0.0.8", 1_000)).toBe(BOB);
});

test("a flood computes 20,000 tags a second, and who was heard before is found with one", () => {
  let asked = 0;
  const labels = [...Array.from({ length: 999 }, (_, index) => label(`contact ${index}`)), ANA];
  const nearby = new Nearby(() => {
    asked++;
    return labels;
  });
  expect(nearby.take(beacon(ANA), "10.0.0.7", 0)).toBe(ANA);
  const flood = beacon(label("eve"));
  for (let host = 0; host < 1_000; host++) nearby.take(flood, `10.1.${host >> 8}.${host & 255}`, 0);
  expect(asked).toBe(TAGS_A_SECOND / 1_000);
  expect(nearby.take(beacon(ANA), "10.0.0.9", 0)).toBeUndefined();
  // One millisecond later twenty tags more may be computed: enough for those who are known at their addresses.
  expect(nearby.take(beacon(ANA), "10.0.0.7", 1_001)).toBe(ANA);
});

test("the senders that are remembered have a limit", () => {
  const nearby = new Nearby(() => [ANA]);
  for (let host = 0; host < MAX_SENDERS; host++)
    nearby.take(beacon(BOB), `10.3.${host >> 8}.${host & 255}`, 0);
  expect(nearby.take(beacon(ANA), "10.0.0.7", 500)).toBeUndefined();
  expect(nearby.take(beacon(ANA), "10.0.0.7", 1_000)).toBe(ANA);
});

test("only an address of the local network counts: a beacon must not make us dial other people's machines", () => {
  const isOnLink = onLink([
    { via: "192.168.1.4", family: "IPv4", network: "192.168.1.4/24" },
    { via: "::%eth0", family: "IPv6", network: "fe80::4/64" },
  ]);
  const counts = ["192.168.1.9", "192.168.2.9", "203.0.113.5", "fe80::9%eth0", "2001:db8::9", "fd00::9"];
  expect(counts.map((ip) => [ip, isOnLink(ip)])).toEqual([
    ["192.168.1.9", true],
    ["192.168.2.9", false],
    ["203.0.113.5", false],
    ["fe80::9%eth0", true],
    ["2001:db8::9", false],
    ["fd00::9", false],
  ]);
});
