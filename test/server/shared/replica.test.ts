import { beforeEach, expect, test } from "bun:test";

import type { OnlineUser, OwnUser } from "../../../src/server/presence/online-user.ts";
import { Presence } from "../../../src/server/presence/presence.ts";
import { Claims, OwnSeats, type Claim } from "../../../src/server/presence/seats.ts";
import { restOf } from "../../../src/server/shared/record.ts";
import { Replica, type OwnSeat } from "../../../src/server/shared/replica.ts";
import { FakeUser } from "../presence/fake-users.ts";

let presence: Presence<OnlineUser, OwnUser>;
let own: Map<string, OwnSeat>;
let told: string[];
let replica: Replica;
const claims = new Claims();
const seats = new Map<Claim, OwnSeat>();

beforeEach(() => {
  presence = new Presence();
  own = new Map();
  told = [];
  replica = new Replica("me", {
    presence,
    claims,
    own,
    seatOf: (claim) => seats.get(claim),
    node: (name) => ({ name, push: (sid) => told.push(`push ${sid}`) }),
    moved: (fold) => told.push(`moved ${fold}`),
    changed: ({ fold }) => told.push(`changed ${fold}`),
    gone: ({ fold }) => told.push(`gone ${fold}`),
    replaced: ({ sid }) => told.push(`replaced ${sid}`),
    unknown: (fold, sid) => told.push(`unknown ${fold} ${sid}`),
    revoked: (json) => told.push(`revoked ${json}`),
  });
});

/** The record of somebody with this owner; their addresses, if any. */
function record(owner: string, fold: string, addresses = ""): string {
  const { user } = new FakeUser(new OwnSeats(presence, () => undefined), fold);
  const [node, sid] = owner.split(":");
  return [node, sid, "f".repeat(64), restOf({ ...user, addresses })].join("\t");
}

function seat(sid: string, fold: string): FakeUser {
  const person = new FakeUser(new OwnSeats(presence, () => undefined), fold);
  const made: OwnSeat = { claim: person.claim, sid, user: person.user, isEntered: true, isSeen: false };
  claims.add(person.claim);
  seats.set(person.claim, made);
  own.set(sid, made);
  return person;
}

test("somebody at another node comes, moves and goes, and only the owner's leaving counts", () => {
  replica.apply({ name: "on", fold: "ana", record: record("n1:1", "ana"), was: "" });
  expect(presence.find("ana")?.addresses).toBe("");
  const moved = record("n1:1", "ana", "192.0.2.7");
  replica.apply({ name: "on", fold: "ana", record: moved, was: "n1:1" });
  expect(presence.find("ana")?.addresses).toBe("192.0.2.7");
  replica.apply({ name: "off", fold: "ana", was: "n2:1" });
  expect(presence.find("ana")).toBeDefined();
  replica.apply({ name: "off", fold: "ana", was: "n1:1" });
  expect(presence.find("ana")).toBeUndefined();
  expect(told).toEqual(["changed ana", "moved ana", "gone ana"]);
});

test("a session of this node is replaced by who comes after it, and not by who was there before", () => {
  const { user } = seat("7", "beto");
  replica.apply({ name: "on", fold: "beto", record: record("n1:1", "beto"), was: "" });
  expect(told).toEqual([]);
  replica.apply({ name: "on", fold: "beto", record: record("me:7", "beto"), was: "n1:1" });
  expect(presence.find("beto")).toBe(user);
  replica.apply({ name: "on", fold: "beto", record: record("n2:4", "beto"), was: "" });
  expect(told).toContain("replaced 7");
});

test("a session of this node whose coming and whose successor were both missed is replaced by a snapshot", () => {
  seat("3", "gema");
  replica.begin();
  replica.is("gema", record("n2:8", "gema"));
  expect(told).toEqual(["replaced 3"]);
});

test("a login of this node that came too late is taken back, and whom it displaced is gone", () => {
  replica.apply({ name: "on", fold: "carla", record: record("n1:1", "carla"), was: "" });
  replica.apply({ name: "on", fold: "carla", record: record("me:99", "carla"), was: "n1:1" });
  expect(presence.find("carla")).toBeUndefined();
  expect(told).toEqual(["gone carla", "unknown carla 99"]);
});

test("after a snapshot nobody is left whom it lacks, but for the sessions of this node, which enter again", () => {
  const kept = seat("1", "dora");
  const replaced = seat("2", "elsa");
  for (const [fold, sid] of [
    ["dora", "1"],
    ["elsa", "2"],
  ] as const) {
    replica.apply({ name: "on", fold, record: record(`me:${sid}`, fold), was: "" });
  }
  replica.apply({ name: "on", fold: "felix", record: record("n1:1", "felix"), was: "" });
  // Its successor came and went while news were lost.
  own.delete("2");
  seats.delete(replaced.claim);
  expect(replica.only(new Set())).toEqual([own.get("1") as OwnSeat]);
  expect(presence.all()).toEqual([kept.user]);
});
