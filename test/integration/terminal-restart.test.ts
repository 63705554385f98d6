/** A server that is restarted while people are at their terminals: they see nothing of it. */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { join } from "node:path";

import { eventsOf, PASSWORD, type Person } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { ServerProcess, type Server } from "./server-process.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
afterAll(() => world.close());

/** Accounts with a stored session each. */
function members(server: Server, ...names: string[]): Promise<Person[]> {
  const arrive = async (name: string) => {
    const person = world.person(name, server.tlsPort);
    await person.register();
    expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
    return person;
  };
  return Promise.all(names.map(arrive));
}

/**
 * The server ends, by a crash if it is a process of its own, and at once the same command runs again; resolves when
 * these are online there.
 */
async function restarted(
  server: Server,
  database: string,
  observer: Person,
  names: string[],
  meanwhile: () => void = () => undefined,
): Promise<void> {
  const isCrash = server instanceof ServerProcess;
  if (isCrash) server.kill("SIGKILL");
  else server.kill("SIGTERM");
  const again = world.server(database, server.tlsPort, ["--port", String(server.plainPort)]);
  meanwhile();
  await again;
  expect(await server.exited).toBe(isCrash ? 137 : 0);
  for (;;) {
    const events = await observer.list(["users"]);
    const online = events.map(({ username }) => String(username));
    if (names.every((name) => online.includes(name))) return;
  }
}

/** Whole lines of a terminal that are notices or failures. */
function noticesOn(terminal: MenuTerminal): string[] {
  return terminal.screen.transcript.split("\n").filter((row) => /^[—!✗]/.test(row));
}

async function opens(terminal: MenuTerminal, other: string): Promise<void> {
  await terminal.opensFirstChat(other);
  await terminal.isInChat();
}

test("two people in a chat and one at the menus see nothing of a restart; what is written meanwhile arrives", async () => {
  const server = await world.server("talk.db");
  const [ana, beto, carla, dora] = (await members(server, "ana", "beto", "carla", "dora")) as [
    Person,
    Person,
    Person,
    Person,
  ];
  const [one, other] = [world.openAs(ana), world.openAs(beto)];
  await Promise.all([one.arrives("ana"), other.arrives("beto")]);
  await opens(one, "beto");
  await opens(other, "ana");
  const third = world.openAs(carla, { language: "en" });
  await third.arrives("carla");
  one.type(`antes${KEY.enter}`);
  await one.isInChat("✓✓ leído >");
  await other.showsRow(/ana: antes$/);
  const before = [one, other, third].map(noticesOn);
  await restarted(server, "talk.db", dora, ["ana", "beto", "carla"], () => {
    one.type(`escrito en medio${KEY.enter}`);
    // The list is asked for while nobody can answer.
    third.type(`1${KEY.enter}`);
  });
  await other.showsRow(/ana: escrito en medio$/);
  await third.isAsked(" ana", " beto");
  expect(third.asked).not.toContain(third.texts.menuOffline);
  third.type(KEY.escape);
  await third.isHome("carla");
  expect([one, other, third].map(noticesOn)).toEqual(before);
  for (const terminal of [one, other, third]) {
    expect(terminal.hasSeen(terminal.texts.passwordPrompt("ana"))).toBe(false);
    expect(terminal.hasSeen(terminal.texts.serverBack)).toBe(false);
  }
});

test.each([
  ["a restart", "SIGTERM"],
  ["a crash that is mended at once", "SIGKILL"],
] as const)("`listen` prints nothing of %s, and goes on; in words neither", async (_, signal) => {
  const database = `${signal}.db`;
  const server = await (signal === "SIGKILL" ? world.serverApart(database) : world.server(database));
  const [ana, beto, dora] = (await members(server, "ana", "beto", "dora")) as [Person, Person, Person];
  const machine = await ana.listen();
  const words = beto.start(["listen"]);
  await words.stdout.line((line) => line.includes("beto"));
  // Of whom something waits for, the server is asked to tell.
  await dora.run(["send", "ana", "antes"]);
  await machine.event({ event: "message", text: "antes" });
  const before = [machine.stdout.text, machine.stderr.text, words.stdout.text, words.stderr.text];
  await restarted(server, database, dora, ["ana", "beto"]);
  expect([machine.stdout.text, machine.stderr.text, words.stdout.text, words.stderr.text]).toEqual(before);
  expect((await dora.run(["send", "ana", "después"])).code).toBe(0);
  await machine.event({ event: "message", text: "después" });
  expect(machine.events.map(({ event }) => event)).toEqual(["ready", "message", "message"]);
  expect((await machine.stop()).code).toBe(0);
  expect((await words.stop()).code).toBe(0);
});

describe.each([
  ["whose session was revoked", "DELETE FROM tokens", "sesión"],
  ["that was disabled", "UPDATE users SET disabled = 1 WHERE username <> 'dora'", "deshabilitada"],
] as const)("an account %s while the server was away", (_, change, word) => {
  test("ends at the menus, in the chat and in `listen` with a sentence, and no password is asked", async () => {
    const database = `${word}.db`;
    const server = await world.server(database);
    const [ana, beto, carla] = (await members(server, "ana", "beto", "carla")) as [Person, Person, Person];
    const [menus, chat] = [world.openAs(ana), world.openAs(beto)];
    await Promise.all([menus.arrives("ana"), chat.arrives("beto")]);
    const listening = carla.start(["--lang", "es", "listen", "--json"]);
    await listening.event({ event: "ready" });
    await opens(chat, "ana");
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    const accounts = new Database(join(world.folder, database));
    accounts.run(change);
    accounts.close();
    await world.server(database, server.tlsPort, ["--port", String(server.plainPort)]);
    await menus.isAsked(menus.texts.menuLogIn);
    await chat.sees("inicie sesión otra vez.");
    expect(noticesOn(menus).at(-1)).toContain(word);
    const { code, stderr } = await listening.ended;
    expect(code).toBe(4);
    expect(stderr).toContain(word);
    expect(eventsOf(await listening.ended.then(({ stdout }) => stdout)).at(-1)).toMatchObject({
      event: "error",
    });
    for (const terminal of [menus, chat]) expect(terminal.text).not.toContain("Contraseña");
  });
});

test("`listen` that was given the password logs in again when its session was revoked meanwhile", async () => {
  const database = "given.db";
  const server = await world.server(database);
  const [ana, beto] = (await members(server, "ana", "beto")) as [Person, Person];
  const listening = beto.start(["listen", "--json"], { password: PASSWORD });
  await listening.event({ event: "ready" });
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  const accounts = new Database(join(world.folder, database));
  accounts.run("DELETE FROM tokens");
  accounts.close();
  await world.server(database, server.tlsPort, ["--port", String(server.plainPort)]);
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  for (let names = ""; names !== "beto";) {
    const events = await ana.list(["users"]);
    names = events.map(({ username }) => String(username)).join();
  }
  expect((await listening.stop()).code).toBe(0);
});
