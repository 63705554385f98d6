import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { Person } from "./cli-process.ts";
import { SharedWorld } from "./sharing-faces.ts";
import { fillDisk, mountSmallDisk } from "./small-disk.ts";

setDefaultTimeout(90_000);

/** Longer than a socket's path may be (BUN 13). */
const LONG = "a".repeat(110);

const cleanups = cleanupsForEachTest();
const world = new SharedWorld();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
  await (await world.loggedIn("beto", port)).listen();
});
afterAll(() => world.close());

function socketOf(person: Person): string {
  return join(person.profileFolder, "online");
}

/** What runs in this process has this one of the two folders until the test ends. */
function withFolder(variable: "XDG_RUNTIME_DIR" | "TMPDIR", folder: string): void {
  for (const name of ["XDG_RUNTIME_DIR", "TMPDIR"]) {
    const before = process.env[name];
    delete process.env[name];
    cleanups.push(() => {
      delete process.env[name];
      if (before !== undefined) process.env[name] = before;
    });
  }
  process.env[variable] = folder;
}

/** The account goes online, and another command uses it there. */
async function expectShared(ana: Person): Promise<void> {
  const serving = await ana.listen();
  const sent = await ana.run(["send", "beto", "hello"]);
  expect([sent.code, sent.stderr]).toEqual([0, "✓✓ received by beto\n"]);
  // `listen` reports what others send through it.
  await serving.event({ event: "delivery", to: "beto", state: "received" });
  expect((await serving.stop()).code).toBe(0);
}

test("the socket is beside the profile, for this user only, and goes with the process", async () => {
  const ana = await world.loggedIn("ana.mode", port);
  const serving = await ana.listenApart();
  const found = lstatSync(socketOf(ana));
  expect(found.isSocket()).toBe(true);
  expect(found.mode & 0o777).toBe(0o600);
  await serving.stop();
  expect(existsSync(socketOf(ana))).toBe(false);
});

test("a socket that was deleted is made again", async () => {
  const ana = await world.loggedIn("ana.deleted", port);
  const serving = await ana.listen();
  rmSync(socketOf(ana));
  expect((await ana.run(["send", "beto", "hello"])).code).toBe(0);
  await serving.event({ event: "delivery", to: "beto", state: "received" });
  await serving.stop();
});

test("a socket that was left by a crash is replaced", async () => {
  const ana = await world.loggedIn("ana.stale", port);
  const crashed = await ana.listenApart();
  crashed.signal("SIGKILL");
  await crashed.ended;
  expect(lstatSync(socketOf(ana)).isSocket()).toBe(true);
  await expectShared(ana);
});

test.each(["file", "folder", "symlink"] as const)("a %s in its place is left alone", async (kind) => {
  const ana = await world.loggedIn(`ana.${kind}`, port);
  const path = socketOf(ana);
  const target = join(ana.data, "target");
  if (kind === "file") writeFileSync(path, "mine");
  else if (kind === "folder") mkdirSync(path);
  else symlinkSync(target, path);
  const before = lstatSync(path);
  withFolder("TMPDIR", mkdtempSync(join(world.folder, "tmp-")));
  await expectShared(ana);
  expect(lstatSync(path).ino).toBe(before.ino);
  expect(existsSync(target)).toBe(false);
});

test("a link in its place to the socket of another program is not followed", async () => {
  const ana = await world.loggedIn("ana.linked", port);
  const other = join(world.folder, "other");
  let connections = 0;
  const listener = createServer(() => connections++).listen(other);
  await once(listener, "listening");
  symlinkSync(other, socketOf(ana));
  withFolder("TMPDIR", mkdtempSync(join(world.folder, "tmp-")));
  await expectShared(ana);
  expect(connections).toBe(0);
  listener.close();
});

test("where the path is too long, the socket is in the folder for the run time, else in the temporary one", async () => {
  const ana = await world.loggedIn("ana.long", port);
  const long = join(world.folder, LONG);
  renameSync(ana.data, long);
  const moved = new Person(world, ana.name, long, ana.server);
  for (const variable of ["XDG_RUNTIME_DIR", "TMPDIR"] as const) {
    const folder = mkdtempSync(join(world.folder, "run-"));
    withFolder(variable, folder);
    const serving = await moved.listen();
    const own = variable === "TMPDIR" ? `paloma-${process.getuid?.()}` : "paloma";
    expect(lstatSync(join(folder, own)).mode & 0o777).toBe(0o700);
    expect(existsSync(socketOf(moved))).toBe(false);
    expect(lstatSync(join(folder, own, nameFor(moved.profileFolder))).isSocket()).toBe(true);
    expect((await moved.run(["send", "beto", "far"])).code).toBe(0);
    await serving.event({ event: "delivery", state: "received" });
    await serving.stop();
    if (variable === "XDG_RUNTIME_DIR") continue;
    // A folder that others may enter is not used, nor is one of somebody else.
    const spoil = [() => chmodSync(join(folder, own), 0o755), () => chownSync(join(folder, own), 12_345, 0)];
    for (const [index, change] of (process.getuid?.() === 0 ? spoil : spoil.slice(0, 1)).entries()) {
      rmSync(join(folder, own), { recursive: true });
      mkdirSync(join(folder, own), { mode: 0o700 });
      change();
      const trap = await listeningTrap(join(folder, own), moved.profileFolder);
      const result = await moved.run(["users"]);
      expect([index, result.code, trap.connections]).toEqual([index, 0, 0]);
      trap.close();
    }
  }
});

test("a profile's folder that others may enter is closed to them", async () => {
  const ana = await world.loggedIn("ana.open", port);
  chmodSync(ana.profileFolder, 0o755);
  await expectShared(ana);
  expect(lstatSync(ana.profileFolder).mode & 0o777).toBe(0o700);
});

test("on a full disk a command fails beside another process as it does alone", async () => {
  const folder = mkdtempSync(join(world.folder, "disk-"));
  const unmount = mountSmallDisk(folder, 4_096);
  if (unmount === undefined) return;
  try {
    const ana = await world.loggedIn("ana.full", port, folder);
    const serving = await ana.listen();
    fillDisk(join(folder, "filler"));
    const beside = await ana.run(["send", "beto", "no room"]);
    expect([beside.code, beside.stderr]).toEqual([1, expect.stringContaining("SQLITE_FULL")]);
    expect((await ana.run(["users"])).stdout).toContain("beto");
    rmSync(join(folder, "filler"));
    expect((await ana.run(["send", "beto", "room again"])).code).toBe(0);
    await serving.stop();
    expect((await ana.states("beto")).map(([text]) => text)).toEqual(["room again"]);
    fillDisk(join(folder, "filler"));
    expect((await ana.run(["send", "beto", "no room"])).code).toBe(beside.code);
  } finally {
    unmount();
  }
});

/** The name of this account's socket in a folder for many. */
function nameFor(profileFolder: string): string {
  return new Bun.CryptoHasher("sha256").update(profileFolder).digest("hex").slice(0, 32);
}

/** A program that listens where the socket of the account would be. */
async function listeningTrap(
  folder: string,
  profileFolder: string,
): Promise<{ readonly connections: number; close(): void }> {
  const trap = {
    connections: 0,
    close: () => server.close(),
  };
  const server = createServer(() => trap.connections++);
  const listening = Promise.withResolvers<void>();
  server.listen(join(folder, nameFor(profileFolder)), () => listening.resolve());
  await listening.promise;
  return trap;
}
