/**
 * 200 strangers, each of a network of their own, who want to fill one person's disk and port, and to keep that person's
 * friend out.
 */
import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { MAX_NEW_REQUESTS, MAX_REQUEST } from "../../../src/client/conversation/consent.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { Company, expectServed } from "../messenger-pair.ts";
import { besiege } from "../strangers.ts";

/** What a stored text takes at most besides its own bytes, with its part of the indices. */
const ROW = 2_048;
/** The journal beside the profile is of this size at most. */
const JOURNAL = 5 * 1024 * 1024;

const cleanups = cleanupsForEachTest();

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

test("200 strangers who do their worst leave a few requests, and friends chat on", async () => {
  const company = await Company.meetFor(cleanups);
  const ana = await company.person("ana", { who: "requests" });
  const bob = await company.person("bob", { who: "requests" });
  ana.accept("bob");
  ana.accept("carla");
  bob.accept("ana");
  const before = bytesIn(ana.profile.folder);
  const { trips, came, greeted } = await besiege(company, [ana, bob], { strangers: 200, duration: 0 });
  expect(came).toBe(200);
  expect(greeted).toBeGreaterThan(0);
  expect(ana.texts("bob").length + bob.texts("ana").length).toBe(trips.length);
  expect(ana.texts()).toEqual(ana.texts("bob"));
  const requests = new Set(ana.of("request").map(({ from }) => from));
  expect(requests.size).toBeWithin(1, MAX_NEW_REQUESTS + 1);
  expect(ana.profile.contacts.all()).toHaveLength(requests.size + 2);
  const texts = requests.size * (MAX_REQUEST.texts + MAX_REQUEST.actions) + trips.length;
  const growth = bytesIn(ana.profile.folder) - before;
  expect(growth).toBeLessThan(requests.size * MAX_REQUEST.bytes + texts * ROW + JOURNAL);
  expect(ana.of("connected").map(({ username }) => username)).toEqual(["bob"]);
  // Those who stayed leave room for a friend.
  await expectServed(ana, company.identity("carla"));
});
