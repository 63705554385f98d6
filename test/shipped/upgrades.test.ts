/**
 * Servers and clients of an earlier commit with those of this one, in each combination, and their files. The earlier one
 * is the first that proves its key at login; those before it are refused.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sourceAt, Someone, startServer, THIS_SOURCE, type Programs } from "./programs.ts";

const EARLIER = "46f2e47fa88d";
const ROOT = join(import.meta.dir, "../..");

const git = (...args: readonly string[]) => Bun.spawnSync(["git", "-C", ROOT, ...args], { stderr: "ignore" });
const isThere = git("cat-file", "-e", `${EARLIER}^{commit}`).success;
if (!isThere) console.warn(`upgrades are not tested: this clone's history lacks ${EARLIER}`);

let folder = "";
let old: Programs;

beforeAll(() => {
  if (!isThere) return;
  folder = mkdtempSync(join(tmpdir(), "paloma-upgrades-"));
  const unpacked = Bun.spawnSync(["tar", "-x", "-C", folder], {
    stdin: git("archive", EARLIER, "client.ts", "server.ts", "package.json", "tsconfig.json", "src").stdout,
  });
  expect(unpacked.success).toBe(true);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  old = sourceAt("old", folder);
});

afterAll(() => {
  if (isThere) rmSync(folder, { recursive: true, force: true });
});

const sentence = (text: string) => text.trim().replace(/^\{.*"message":"([^"]+)".*\}$/s, "$1");

test.if(isThere)("each combination of a server and two clients carries texts both ways", async () => {
  const rows: object[] = [];
  // Texts go both ways: it does not matter which of the two is the old one.
  for (const number of [1, 2, 3, 6]) {
    const pick = (bit: number) => ((number >> bit) & 1 ? old : THIS_SOURCE);
    const [server, hers, his] = [pick(0), pick(1), pick(2)];
    const place = mkdtempSync(join(folder, "company-"));
    const running = await startServer(server, place);
    const ana = new Someone("ana", hers, place, running.tlsPort);
    const benito = new Someone("benito", his, place, running.tlsPort);
    for (const each of [ana, benito]) expect(await each.run("register")).toMatchObject({ code: 0 });
    const ways: string[] = [];
    for (const [from, to] of [
      [ana, benito],
      [benito, ana],
    ] as const) {
      const listening = await to.listen();
      const text = `from ${from.name}, ${number}`;
      expect(await from.run("send", to.name, text)).toMatchObject({ code: 0 });
      await listening.event({ event: "message", from: from.name, text });
      expect((await listening.stop()).code).toBe(0);
      ways.push(`${from.name} → ${to.name}`);
    }
    rows.push({ server: server.name, ana: hers.name, benito: his.name, texts: ways.join(", ") });
    await running.end();
  }
  console.table(rows);
});

test.if(isThere)("what an earlier client cannot do is said in a sentence", async () => {
  const place = mkdtempSync(join(folder, "company-"));
  const running = await startServer(THIS_SOURCE, place);
  const ana = new Someone("ana", THIS_SOURCE, place, running.tlsPort);
  const benito = new Someone("benito", old, place, running.tlsPort);
  for (const each of [ana, benito]) expect(await each.run("register")).toMatchObject({ code: 0 });
  const listening = await benito.listen();
  expect((await ana.run("send", "benito", "hola")).code).toBe(0);
  const file = join(place, "file.txt");
  writeFileSync(file, "file");
  const sent = await ana.run("send-file", "benito", file);
  expect(sent).toMatchObject({ code: 4 });
  expect(sent.stdout).toContain('"not_supported"');
  expect((await ana.run("group", "new", "#Clase")).code).toBe(0);
  const added = await ana.run("group", "add", "#Clase", "benito");
  expect(added).toMatchObject({ code: 4 });
  expect(added.stdout).toContain('"not_supported"');
  expect((await listening.stop()).code).toBe(0);
  await running.end();
});

test.if(isThere)(
  "an earlier program refuses the files of this one in a sentence, and takes nothing from them",
  async () => {
    const place = mkdtempSync(join(folder, "company-"));
    const running = await startServer(THIS_SOURCE, place);
    const ana = new Someone("ana", THIS_SOURCE, place, running.tlsPort);
    expect(await ana.run("register")).toMatchObject({ code: 0 });
    const earlier = await new Someone("ana", old, place, running.tlsPort).run("users");
    expect(earlier.code).toBe(1);
    expect(sentence(earlier.stdout + earlier.stderr)).toMatch(/newer/);
    expect(await ana.run("users")).toMatchObject({ code: 0 });
    await running.end();
  },
);

test.if(isThere)("a profile and a server of the earlier commit go on under this one", async () => {
  const place = mkdtempSync(join(folder, "company-"));
  const before = await startServer(old, place);
  const people = (programs: Programs, port: number) =>
    [new Someone("ana", programs, place, port), new Someone("benito", programs, place, port)] as const;
  const [oldAna, oldBenito] = people(old, before.tlsPort);
  for (const each of [oldAna, oldBenito]) expect(await each.run("register")).toMatchObject({ code: 0 });
  const listening = await oldBenito.listen();
  expect((await oldAna.run("send", "benito", "before")).code).toBe(0);
  await listening.stop();
  await before.end();
  const after = await startServer(THIS_SOURCE, place);
  const [ana, benito] = people(THIS_SOURCE, after.tlsPort);
  const online = await benito.listen();
  expect((await ana.run("send", "benito", "after")).code).toBe(0);
  await online.event({ event: "message", from: "ana", text: "after" });
  await online.stop();
  const { stdout } = await benito.run("history", "ana");
  expect(stdout).toContain('"before"');
  expect(stdout).toContain('"after"');
  await after.end();
});
