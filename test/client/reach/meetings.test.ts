import { describe, expect, test } from "bun:test";

import type { Race, UnreachableReason } from "../../../src/client/peer/dial.ts";
import { checkedGo, Meetings, meetingWays, type MeetingsNeeds } from "../../../src/client/reach/meetings.ts";
import { RefusedError, ServerError } from "../../../src/client/rendezvous/server-errors.ts";

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

test("a private address is dialled only where the server is on a private network", () => {
  for (const ip of ["192.168.1.7", "10.0.0.7", "100.64.0.7"]) {
    const go = { ...GO, ip };
    expect(checkedGo(go, OWN, "203.0.113.1")).toEqual({ family: 4, ...times });
    expect(checkedGo(go, OWN)).toEqual({ family: 4, ...times });
    expect(checkedGo(go, OWN, "192.168.1.1")).toMatchObject({ ip, port: GO.port });
  }
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

/** Why somebody is not reached whose addresses fail like this, where the server refuses to let us meet them. */
async function unmet(dialled: UnreachableReason, refusal: Error, hasMeetingPort = true, ...next: Error[]) {
  const clock = { monotonic: () => 0, after: (_: number, run: () => void) => queueMicrotask(run) };
  const refusals = [refusal, ...next];
  const link = () => ({
    request: () => Promise.reject(refusals.length > 1 ? refusals.shift() : refusals[0]),
  });
  const needs = { clock, link, hasMeetingPort: () => hasMeetingPort } as unknown as MeetingsNeeds;
  const meetings = new Meetings(needs);
  const race = { isGreeted: false, keyFailure: undefined, record: { username: "benito" } };
  const signal = new AbortController().signal;
  const reason = await meetings.meet(race as unknown as Race, false, Promise.resolve(dialled), signal);
  return [reason, meetings.limitedFor];
}

const refused = (code: string, retryAfter?: number) => new RefusedError(code, "", retryAfter);

describe("who is not met", () => {
  test.each([
    ["no_meeting", "no_meeting"],
    ["unknown_action", "no_meeting"],
    ["cannot_meet", "cannot_meet"],
    ["user_offline", "offline"],
    ["not_known_here", "unreachable"],
  ] as const)("because of %s is not reached because of %s", async (code, reason) => {
    expect(await unmet("unreachable", refused(code))).toEqual([reason, 0]);
  });

  test("because there were too many attempts is met again after the time that the server names", async () => {
    expect(await unmet("no_answer", refused("rate_limited", 12))).toEqual(["server_limits", 12_000]);
  });

  test("who has just come online is asked for again", async () => {
    const [first, second] = [refused("cannot_meet"), refused("user_offline")];
    expect(await unmet("no_answer", first, true, second)).toEqual(["offline", 0]);
  });

  test("because of the server is not reached for what the dials say, or for want of a meeting port", async () => {
    const lost = new ServerError("server_unreachable");
    expect(await unmet("no_answer", lost)).toEqual(["no_answer", 0]);
    expect(await unmet("no_relay", lost, false)).toEqual(["no_meeting", 0]);
  });

  test("is not reached for what an address has said, if one has answered", async () => {
    for (const reason of ["not_proven", "not_in_date", "not_admitted", "revoked"] as const)
      expect(await unmet(reason, refused("cannot_meet"))).toEqual([reason, 0]);
  });
});
