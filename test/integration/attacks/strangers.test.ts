/**
 * Strangers who want to fill one person's disk and port, and to keep that person's friends out. How long her friends wait
 * meanwhile is for the bench.
 */
import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { MAX_NEW_REQUESTS, MAX_REQUEST } from "../../../src/client/conversation/consent.ts";
import { MAX_STRANGERS } from "../../../src/client/peer/admission.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { Company, expectServed, until } from "../messenger-pair.ts";
import { besiege } from "../strangers.ts";

/** Eight of each kind. */
const STRANGERS = 64;
/** What a stored text takes at most besides its own bytes, with its part of the indices. */
const ROW = 2_048;
/** The journal beside the profile is of this size at most. */
const JOURNAL = 5 * 1024 * 1024;
/** Memory of this process, with both friends, the server and the test. */
const MEMORY = 256 * 1024 * 1024;

const cleanups = cleanupsForEachTest();

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

test("strangers who do their worst leave a few requests and nothing else, and friends chat on", async () => {
  const company = await Company.meetFor(cleanups);
  const ana = await company.person("ana", { who: "requests" });
  const bob = await company.person("bob", { who: "requests" });
  ana.accept("bob");
  ana.accept("carla");
  bob.accept("ana");
  const [disk, memory] = [bytesIn(ana.profile.folder), process.memoryUsage.rss()];
  let isOver = false;
  const siege = besiege(company, { port: ana.port, strangers: STRANGERS, duration: 0 });
  void siege.then(() => (isOver = true));
  let lines = 0;
  while (!isOver) {
    const text = `line ${++lines}`;
    bob.messenger.outbox.send("ana", text);
    await until(() => ana.texts("bob").at(-1) === text);
    ana.messenger.outbox.send("bob", text);
    await until(() => bob.texts("ana").at(-1) === text);
  }
  const { came, greeted } = await siege;
  expect(came).toBe(STRANGERS);
  expect(greeted).toBeWithin(1, MAX_STRANGERS + 1);
  expect(ana.texts()).toHaveLength(lines);
  // The last ones may be told a moment later: once they are on the disk.
  await ana.messenger.outbox.committed();
  const requests = new Set(ana.of("request").map(({ from }) => from));
  expect(requests.size).toBeWithin(1, MAX_NEW_REQUESTS + 1);
  expect(ana.profile.consents.requests()).toHaveLength(requests.size);
  expect(ana.profile.contacts.all()).toHaveLength(requests.size + 2);
  expect(ana.of("connected").map(({ username }) => username)).toEqual(["bob"]);
  expect(ana.of("keyPending")).toEqual([]);
  const rows = requests.size * (MAX_REQUEST.texts + MAX_REQUEST.actions) + 2 * lines;
  const most = requests.size * MAX_REQUEST.bytes + rows * ROW + JOURNAL;
  expect(bytesIn(ana.profile.folder) - disk).toBeLessThan(most);
  expect(process.memoryUsage.rss() - memory).toBeLessThan(MEMORY);
  // They have used up the lookups of strangers, and a friend comes with a key that was never seen.
  await expectServed(ana, company.identity("carla"));
});
