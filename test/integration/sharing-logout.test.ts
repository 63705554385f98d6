/** A logout beside a screen and a daemon: it is answered before the process that carries it out ends. */
import { afterAll, expect, test } from "bun:test";

import { DaemonProcess } from "./daemon-process.ts";
import { SharedWorld } from "./sharing-faces.ts";

const world = new SharedWorld();
afterAll(() => world.close());

test("a logout that a screen carries out ends with 0, though the screen leaves the account", async () => {
  const { tlsPort } = await world.server();
  const ana = await world.loggedIn("ana", tlsPort);
  await world.screen(ana);
  const daemon = await new DaemonProcess(ana).online();
  expect(await ana.run(["logout"])).toMatchObject({ code: 0, stderr: "" });
  expect((await daemon.ended).code).toBe(4);
}, 60_000);
