/** Files of all sizes, through `send-file` and `listen --accept-files`. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

import type { ClientProcess } from "../integration/cli-process.ts";
import { FileScene, isLinux, isSame, largestMemory, MIB, until } from "./file-scene.ts";

/** How much a process may grow by for a file of any size, in bytes. */
const MAX_GROWTH = 64 * MIB;
const SPARSE = 5 * 1024 * MIB;
/** How often a stopped reader is looked at, in ms, and how often in a row the sender must have moved nothing. */
const LOOK_INTERVAL = 50;
const STILL = 5;

let scene: FileScene;
let listening: ClientProcess;
beforeAll(async () => {
  scene = await FileScene.open();
  listening = await scene.receive();
});
afterAll(() => scene.close());

test("of 0 bytes, of 1 byte, of one leaf and of one byte less and more, in one command", async () => {
  const sizes = [0, 1, MIB - 1, MIB, MIB + 1];
  const sending = scene.send(...sizes.map((size) => scene.file(`of-${size}`, size)));
  expect(await sending.ended).toMatchObject({ code: 0 });
  for (const size of sizes) {
    const [sent, received] = [scene.outgoing, scene.incoming].map((folder) => join(folder, `of-${size}`));
    expect(isSame(sent as string, received as string)).toBe(true);
  }
  expect(readdirSync(scene.incoming)).toHaveLength(sizes.length);
});

test("of 1 GiB, with little memory on both sides, also while the reader stands still", async () => {
  const path = scene.file("large", 1024 * MIB);
  const before = largestMemory(listening);
  const sending = scene.send(path);
  await sending.event({ event: "file", state: "accepted" });
  const sendersBefore = largestMemory(sending);
  await until(() => scene.received() > 64 * MIB);
  listening.process.kill("SIGSTOP");
  if (isLinux) await standsStill(sending);
  const senders = largestMemory(sending);
  listening.process.kill("SIGCONT");
  await listening.event({ event: "file", name: "large", state: "done" });
  expect(await sending.ended).toMatchObject({ code: 0 });
  if (isLinux) {
    expect(senders - sendersBefore).toBeLessThan(MAX_GROWTH);
    expect(largestMemory(listening) - before).toBeLessThan(MAX_GROWTH);
  }
  const received = join(scene.incoming, "large");
  expect(isSame(received, path)).toBe(true);
  rmSync(path);
  rmSync(received);
});

/** Resolves when a process reads nothing more from its disk. */
async function standsStill({ process }: ClientProcess): Promise<void> {
  const read = () => /rchar: (\d+)/.exec(readFileSync(`/proc/${process.pid}/io`, "latin1"))?.[1];
  let still = 0;
  for (let last = read(); still < STILL;) {
    await Bun.sleep(LOOK_INTERVAL);
    const now = read();
    still = now === last ? still + 1 : 0;
    last = now;
  }
}

test("of 5 GiB of nothing", async () => {
  const { bavail, bsize } = statfsSync(scene.incoming);
  if (bavail * bsize < 2 * SPARSE) return console.log("skipped: there is no room for 5 GiB");
  const path = scene.sparse("sparse", SPARSE);
  const before = largestMemory(listening);
  const sending = scene.send(path);
  expect(await sending.ended).toMatchObject({ code: 0 });
  if (isLinux) expect(largestMemory(listening) - before).toBeLessThan(MAX_GROWTH);
  const received = join(scene.incoming, "sparse");
  expect(Bun.file(received).size).toBe(SPARSE);
  const end = await Bun.file(received)
    .slice(SPARSE - MIB)
    .bytes();
  expect(end.every((byte) => byte === 0)).toBe(true);
  rmSync(received);
});
