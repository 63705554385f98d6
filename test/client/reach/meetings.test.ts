import { expect, test } from "bun:test";

import { checkedGo, meetingWays } from "../../../src/client/reach/meetings.ts";

const OWN = { isServerLocal: false, port: 9_000, addresses: ["198.51.100.1"] };
const times = { in_ms: 10, rtt_ms: 20 };
const GO = { ticket: "", family: 4, ip: "203.0.113.7", port: 40_000, ...times };

test("a public address of the family is dialled", () => {
  const { ip, port } = GO;
  expect(checkedGo(GO, OWN)).toEqual({ family: 4, ip, port, ...times });
  expect(checkedGo({ ...GO, family: 6, ip: "2001:db8::7" }, OWN)).toMatchObject({ ip: "2001:db8::7", port });
});

test.each([
  ["a service of the system", { port: 443 }],
  ["this machine", { ip: "127.0.0.1" }],
  ["our own port", { ip: "198.51.100.1", port: 9_000 }],
  ["everybody", { ip: "224.0.0.1" }],
  ["a host name", { ip: "example.org" }],
  ["the other family", { ip: "2001:db8::7" }],
  ["no address", { ip: undefined, port: undefined }],
])("%s is not dialled, and the relay is left", (_, named) => {
  expect(checkedGo({ ...GO, ...named }, OWN)).toEqual({ family: 4, ...times });
});

test.each([
  ["auto", "chat", false, { mayRelay: true, isRelayOnly: false }],
  ["auto", "chat", true, { mayRelay: true, isRelayOnly: true }],
  ["auto", "move", false, { mayRelay: true, isRelayOnly: false }],
  ["only", "chat", false, { mayRelay: true, isRelayOnly: true }],
  ["only", "move", false, undefined],
  ["never", "chat", false, { mayRelay: false, isRelayOnly: false }],
  // Strangers are told no address.
  ["never", "chat", true, undefined],
] as const)("with --relay %s a %s, relay only: %j, uses %j", (relay, purpose, isRelayOnly, ways) => {
  expect(meetingWays(relay, purpose, isRelayOnly)).toEqual(ways);
});
