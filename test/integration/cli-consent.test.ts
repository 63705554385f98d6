/** Who may write, with the commands: requests, acceptance, refusal, and `--who`. */
import { afterAll, beforeAll, expect, test } from "bun:test";

import { expectFailure, PASSWORD, World, type Event, type Person } from "./cli-process.ts";

let world: World;
let port: number;
const ASKING = { environment: { PALOMA_WHO: "requests" } };

beforeAll(async () => {
  world = new World();
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

/** Two people who were online once, and have nothing to do with each other. */
async function strangers(end: string): Promise<[Person, Person]> {
  const people = [world.person(`ana.${end}`, port), world.person(`beto.${end}`, port)] as [Person, Person];
  for (const person of people) {
    await person.register();
    expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  }
  return people;
}

async function listening(person: Person, who = "requests") {
  const client = person.start(["listen", "--json"], { environment: { PALOMA_WHO: who } });
  await client.event({ event: "ready" });
  return client;
}

const send = (from: Person, to: Person, text: string) =>
  from.json(["send", "--timeout", "20", to.name, text], ASKING);

async function stateOf(person: Person, other: Person): Promise<unknown> {
  const contacts = await person.list(["contacts"], ASKING);
  return contacts.find(({ username }) => username === other.name)?.["state"];
}

const kinds = (events: readonly Event[]) => events.map(({ event, state }) => state ?? event);

test("a stranger's texts are a request, which is accepted from beside; then they are printed, and what was held comes", async () => {
  const [ana, beto] = await strangers("asks");
  const anas = await listening(ana);
  for (const text of ["one", "two", "three"]) expect((await send(beto, ana, text)).code).toBe(0);
  await anas.event({ event: "request", from: beto.name, count: 3 });
  const fourth = await send(beto, ana, "four");
  expect([fourth.code, kinds(fourth.events)]).toEqual([5, ["queued", "sent", "held", "error"]]);
  expect(fourth.events.at(-1)).toMatchObject({ code: "not_accepted", to: ana.name });
  expect(fourth.stderr).toBe(
    `It waits until ${ana.name} accepts you.\nThe message is queued and will be sent when ${ana.name} accepts you and you are online (menus, listen or the next send).\n`,
  );
  expect(await stateOf(ana, beto)).toBe("request");
  expect((await ana.run(["contacts"], ASKING)).stdout).toMatch(/^beto\.asks {2}request; last heard/);
  expect(await ana.list(["unread"], ASKING)).toEqual([]);
  expect((await ana.list(["history", beto.name], ASKING)).length).toBe(3);
  expect(anas.stdout.text).not.toContain('"message"');

  const betos = await listening(beto);
  const accepted = await ana.json(["contacts", "accept", beto.name], ASKING);
  expect(accepted).toEqual({
    code: 0,
    events: [{ event: "contact", username: beto.name, state: "contact" }],
    stderr: "",
  });
  await anas.event({ event: "contact", username: beto.name, state: "contact" });
  for (const text of ["one", "two", "three", "four"])
    await anas.event({ event: "message", from: beto.name, text });
  await betos.event({ event: "accepted", username: ana.name });
  await betos.event({ event: "delivery", to: ana.name, state: "received" });
  // None was printed twice.
  expect(anas.stdout.text.match(/"event":"message"/g)).toHaveLength(4);
  for (const client of [anas, betos]) expect((await client.stop()).code).toBe(0);
  expect(await ana.list(["unread"], ASKING)).toEqual([]);
}, 60_000);

test("an answer accepts, and who is known beforehand does not ask; neither needs a network", async () => {
  const [ana, beto] = await strangers("known");
  const offline = beto.at("127.0.0.1:1");
  expect((await offline.run(["contacts", "add", ana.name], ASKING)).stdout).toBe(
    "ana.known may write to you.\n",
  );
  expect((await offline.run(["send", "--wait", "queued", "carla.known", "x"], ASKING)).code).toBe(0);
  expect(await stateOf(beto, world.person("carla.known", port))).toBe("contact");
  const betos = await listening(beto);
  expect((await send(ana, beto, "I was added")).code).toBe(0);
  await betos.event({ event: "message", from: ana.name, text: "I was added" });
  expect(betos.stdout.text).not.toContain('"request"');
  expect((await betos.stop()).code).toBe(0);
  for (const [decision, state] of [
    ["remove", "stranger"],
    ["block", "blocked"],
    ["unblock", "stranger"],
    ["decline", "declined"],
    ["accept", "contact"],
  ] as const) {
    expect((await offline.json(["contacts", decision, ana.name], ASKING)).events).toMatchObject([{ state }]);
    expect(await stateOf(offline, ana)).toBe(state);
  }
  for (const decision of ["decline", "block"])
    expect((await offline.run(["contacts", decision, ana.name], ASKING)).code).toBe(0);
  expect((await offline.run(["contacts", "unblock", ana.name], ASKING)).stdout).toStartWith(
    "ana.known is not blocked, but declined: ",
  );
}, 60_000);

test("nothing of who was blocked or declined is printed, and they are not told", async () => {
  const [ana, beto] = await strangers("refused");
  const anas = await listening(ana);
  expect((await send(beto, ana, "hola")).code).toBe(0);
  await anas.event({ event: "request", from: beto.name });
  const before = anas.stdout.text.length;
  expect((await ana.run(["contacts", "decline", beto.name], ASKING)).code).toBe(0);
  await anas.event({ event: "contact", state: "declined" });
  expect(await ana.list(["history", beto.name], ASKING)).toEqual([]);
  expect((await ana.run(["contacts"], ASKING)).stdout).toBe("beto.refused  declined\n");
  expect(await send(beto, ana, "otra vez")).toMatchObject({ code: 5 });
  expect((await ana.run(["contacts", "block", beto.name], ASKING)).code).toBe(0);
  await anas.event({ event: "contact", state: "blocked" });
  const blocked = await send(beto, ana, "y otra");
  expect([blocked.code, blocked.events.at(-1)?.["code"]]).toEqual([5, "peer_not_admitted"]);
  await expectFailure(ana, ["send", beto.name, "no"], {
    exit: 4,
    code: "blocked",
    en: "You have blocked that person",
    es: "Tiene bloqueada a esa persona",
  });
  const shown = anas.stdout.text.slice(before);
  expect(
    shown
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Event).event),
  ).toEqual(["contact", "contact"]);
  expect((await anas.stop()).stderr).not.toContain(beto.name);
}, 60_000);

