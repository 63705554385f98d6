/** Files through `daemon`, as programs ask for them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { PASSWORD, World, type Person } from "./cli-process.ts";
import { DaemonHere } from "./daemon-process.ts";

let world: World;
let ana: Person;
let bob: Person;

beforeAll(async () => {
  world = new World();
  const { tlsPort } = await world.server();
  [ana, bob] = [world.person("ana", tlsPort), world.person("bob", tlsPort)];
  await Promise.all([ana.register(), bob.register()]);
});

afterAll(() => world.close());

test("a program offers, accepts, declines and lists files, and is told of each change", async () => {
  const [sender, receiver] = [new DaemonHere(ana, PASSWORD), new DaemonHere(bob, PASSWORD)];
  await Promise.all([sender.online(), receiver.online()]);
  await sender.result("decide", { username: "bob", decision: "add" });
  await receiver.result("decide", { username: "ana", decision: "add" });
  const path = join(world.folder, "a file.txt");
  writeFileSync(path, "some words");
  const folder = join(world.folder, "received");
  mkdirSync(folder);

  expect(await sender.code("send_file", { to: "bob", path: join(world.folder, "none") })).toBe(
    "no_such_file",
  );
  expect(await sender.code("send_file", { to: "bob", path: "a file.txt" })).toBe("bad_request");
  expect(await sender.code("send_file", { to: "no such user!", path })).toBe("bad_request");
  expect(await sender.code("send_file", { to: "ana", path })).toBe("to_oneself");
  expect(await sender.code("stop_file", { transfer: "nothing" })).toBe("no_such_transfer");

  const { file, left_out } = await sender.result("send_file", { to: "bob", path, transfer: "one" });
  expect(left_out).toBeNull();
  expect(file).toMatchObject({
    id: "one",
    number: 1,
    peer: "bob",
    direction: "out",
    state: "offered",
    size: 10,
  });
  const offered = await receiver.line({ event: "file", id: "one", state: "offered" });
  expect(offered).toMatchObject({
    peer: "ana",
    direction: "in",
    name: "a file.txt",
    path: null,
    sha256: null,
  });
  expect(await sender.code("accept_file", { transfer: "one", folder })).toBe("not_possible");
  const nowhere = join(world.folder, "nowhere");
  expect(await receiver.code("accept_file", { transfer: "one", folder: nowhere })).toBe("unwritable");
  await receiver.result("accept_file", { transfer: "one", folder, sha256: true });
  const done = await receiver.line({ event: "file", id: "one", state: "done" });
  const sha256 = new Bun.CryptoHasher("sha256").update("some words").digest("hex");
  expect(done).toMatchObject({ path: join(folder, "a file.txt"), done: 10, sha256 });
  await sender.line({ event: "file", id: "one", state: "done" });
  expect(readFileSync(join(folder, "a file.txt"), "utf8")).toBe("some words");

  await sender.result("send_file", { to: "bob", path, transfer: "two" });
  await receiver.line({ event: "file", id: "two", state: "offered" });
  await receiver.result("decline_file", { transfer: "two" });
  await sender.line({ event: "file", id: "two", state: "declined", reason: "declined" });

  // What waits already is accepted too, and what is too large is declined.
  await sender.result("send_file", { to: "bob", path, transfer: "three" });
  await receiver.line({ event: "file", id: "three", state: "offered" });
  await receiver.result("accept_files", { folder, max_size: 10 });
  await sender.line({ event: "file", id: "three", state: "done" });
  writeFileSync(path, "some more words");
  await sender.result("send_file", { to: "bob", path, transfer: "four" });
  await sender.line({ event: "file", id: "four", state: "declined", reason: "too_large" });
  const { files } = await receiver.result("files");
  expect(files).toMatchObject([
    { id: "one", state: "done" },
    { id: "two", state: "declined" },
    { id: "three", state: "done", path: join(folder, "a file (2).txt") },
    { id: "four", state: "declined" },
  ]);
  await Promise.all([sender.stop(), receiver.stop()]);
});
