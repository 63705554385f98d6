/** A receiver's disk that becomes full in the midst of a file. */
import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { cleanupsForEachTest } from "../integration/cleanups-for-each-test.ts";
import { fillDisk, mountSmallDisk } from "../integration/small-disk.ts";
import { FileScene, isSame, MIB, states, until } from "./file-scene.ts";

const cleanups = cleanupsForEachTest();

test("both sides see why it stands still, and it goes on when there is room", async () => {
  const scene = await FileScene.open();
  cleanups.push(() => scene.close());
  const disk = join(scene.incoming, "disk");
  mkdirSync(disk);
  const unmount = mountSmallDisk(disk, 600 * 1024);
  if (unmount === undefined) return;
  cleanups.push(unmount);
  const receiving = await scene.receive(disk);
  const path = scene.file("large", 512 * MIB);
  const sending = scene.send(path);
  await until(() => scene.received(disk) > 0);
  receiving.process.kill("SIGSTOP");
  fillDisk(join(disk, "others"));
  receiving.process.kill("SIGCONT");
  const pause = { event: "file", name: "large", state: "paused", reason: "no_space" };
  const [here, there] = await Promise.all([receiving.event(pause), sending.event(pause)]);
  expect(here["done"]).toBeLessThan(512 * MIB);
  expect(there["done"]).toBeLessThan(512 * MIB);
  rmSync(join(disk, "others"));
  await receiving.event({ event: "file", name: "large", state: "done" });
  expect(await sending.ended).toMatchObject({ code: 0 });
  expect(isSame(path, join(disk, "large"))).toBe(true);
  for (const side of [receiving, sending]) expect(states(side, "large").at(-1)).toBe("done");
});