test("--who says who may write unasked, also of a process that is online already", async () => {
  const [ana, beto] = await strangers("who");
  const closed = await listening(ana, "contacts");
  expect((await send(beto, ana, "one")).code).toBe(5);
  expect(await stateOf(ana, beto)).toBeUndefined();
  expect((await ana.run(["--who", "anyone", "users"])).code).toBe(0);
  expect((await send(beto, ana, "two")).code).toBe(0);
  for (const text of ["one", "two"]) await closed.event({ event: "message", text });
  expect(await stateOf(ana, beto)).toBe("contact");
  expect((await closed.stop()).code).toBe(0);
}, 60_000);

test("somebody is quiet until a time, which every process of the account is told", async () => {
  const [ana] = await strangers("quiet");
  const offline = ana.at("127.0.0.1:1");
  const mute = async (...args: string[]) =>
    (await offline.json(["contacts", "mute", "beto.quiet", ...args], ASKING)).events;
  const isQuiet = { event: "muted", username: "beto.quiet", until: expect.stringMatching(/Z$/) };
  const isNot = { ...isQuiet, until: null };
  expect([await mute(), await mute("off")]).toEqual([[isNot], [isNot]]);
  const muted = await mute("8h");
  expect(muted).toEqual([isQuiet]);
  expect(await mute()).toEqual(muted);
  const [contact] = await offline.list(["contacts"], ASKING);
  expect(contact).toMatchObject({ username: "beto.quiet", muted_until: muted[0]?.["until"] });
  expect((await offline.run(["contacts"], ASKING)).stdout).toMatch(/; muted until .*\d\d:\d\d\n$/);
  const listens = await listening(ana);
  expect((await ana.run(["contacts", "mute", "beto.quiet", "off"], ASKING)).stdout).toBe(
    "beto.quiet is not muted.\n",
  );
  await listens.event({ ...isNot });
  expect((await listens.stop()).code).toBe(0);
}, 60_000);

test("a decision is typed right, and about somebody else", async () => {
  const [ana] = await strangers("typed");
  for (const [args, code, en, es] of [
    [["contacts", "marry", "beto"], "usage", "“marry” is none of add", "«marry» no es ninguna"],
    [["contacts", "block"], "usage", "USER is missing", "Falta USUARIO"],
    [["contacts", "block", "beto", "8h"], "usage", "8h", "8h"],
    [["contacts", "mute", "beto", "long"], "usage", "“long” is neither", "«long» no es ningún tiempo"],
    [["contacts", "add", "b"], "usage", "not a valid user name", "no es un nombre de usuario"],
    [["contacts", "add", ana.name], "to_oneself", "to yourself", "a sí mismo"],
    [["--who", "friends", "contacts"], "usage", "--who", "--who"],
  ] as const)
    await expectFailure(ana, args, { exit: 2, code, en, es });
});
