/** Who has a place at the relay, and what a user has left of a day. */
import { expect, test } from "bun:test";

import { DEFAULT_RELAY_LIMITS, type RelayLimits } from "../../../src/server/limits/limits.ts";
import { Relay, type RelayPlace } from "../../../src/server/meeting/relay.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";

function relayWith(limits: Partial<RelayLimits> = {}): Relay {
  return new Relay({ ...DEFAULT_RELAY_LIMITS, ...limits }, new Metrics(), () => 0);
}

let user = 0;
/** A place for two who have none, at networks that nobody else uses. */
function place(more: Partial<RelayPlace> = {}): RelayPlace {
  const users = [++user, ++user] as const;
  const networks = new Set(users.map((each) => `network ${each}`));
  return { users, askedByStranger: undefined, networks, purpose: "chat", ...more };
}

/** How many of 300 such places there are. */
function admitted(relay: Relay, more: () => Partial<RelayPlace>): number {
  return Array.from({ length: 300 }, () => relay.admit(place(more()))).filter(Boolean).length;
}

test("there are so many pairs in all, of a network and of a user, and of these two of streams", () => {
  expect(admitted(relayWith(), () => ({}))).toBe(256);
  expect(admitted(relayWith({ pairs: 0 }), () => ({}))).toBe(0);
  expect(admitted(relayWith(), () => ({ networks: new Set(["192.0.2.1", `other ${++user}`]) }))).toBe(32);
  expect(admitted(relayWith(), () => ({ users: [1, ++user] }))).toBe(8);
  const relay = relayWith();
  expect(admitted(relay, () => ({ users: [++user, 2], purpose: "stream" }))).toBe(2);
  expect(admitted(relay, () => ({ users: [2, ++user] }))).toBe(6);
});

test("those whom a user does not know have half of its places, also once they have left and come again", () => {
  const relay = relayWith();
  const ofStranger = () => place({ users: [++user, 1], askedByStranger: 1 });
  const places = Array.from({ length: 8 }, ofStranger);
  expect(places.filter((each) => relay.admit(each))).toEqual(places.slice(0, 4));
  expect(admitted(relay, () => ({ users: [1, ++user] }))).toBe(4);
  relay.release(places[0] as RelayPlace);
  expect(relay.admit(ofStranger())).toBe(true);
  expect(relay.admit(ofStranger())).toBe(false);
});

test("a place that is released, even twice, is free once", () => {
  const relay = relayWith({ pairs: 1 });
  const [first, second] = [place(), place()];
  expect(relay.admit(first)).toBe(true);
  expect(relay.admit(second)).toBe(false);
  relay.release(first);
  relay.release(first);
  expect(relay.admit(second)).toBe(true);
  expect(relay.admit(first)).toBe(false);
});
