/** `send ana,benito`, and what `edit` and `withdraw` say. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import { expectFailure, PASSWORD, World, type Client, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let ana: Person;
let listening: readonly Client[];

beforeAll(async () => {
  const { tlsPort } = await world.server();
  const people = ["ana", "beto", "carla", "dora"].map((name) => world.person(`${name}.all`, tlsPort));
  for (const person of people) await person.register();
  const [first, beto, carla] = people as [Person, Person, Person];
  ana = first;
  listening = [await beto.listen(PASSWORD), await carla.listen(PASSWORD)];
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
});
afterAll(() => world.close());

test("several people get a message each, and exit 0 says that all have it", async () => {
  const { code, events, stderr } = await ana.json(["send", "beto.all, carla.all,BETO.all", "for both"]);
  expect(code).toBe(0);
  for (const client of listening) await client.event({ event: "message", text: "for both" });
  expect(stderr.split("\n").toSorted()).toEqual(["", "✓✓ received by beto.all", "✓✓ received by carla.all"]);
  const received = events.filter(({ state }) => state === "received");
  expect(received.map(({ to }) => to).toSorted()).toEqual(["beto.all", "carla.all"]);
  expect(new Set(received.map(({ id }) => id)).size).toBe(2);
  expect(await ana.states("beto.all")).toHaveLength(1);
});

test("the exit code is the highest, and the errors say whose they are", async () => {
  const { code, events, stderr } = await ana.json(["send", "dora.all,beto.all,nobody.all", "for some"]);
  expect(code).toBe(5);
  await listening[0]?.event({ event: "message", text: "for some" });
  const errors = events.filter(({ event }) => event === "error");
  expect(errors.map(({ code: why, to }) => [why, to]).toSorted()).toEqual([
    ["user_offline", "dora.all"],
    ["user_offline", "nobody.all"],
  ]);
  expect(stderr).toContain("✓✓ received by beto.all\n");
  expect(await ana.states("dora.all")).toEqual([["for some", "queued"]]);
});

test("without the server all are queued, and exit 3 says so", async () => {
  const away = ana.at("127.0.0.1:1");
  const { code, events } = await away.json(["send", "dora.all,nobody.all", "later"]);
  expect(code).toBe(3);
  expect(events.filter(({ state }) => state === "queued")).toHaveLength(2);
  expect((await away.run(["send", "--wait", "queued", "dora.all,nobody.all", "much later"])).code).toBe(0);
  expect((await ana.states("nobody.all")).map(([text]) => text)).toEqual(["for some", "later", "much later"]);
});

test("nobody gets anything if one of the names is wrong, or one's own", async () => {
  const before = await ana.states("beto.all");
  await expectFailure(ana, ["send", "beto.all,x y,carla.all", "oops"], {
    exit: 2,
    code: "usage",
    en: "“x y” is not a valid user name",
    es: "«x y» no es un nombre de usuario válido",
  });
  await expectFailure(ana, ["send", "beto.all,", "oops"], {
    exit: 2,
    code: "usage",
    en: "is not a valid user name",
    es: "no es un nombre de usuario válido",
  });
  await expectFailure(ana, ["send", "beto.all,Ana.all", "oops"], {
    exit: 2,
    code: "to_oneself",
    en: "You cannot send messages to yourself",
    es: "No puede enviarse mensajes a sí mismo",
  });
  await expectFailure(ana, ["history", "beto.all,carla.all"], {
    exit: 2,
    code: "usage",
    en: "is not a valid user name",
    es: "no es un nombre de usuario válido",
  });
  expect(await ana.states("beto.all")).toEqual(before);
});

test("a change is said to be changed there, not received", async () => {
  const { events } = await ana.json(["send", "beto.all", "at five"]);
  const id = String(events[0]?.["id"]);
  expect(await ana.run(["edit", "beto.all", id, "at six"])).toEqual({
    code: 0,
    stdout: "",
    stderr: "✓✓ changed for beto.all too\n",
  });
  expect(await ana.run(["withdraw", "--lang", "es", "beto.all", id])).toEqual({
    code: 0,
    stdout: "",
    stderr: "✓✓ cambiado también para beto.all\n",
  });
});
