/** Processes that are killed in the midst of a file, and disks that change what was received. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

import { LEAF_BYTES, Leaves } from "../../src/client/file/leaves.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";
import { crash, FileScene, isSame, MIB, until } from "./file-scene.ts";

const CRASHES = 20;

let scene: FileScene;
beforeAll(async () => {
  scene = await FileScene.open();
});
afterEach(() => scene.endProcesses());
afterAll(() => scene.close());

test(`${CRASHES} crashes of either side, at random places of one file, end in one file that is the same`, async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const size = 640 * MIB;
  const path = scene.file("crashed", size);
  const target = join(scene.incoming, "crashed");
  let receiving = await scene.receive();
  let sending = scene.send(path);
  const crashes: string[] = [];
  while (crashes.length < CRASHES) {
    const before = scene.received();
    const next = before + 1 + random.integer((size - before) / (2 * CRASHES - crashes.length));
    await until(() => scene.received() >= next || existsSync(target));
    const side = random.pick(["sender", "receiver"]);
    crashes.push(`${side} at ${scene.received()}`);
    if (side === "sender") {
      await crash(sending);
      sending = await scene.goOn();
    } else {
      await crash(receiving);
      receiving = await scene.receive();
    }
  }
  console.log(`seed ${seed}: ${crashes.join(", ")}`);
  await scene.done("crashed");
  expect(readdirSync(scene.incoming)).toEqual(["crashed"]);
  expect(isSame(path, target)).toBe(true);
  for (const file of [path, target]) rmSync(file);
});

test("a bit that flips in what was received, while nobody looks, is found, and only its leaf is sent again", async () => {
  const size = 512 * MIB;
  const path = scene.file("flipped", size);
  const receiving = await scene.receive();
  const sending = scene.send(path);
  await until(() => scene.received() >= 32 * MIB);
  await crash(receiving);

  const partial = scene.partial() as string;
  const transfers = join(scene.beto.profileFolder, "transfers");
  const [transfer = ""] = readdirSync(transfers);
  const leaves = new Leaves(join(transfers, transfer, "leaves"));
  const known = leaves.knownBytes(size);
  leaves.close();
  flipBit(partial, 7 * LEAF_BYTES + 12_345);

  const again = await scene.receive();
  const running = await again.event({ event: "file", name: "flipped", state: "running" });
  expect(running["done"]).toBe(known - LEAF_BYTES);
  expect(await sending.ended).toMatchObject({ code: 0 });
  expect(isSame(path, join(scene.incoming, "flipped"))).toBe(true);
});

function flipBit(path: string, offset: number): void {
  const file = openSync(path, "r+");
  const byte = new Uint8Array(1);
  readSync(file, byte, 0, 1, offset);
  byte[0] = (byte[0] as number) ^ 8;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}
