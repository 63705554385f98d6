import { expect, test } from "bun:test";

import { meetingTargets } from "../../../src/client/reach/meeting-places.ts";

const SERVER = "203.0.113.7";
const link = (remoteAddress: string, ...others: string[]) => ({
  remoteAddress,
  targets: [remoteAddress, ...others].map((ip) => ({ ip, port: 8_443 })),
});

test("the meeting port is at the server's addresses, where no other is named, and may have any port there", () => {
  expect([...meetingTargets([{ port: 443 }], link(SERVER)).values()]).toEqual([{ ip: SERVER, port: 443 }]);
  const both = meetingTargets([{ port: 8_444 }], link(SERVER, "2001:db8::7"));
  expect([...both.values()].map(({ ip }) => ip)).toEqual([SERVER, "2001:db8::7"]);
  const elsewhere = meetingTargets([{ ip: "203.0.113.8", port: 8_444 }], link(SERVER));
  expect([...elsewhere.values()]).toEqual([{ ip: "203.0.113.8", port: 8_444 }]);
});

test.each([
  ["a service of the system", "203.0.113.8", 25],
  ["this machine", "127.0.0.1", 8_444],
  ["a machine of our network", "192.168.1.1", 8_080],
  ["our link", "fe80::1", 8_444],
  ["everybody", "224.0.0.1", 8_444],
  ["a host name", "example.org", 8_444],
])("a server that is elsewhere leads nobody to %s", (_, ip, port) => {
  expect(meetingTargets([{ ip, port }], link(SERVER)).size).toBe(0);
});

test("a server inside of a network may name another machine of it", () => {
  expect(meetingTargets([{ ip: "192.168.1.9", port: 8_444 }], link("192.168.1.8")).size).toBe(1);
  expect(meetingTargets([{ ip: "127.0.0.1", port: 8_444 }], link("192.168.1.8")).size).toBe(0);
});
