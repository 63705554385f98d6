/** A logout beside a screen and a daemon: it is answered before the process that carries it out ends. */
import { afterAll, expect, test } from "bun:test";

import { sentenceFor } from "../../src/protocol/codes.ts";
import { PASSWORD } from "./cli-process.ts";
import { DaemonHere } from "./daemon-process.ts";
import { SharedWorld } from "./sharing-faces.ts";

const world = new SharedWorld();
afterAll(() => world.close());

test("a logout that a screen carries out ends with 0, though the screen leaves the account", async () => {
  const { tlsPort } = await world.server();
  const ana = await world.loggedIn("ana", tlsPort);
  await world.screen(ana);
  const daemon = await new DaemonHere(ana).online();
  expect(await ana.run(["logout"])).toMatchObject({ code: 0, stderr: "" });
  expect((await daemon.ended).code).toBe(4);
}, 60_000);

test("after a logout, whoever has the password logs in, also where the screen in a chat that has the account has none", async () => {
  const { tlsPort } = await world.server("again.db");
  const [ana, benito] = [await world.loggedIn("ana", tlsPort), await world.loggedIn("benito", tlsPort)];
  await benito.listen();
  const chat = await world.chat(ana, "benito");
  expect(await ana.run(["logout"])).toMatchObject({ code: 0, stderr: "" });
  await chat.shows("The server has ended this session");
  expect((await ana.run(["users"])).stderr).toContain("The password is missing");
  const wrong = await ana.run(["users"], { password: "not this one" });
  expect(wrong.stderr).toStartWith(sentenceFor("invalid_credentials", "en"));
  expect(wrong.code).toBe(4);
  const right = await ana.run(["users"], { password: PASSWORD });
  expect([right.code, right.stderr]).toEqual([0, ""]);
  expect(right.stdout).toContain("benito");
  expect((await ana.run(["send", "benito", "here again"])).code).toBe(0);
  await chat.shows("here again");
}, 60_000);
