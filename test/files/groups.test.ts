/** A file of a group: givers and receivers that are killed at any moment, and a disk that becomes full. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { ClientProcess, Person } from "../integration/cli-process.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";
import { fillDisk, mountSmallDisk } from "../integration/small-disk.ts";
import { crash, FileScene, isSame, MIB, states, until } from "./file-scene.ts";

const SIZE = 128 * MIB;

let scene: FileScene;
let eva: Person;

/** Ana, Beto and Eva are contacts of each other, and in one group. */
beforeAll(async () => {
  scene = await FileScene.open();
  eva = scene.person("eva");
  await scene.company.addAccount("eva");
  await eva.run(["users"], { password: PASSWORD });
  await eva.run(["contacts", "add", "ana"]);
  await scene.ana.run(["contacts", "add", "eva"]);
  const listening = [await online(scene.beto), await online(eva)];
  await scene.ana.run(["group", "new", "#Familia"]);
  await scene.ana.run(["group", "add", "#Familia", "beto", "eva"]);
  const ana = await online(scene.ana);
  for (const client of listening) await client.event({ event: "group", state: "invited" });
  for (const person of [scene.beto, eva]) await person.run(["group", "accept", "#Familia"]);
  await ana.event({ event: "group", people: 3 });
  for (const client of [ana, ...listening]) await client.stop();
});
afterAll(() => scene.close());

async function online(person: Person, ...options: string[]): Promise<ClientProcess> {
  const client = person.startApart(["listen", "--json", ...options]);
  await client.event({ event: "ready" });
  return client;
}

test("what is killed at any moment goes on, with whoever has it, and leaves nothing behind", async () => {
  const { ana, beto, incoming } = scene;
  const path = scene.file("large", SIZE);
  const taking = (person: Person, folder: string) => online(person, "--accept-files", folder);
  let receiving = await taking(beto, incoming);
  expect(await ana.run(["send-file", "#Familia", path])).toMatchObject({ code: 0 });
  let giving = await online(ana);
  for (const part of [0.1, 0.3]) {
    await until(() => scene.received(incoming) > part * SIZE);
    await crash(receiving);
    receiving = await taking(beto, incoming);
    await until(() => scene.received(incoming) > (part + 0.1) * SIZE);
    await crash(giving);
    giving = await online(ana);
  }
  await receiving.event({ event: "file", name: "large", state: "done" });
  expect(isSame(path, join(incoming, "large"))).toBe(true);
  expect(readdirSync(incoming)).toEqual(["large"]);

  const second = join(incoming, "..", "eva");
  mkdirSync(second);
  let last = await taking(eva, second);
  await until(() => scene.received(second) > 0.2 * SIZE);
  // Beto has it.
  await crash(giving);
  await until(() => scene.received(second) > 0.4 * SIZE);
  await crash(last);
  last = await taking(eva, second);
  await last.event({ event: "file", name: "large", state: "done" });
  expect(isSame(path, join(second, "large"))).toBe(true);
  expect(readdirSync(second)).toEqual(["large"]);
  for (const client of [receiving, last]) await client.stop();
  for (const person of [beto, eva]) expect(await person.list(["files"])).toMatchObject([{ state: "done" }]);
  rmSync(path);
});

test("a receiver whose disk becomes full waits for room, and goes on from there", async () => {
  const disk = join(scene.incoming, "disk");
  mkdirSync(disk);
  const unmount = mountSmallDisk(disk, 160 * 1024);
  if (unmount === undefined) return;
  try {
    const receiving = await online(scene.beto, "--accept-files", disk);
    const path = scene.file("second", SIZE);
    await scene.ana.run(["send-file", "#Familia", path]);
    const giving = await online(scene.ana);
    await until(() => scene.received(disk) > 0);
    receiving.process.kill("SIGSTOP");
    fillDisk(join(disk, "others"));
    receiving.process.kill("SIGCONT");
    await receiving.event({ event: "file", name: "second", state: "paused", reason: "no_space" });
    rmSync(join(disk, "others"));
    await receiving.event({ event: "file", name: "second", state: "done" });
    expect(isSame(path, join(disk, "second"))).toBe(true);
    expect(states(receiving, "second").at(-1)).toBe("done");
    for (const client of [receiving, giving]) await client.stop();
  } finally {
    unmount();
  }
});
