/** Files between two messengers that have no direct way, and to a disk that is full. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { cleanupsForEachTest } from "../integration/cleanups-for-each-test.ts";
import { together } from "../integration/group-people.ts";
import { Company, until, untilQuiet, type Person } from "../integration/messenger-pair.ts";
import { fillDisk, mountSmallDisk } from "../integration/small-disk.ts";

const cleanups = cleanupsForEachTest();
const MEETING = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };
const MIB = 1024 * 1024;

function lastOf({ events }: Person) {
  return events.findLast((event) => event.name === "file")?.file;
}

test("with --relay only the bytes go through the relay, whoever sends; with never they stop", async () => {
  const company = await Company.meet({ meeting: MEETING });
  cleanups.push(() => company.close());
  const ana = await company.person("ana", { relay: "only" });
  const bob = await company.person("bob");
  ana.accept("bob");
  bob.accept("ana");
  const content = Buffer.alloc(2 * MIB + 3, 7);
  const path = join(company.folder, "a file");
  writeFileSync(path, content);
  for (const [from, to] of [
    [ana, bob],
    [bob, ana],
  ] as const) {
    const folder = join(company.folder, `to-${to.name}`);
    mkdirSync(folder);
    to.messenger.files.alwaysAccept(from.name, { most: undefined, folder });
    await from.messenger.files.send(to.name, { path, name: undefined, wantsSha256: false, id: undefined });
    await until(() => lastOf(from)?.state === "done" && lastOf(to)?.state === "done");
    expect(readFileSync(join(folder, "a file")).equals(content)).toBe(true);
    expect(to.messenger.linkPresence(from.name)?.way).toBe("relayed");
    // Nobody was dialled.
    expect(bob.events.some((event) => event.name === "refusal")).toBe(false);
  }
  bob.messenger.reach.useRelay("never");
  await ana.messenger.files.send("bob", { path, name: undefined, wantsSha256: false, id: undefined });
  await until(() => bob.messenger.linkPresence("ana")?.isConnected === false);
  expect(lastOf(ana)?.state).toBe("offered");
});

test("files of a group go through the relay, too, to and from who is hidden", async () => {
  const company = await Company.meet({ meeting: MEETING });
  cleanups.push(() => company.close());
  const [ana, bob] = [await company.person("ana", { relay: "only" }), await company.person("bob")];
  const group = await together(ana, bob);
  const content = Buffer.alloc(2 * MIB + 3, 7);
  const path = join(company.folder, "a file");
  writeFileSync(path, content);
  for (const [from, to] of [
    [ana, bob],
    [bob, ana],
  ] as const) {
    await from.messenger.groupFiles.send(group, path, `by-${from.name}`, undefined);
    await until(() => lastOf(to)?.state === "offered");
    await to.messenger.files.accept(lastOf(to)?.id ?? "", company.folder, false);
    await until(() => lastOf(to)?.state === "done");
    expect(readFileSync(join(company.folder, `by-${from.name}`)).equals(content)).toBe(true);
    expect(bob.events.some((event) => event.name === "refusal")).toBe(false);
  }
});

test("a full disk pauses a transfer on both sides, with the reason, until there is room", async () => {
  const company = await Company.meetFor(cleanups);
  const [ana, bob] = [await company.person("ana"), await company.person("bob")];
  ana.accept("bob");
  bob.accept("ana");
  const folder = join(company.folder, "small");
  mkdirSync(folder);
  const unmount = mountSmallDisk(folder, 16 * 1024);
  if (unmount === undefined) return;
  cleanups.push(unmount);
  const content = Buffer.alloc(8 * MIB, 3);
  const path = join(company.folder, "eight");
  writeFileSync(path, content);
  const {
    file: { id },
  } = await ana.messenger.files.send("bob", {
    path,
    name: undefined,
    wantsSha256: false,
    id: undefined,
  });
  await until(() => lastOf(bob)?.state === "offered");
  await bob.messenger.files.accept(id, folder, false);
  fillDisk(join(folder, "filler"));
  await until(() => lastOf(ana)?.reason === "no_space" && lastOf(bob)?.reason === "no_space");
  expect([lastOf(ana)?.state, lastOf(bob)?.state]).toEqual(["paused", "paused"]);
  // There is no room for another one.
  const { file: second } = await ana.messenger.files.send("bob", {
    path,
    name: "x",
    wantsSha256: false,
    id: undefined,
  });
  await until(() => lastOf(bob)?.id === second.id);
  await expect(bob.messenger.files.accept(second.id, folder, false)).rejects.toThrow("no_space");
  rmSync(join(folder, "filler"));
  await untilQuiet(() => ana.messenger.files.list()[0]?.state === "done");
  expect(readFileSync(join(folder, "eight")).equals(content)).toBe(true);
});
