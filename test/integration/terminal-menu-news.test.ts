import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import { PASSWORD, type Person } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import type { ServerHere } from "./server-process.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
let server: ServerHere;
beforeAll(async () => {
  server = await world.server();
});
afterAll(() => world.close());

async function member(name: string): Promise<Person> {
  const person = world.person(name, server.tlsPort);
  await person.register();
  expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  return person;
}

/** Resolves when it is on the other one's disk. */
async function writes(person: Person, to: string, text: string): Promise<void> {
  const { code, stderr } = await person.run(["send", to, text]);
  if (code !== 0) throw new Error(stderr);
}

function rowsLike(terminal: MenuTerminal, pattern: RegExp): string[] {
  return terminal.screen.transcript.split("\n").filter((row) => pattern.test(row));
}

async function leaves(terminal: MenuTerminal): Promise<void> {
  terminal.type(KEY.ctrlC);
  expect(await terminal.ended()).toBe(130);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.unknown).toEqual([]);
}

test("a message that comes while a menu is open rings once, is announced, counted, and shown in the chat", async () => {
  const [ana, beto, carla] = await Promise.all(["menu.ana", "menu.beto", "menu.carla"].map(member));
  if (ana === undefined || beto === undefined || carla === undefined) throw new Error("three people");
  const screen = world.openAs(ana);
  await screen.arrives(ana.name);
  screen.type(KEY.down);
  await screen.isAsked("> 2. Cerrar sesión");
  await writes(carla, ana.name, "otra cosa");
  await screen.sees("— menu.carla: 1 mensaje nuevo");
  await screen.isAsked("chatear (1 nuevo)", "> 2. Cerrar sesión");
  expect(screen.screen.bells).toBe(1);
  // Both are sent at once when the link is there.
  expect((await beto.run(["send", "--wait", "queued", ana.name, "primero"])).code).toBe(0);
  await writes(beto, ana.name, "segundo");
  await screen.sees("— menu.beto: 2 mensajes nuevos");
  await screen.isAsked("chatear (3 nuevos)", "> 2. Cerrar sesión");
  expect(screen.screen.bells).toBe(2);
  expect(screen.picture).toMatchSnapshot("three new messages at the menu");
  expect(screen.text).not.toContain("segundo");
  screen.type(`1${KEY.enter}`);
  await screen.isAsked("1. menu.beto (2 nuevos) ·", "2. menu.carla (1 nuevo) ·");
  screen.type(`1${KEY.enter}`);
  await screen.isInChat();
  expect(screen.screen.rows.filter((row) => /^\d\d:\d\d menu\.beto: /.test(row))).toHaveLength(2);
  screen.type(`exit${KEY.enter}`);
  await screen.isAsked("1. menu.carla (1 nuevo) ·", "2. menu.beto ·");
  expect(screen.asked).not.toContain("2 nuevos");
  screen.type(KEY.escape);
  await screen.isAsked("chatear (1 nuevo)");
  await leaves(screen);
  // What was not opened is counted still.
  const later = world.openAs(ana, { language: "en" });
  await later.isAsked("menu.carla (1 new) ·");
  expect(later.screen.bells).toBe(0);
  await leaves(later);
});

test("a message that comes while another's chat is open leaves the line alone, and says where to read it", async () => {
  const [ana, beto, carla] = await Promise.all(["chat.ana", "chat.beto", "chat.carla"].map(member));
  if (ana === undefined || beto === undefined || carla === undefined) throw new Error("three people");
  const other = await beto.listen();
  const screen = world.openAs(ana);
  await screen.arrives(ana.name);
  await screen.opensFirstChat(beto.name);
  await screen.isInChat();
  screen.type("media frase");
  await screen.isInChat("> media frase");
  await writes(carla, ana.name, "¿estás?");
  await screen.sees("chat.carla: 1 mensaje nuevo (/2)");
  await screen.isInChat("> media frase");
  expect(screen.screen.bells).toBe(1);
  expect(screen.text).not.toContain("¿estás?");
  expect(screen.picture).toMatchSnapshot("half a sentence");
  expect(screen.screen.title).toBe("(1) chat.ana — Paloma");
  screen.type(`.${KEY.enter}`);
  await screen.isInChat("✓✓ (1) >");
  screen.type(`/2${KEY.enter}`);
  await screen.showsRow(/ chat\.carla: ¿estás\?$/);
  await screen.isInChat();
  screen.type(`exit${KEY.enter}`);
  await screen.isAsked("chat.beto", "Volver");
  expect(screen.asked).not.toContain("nuevo");
  await other.stop();
  await leaves(screen);
});

test("a message that comes while a list is searched leaves what is typed and marked as it was", async () => {
  const [ana, beto] = await Promise.all(["list.ana", "list.beto"].map(member));
  if (ana === undefined || beto === undefined) throw new Error("two people");
  const names = ["mara", "marcos", "mario", "marta", "nadia", "noel", "olga", "oscar", "pablo", "pilar"];
  for (const name of names) {
    expect((await ana.run(["send", "--wait", "queued", name, "hola"])).code).toBe(0);
  }
  const screen = world.openAs(ana);
  await screen.isAsked("mara", "pilar", "Volver");
  screen.type("mar");
  await screen.isAsked("hablar? mar", "> mara");
  screen.type(KEY.down + KEY.down);
  await screen.isAsked("> mario");
  await writes(beto, ana.name, "hola, ana");
  await screen.sees("list.beto: 1 mensaje nuevo");
  await screen.isAsked("¿Con quién desea hablar? mar", "> mario");
  expect(screen.picture).toMatchSnapshot("the search goes on");
  screen.type("\u007f".repeat(3));
  // Whoever was not in the list is in it now.
  await screen.isAsked("list.beto (1 nuevo) ·", "pilar");
  expect(rowsLike(screen, /mensajes? nuevo/)).toHaveLength(1);
  screen.type("beto");
  await screen.isAsked("> list.beto");
  screen.type(KEY.enter);
  await screen.showsRow(/ list\.beto: hola, ana$/);
  await screen.isInChat();
  screen.type(KEY.ctrlC);
  await screen.isAsked("Volver");
  await leaves(screen);
});
