/** The index of the search while processes make it, are killed, and make it at the same time. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { setImmediate } from "node:timers/promises";

import { profileFile } from "../../src/client/disk/folders.ts";
import { MessageScene } from "../client/message-scene.ts";

import { World } from "./cli-process.ts";

setDefaultTimeout(60_000);

const MESSAGES = 40_000;

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

test("a search that is killed while it indexes is continued by two at once, which find everything", async () => {
  const ana = world.person("ana", port);
  await ana.register();
  const scene = new MessageScene(ana.profileFolder);
  const beto = scene.contacts.ensure("beto");
  scene.database.run(
    `INSERT INTO messages (contact, outgoing, id, text, received_at, state)
     SELECT ?1, 0, value, iif(value % 20000 = 0, 'Die Straße ', 'øre ') || value || ' 上海', 1, 2
     FROM (WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers LIMIT ?2) SELECT value FROM numbers)`,
    [beto.id, MESSAGES],
  );
  scene.database.close();
  const reader = new Database(profileFile(ana.profileFolder), { readonly: true });
  const progress = () => reader.query<{ seq: number }, []>("SELECT seq FROM search_progress").get()?.seq ?? 0;
  const killed = ana.startApart(["search", "STRASSE"]);
  while (progress() === 0) await setImmediate();
  killed.signal("SIGKILL");
  await killed.ended;
  expect(progress()).toBeLessThan(MESSAGES);
  reader.close();
  const both = await Promise.all([0, 1].map(() => ana.startApart(["--json", "search", "STRASSE 海"]).ended));
  for (const { code, stdout } of both) {
    expect(code).toBe(0);
    expect(stdout.match(/Die Straße \d+/g)).toEqual(["Die Straße 20000", "Die Straße 40000"]);
  }
  const after = new MessageScene(ana.profileFolder);
  expect(after.search.isBehind).toBe(false);
  after.checkIndex();
  after.database.close();
});
