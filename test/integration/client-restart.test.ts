/** A server that is restarted, as its clients see it: they do not. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";

import { listPeople } from "../../src/client/people.ts";
import { HOLD } from "../../src/client/rendezvous/presence-hold.ts";
import { Company, later, until, untilQuiet, type Person } from "./messenger-pair.ts";

setDefaultTimeout(30_000);

let company: Company;
afterEach(() => company.close());

/** People who stay online, by their stored sessions, and who may not be asked for a password again. */
async function people(...names: string[]): Promise<Person[]> {
  company = await Company.meet();
  const all: Person[] = [];
  for (const name of names) {
    let isFirst = true;
    const password = async () => {
      if (!isFirst) throw new Error(`${name} was asked for a password`);
      isFirst = false;
      return "secreta12";
    };
    const person = await company.person(name, { password });
    person.messenger.rendezvous.keepOnline();
    all.push(person);
  }
  return all;
}

function isOnline(person: Person): boolean {
  return person.messenger.rendezvous.state.name === "online";
}

/** What a person could see of the server and of presence since `from`. */
function told(person: Person, from: number): string[] {
  return person.events
    .slice(from)
    .filter(({ name }) => ["server", "presence", "unreachable", "disconnected", "connected"].includes(name))
    .map(({ name }) => name);
}

function presenceOf(person: Person, username: string, from: number): boolean[] {
  const events = person.events.slice(from).filter((event) => event.name === "presence");
  return events.flatMap((event) => (event.username === username ? [event.online] : []));
}

/** The server goes, and nobody is linked to it any more. */
async function serverGoes(...all: Person[]): Promise<void> {
  await company.stopServer();
  await untilQuiet(() => all.every((person) => person.messenger.rendezvous.link === undefined));
}

test("a restart of the server is not shown to those who chat or wait for somebody, and nothing is lost", async () => {
  const [ana, bob, carla] = (await people("ana", "bob", "carla")) as [Person, Person, Person];
  ana.messenger.openChat("bob");
  // Of a stranger's link nobody is told.
  ana.messenger.outbox.send("bob", "hola");
  await until(() => bob.of("connected").length === 1);
  await until(() => ana.of("connected").length === 1 && presenceOf(ana, "bob", 0).length > 0);
  expect(await ana.messenger.users()).toHaveLength(2);
  const before = [ana, bob, carla].map((person) => person.events.length);
  await serverGoes(ana, bob, carla);
  ana.messenger.outbox.send("bob", "on the link that stays");
  // Nobody knows where she is before the server is back.
  ana.messenger.outbox.send("carla", "written in the gap");
  await company.restartServer();
  await untilQuiet(() => [ana, bob, carla].every(isOnline));
  await until(() => ana.received("bob") === 2 && ana.received("carla") === 1);
  expect(carla.texts("ana")).toEqual(["written in the gap"]);
  expect(told(ana, before[0] ?? 0)).toEqual(["connected"]);
  expect(told(bob, before[1] ?? 0)).toEqual([]);
  expect(told(carla, before[2] ?? 0)).toEqual(["connected"]);
});

test("whoever is not back after 10 s is shown as offline once, and whoever is back was never shown as away", async () => {
  const [ana, bob, carla] = (await people("ana", "bob", "carla")) as [Person, Person, Person];
  for (const name of ["bob", "carla"]) ana.messenger.openChat(name);
  await until(() => ana.of("connected").length === 2);
  await until(() => presenceOf(ana, "bob", 0).length > 0 && presenceOf(ana, "carla", 0).length > 0);
  const before = ana.events.length;
  await serverGoes(ana, bob, carla);
  await carla.close();
  await company.restartServer();
  await untilQuiet(() => isOnline(ana) && isOnline(bob));
  const { people: listed } = await listPeople(ana.messenger);
  expect(listed.map(({ username, online }) => [username, online])).toEqual([
    ["bob", true],
    ["carla", true],
  ]);
  // The server's answer about whom it tells of has come when its next answer has.
  await ana.messenger.users();
  await later(HOLD, () => until(() => presenceOf(ana, "carla", before).length > 0));
  expect(presenceOf(ana, "carla", before)).toEqual([false]);
  expect(presenceOf(ana, "bob", before)).toEqual([]);
  expect(ana.events.slice(before).filter(({ name }) => name === "server")).toEqual([]);
  expect((await listPeople(ana.messenger)).people.map(({ username }) => username)).toEqual(["bob"]);
});

test("a message for somebody who returns late is sent when they do, without a notice", async () => {
  const [ana, bob] = (await people("ana", "bob")) as [Person, Person];
  ana.messenger.openChat("bob");
  await until(() => ana.of("connected").length === 1 && presenceOf(ana, "bob", 0).length > 0);
  await serverGoes(ana, bob);
  await bob.close();
  await until(() => ana.of("disconnected").length === 1);
  const before = ana.events.length;
  ana.messenger.outbox.send("bob", "for when you are back");
  await company.restartServer();
  await untilQuiet(() => isOnline(ana));
  const again = await company.person("bob");
  await until(() => ana.received("bob") === 1);
  expect(again.texts("ana")).toEqual(["for when you are back"]);
  expect(told(ana, before)).toEqual(["connected"]);
});

test("the list of people waits for the end of a brief outage", async () => {
  const [ana, bob] = (await people("ana", "bob")) as [Person, Person];
  await serverGoes(ana, bob);
  const list = listPeople(ana.messenger);
  await company.restartServer();
  expect(await list).toMatchObject({ failure: undefined });
  await untilQuiet(() => isOnline(bob));
  expect((await listPeople(ana.messenger)).people).toMatchObject([{ username: "bob", online: true }]);
});

test("a longer outage is shown once, and what waits for the server is answered then", async () => {
  const [ana] = (await people("ana")) as [Person];
  const before = ana.events.length;
  await serverGoes(ana);
  const list = listPeople(ana.messenger);
  const states = () =>
    ana.events.slice(before).flatMap((event) => (event.name === "server" ? [event.state.name] : []));
  await later(HOLD, () => until(() => states().includes("waiting")));
  expect((await list).failure).toMatchObject({ code: "server_unreachable" });
  await company.restartServer();
  await until(() => states().at(-1) === "online");
  expect(states().filter((name) => name === "online")).toHaveLength(1);
});
