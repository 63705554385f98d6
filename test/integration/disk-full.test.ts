/**
 * Disks that are really full: small file systems in memory, filled up while a conversation goes on. The
 * one who could not store says so to both sides, nobody is told that something was delivered, and when
 * there is space again nothing is missing.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { PASSWORD, World, type Person } from "./cli-process.ts";
import { fillDisk, mountSmallDisk } from "./small-disk.ts";

let world: World;
let port: number;
const mounted: (() => void)[] = [];

beforeAll(async () => {
  world = new World();
  port = (await world.server()).tlsPort;
});

afterAll(async () => {
  // Out of the tree at once, and gone when the last process that uses it has ended.
  for (const unmount of mounted) unmount();
  await world.close();
});

/** A person whose files are on a disk of their own; undefined where nobody may mount one. */
async function onSmallDisk(name: string, kibibytes: number): Promise<Person | undefined> {
  const person = world.person(name, port);
  mkdirSync(person.data, { recursive: true, mode: 0o700 });
  const unmount = mountSmallDisk(person.data, kibibytes);
  if (unmount === undefined) return undefined;
  mounted.push(unmount);
  await person.register();
  return person;
}

const FILLER = "filler";
/** Bytes left free: less than 1 % of the disk, and more than a short text needs. */
const LEFT = 32 * 1024;
function makeSpace(person: Person): void {
  rmSync(join(person.data, FILLER));
}

const TEXT = "x".repeat(20_000);

test("who cannot store a message acknowledges nothing, both sides say why, and it arrives when there is space", async () => {
  const bob = await onSmallDisk("bob.small", 4_096);
  if (bob === undefined) return;
  const ana = world.person("ana.sends", port);
  await ana.register();
  const listening = await bob.listen(PASSWORD);
  const first = await ana.json(["send", bob.name, "before"], { password: PASSWORD });
  expect(first.code).toBe(0);

  // A short text would find room, but nobody else's may take the last of it.
  fillDisk(join(bob.data, FILLER), LEFT);
  // The disk is asked once a second, so some may still arrive.
  let failed: Awaited<ReturnType<Person["json"]>> | undefined;
  let arrived = 0;
  while (failed === undefined && arrived < 100) {
    const sent = await ana.json(["--timeout", "4", "send", bob.name, `${arrived}`]);
    if (sent.code === 0) arrived++;
    else failed = sent;
  }
  expect(failed?.code).toBe(5);
  expect(failed?.events.some(({ state }) => state === "received")).toBe(false);
  expect(failed?.stderr).toMatch(/disk/i);
  await listening.event({ event: "error", code: "storage_failed" });
  const inBetween = await ana.states(bob.name);
  expect(inBetween.at(-1)?.[1]).toBe("sent");

  makeSpace(bob);
  const after = await ana.json(["send", bob.name, "after"]);
  expect(after.code).toBe(0);
  const stored = (await bob.list(["history", ana.name])).map(({ text }) => text);
  const between = Array.from({ length: arrived + 1 }, (_, index) => `${index}`);
  expect(stored).toEqual(["before", ...between, "after"]);
  expect((await ana.states(bob.name)).every(([, state]) => state === "received")).toBe(true);
  await listening.stop();
}, 60_000);

test("what could not be queued is told as not queued, and what was queued before leaves when there is space", async () => {
  const ana = await onSmallDisk("ana.small", 4_096);
  if (ana === undefined) return;
  const bob = world.person("bob.waits", port);
  await bob.register();
  expect((await ana.json(["users"], { password: PASSWORD })).code).toBe(0);
  const queued = await ana.json(["send", "--wait", "queued", bob.name, "queued while there was space"]);
  expect(queued.code).toBe(0);

  fillDisk(join(ana.data, FILLER));
  let refused: Awaited<ReturnType<Person["json"]>> | undefined;
  let kept = 0;
  while (refused === undefined && kept < 400) {
    const sent = await ana.json(["send", "--wait", "queued", bob.name, `${kept} ${TEXT}`]);
    if (sent.code === 0) kept++;
    else refused = sent;
  }
  expect(refused?.code).toBe(1);
  expect(refused?.events.at(-1)).toMatchObject({ event: "error", code: "disk" });
  expect(refused?.events.some(({ event }) => event === "delivery")).toBe(false);

  makeSpace(ana);
  const listening = await bob.listen(PASSWORD);
  expect((await ana.json(["send", bob.name, "after"])).code).toBe(0);
  const texts = (await bob.list(["history", ana.name])).map(({ text }) => text);
  expect(texts).toEqual([
    "queued while there was space",
    ...Array.from({ length: kept }, (_, index) => `${index} ${TEXT}`),
    "after",
  ]);
  await listening.stop();
}, 60_000);
