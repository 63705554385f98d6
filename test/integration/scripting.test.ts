/** What src/ui/SCRIPTING.md promises: its bots run as they stand there, and it names every request and every event. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { REQUESTS } from "../../src/client/sharing/requests.ts";
import { PASSWORD, World, type Person } from "./cli-process.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { DaemonHere } from "./daemon-process.ts";

const ROOT = join(import.meta.dir, "../..");
const DOCUMENT = readFileSync(join(ROOT, "src/ui/SCRIPTING.md"), "utf8");

let world: World;
let port: number;
let programs: string;
const cleanups = cleanupsForEachTest();

beforeAll(async () => {
  world = new World();
  port = (await world.server()).tlsPort;
  programs = join(world.folder, "programs");
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, "bun"));
});

afterAll(() => world.close());

/** Writes the block of the document that begins with this line into a file. @returns its path and its lines */
function bot(firstLine: string): { readonly path: string; readonly lines: number } {
  const begin = DOCUMENT.indexOf(firstLine);
  const text = DOCUMENT.slice(begin, DOCUMENT.indexOf("```", begin));
  const path = join(world.folder, firstLine.replaceAll(/\W/g, ""));
  writeFileSync(path, text);
  return { path, lines: text.split("\n").length - 1 };
}

/** Someone who is registered, and has a session. */
async function loggedIn(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  await person.run(["users"], { password: PASSWORD });
  return person;
}

async function online(name: string): Promise<DaemonHere> {
  const person = world.person(name, port);
  await person.register();
  const daemon = new DaemonHere(person, PASSWORD);
  cleanups.push(() => daemon.stop());
  return daemon.online();
}

/** Runs a bot as the account of a person. Its end ends what it has started. */
function run(command: readonly string[], person: Person): Bun.Subprocess {
  const running = Bun.spawn([...command], {
    cwd: ROOT,
    detached: true,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
    env: {
      PATH: `${programs}:${process.env["PATH"]}`,
      HOME: world.folder,
      PALOMA_SERVER: person.server,
      PALOMA_USER: person.name,
      PALOMA_DATA: person.data,
      PALOMA_LAN: "off",
    },
  });
  cleanups.push(async () => {
    endGroup(running);
    await running.exited;
  });
  return running;
}

/** Ends a bot and all that it has started with SIGKILL, also what has outlived it. */
function endGroup({ pid }: Bun.Subprocess): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // All of it has ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function send(from: DaemonHere, to: string, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const { message_id } = await from.result("send", { to, text: `message ${ids.length} ¿ñ?` });
    ids.push(message_id as string);
  }
  return ids;
}

/** Waits for an answer to each of these messages. @returns how many answers there were to each */
async function answers(at: DaemonHere, ids: readonly string[]): Promise<readonly number[]> {
  for (const reply_to of ids) await at.line({ event: "message", reply_to });
  return ids.map((id) => at.lines.filter(({ reply_to }) => reply_to === id).length);
}

test.skipIf(Bun.which("jq") === null)(
  "the bot in shell answers every message once",
  async () => {
    const [ana, person] = [await online("ana.shell"), await loggedIn("bot.shell")];
    const { path } = bot("#!/bin/sh");
    run(["sh", path], person);
    const ids = await send(ana, person.name, 5);
    expect(await answers(ana, ids)).toEqual([1, 1, 1, 1, 1]);
    const [answer] = ana.lines.filter(({ event }) => event === "message");
    expect(answer).toMatchObject({ from: person.name, text: expect.stringMatching(/^It is \d\d:\d\d\.$/) });
  },
  60_000,
);

test("the bot in Python, of under 40 lines, answers every message once though it is killed again and again", async () => {
  const [ana, person] = [await online("ana.python"), await loggedIn("bot.python")];
  const { path, lines } = bot("#!/usr/bin/env python3");
  expect(lines).toBeLessThan(40);
  const ids = [...(await send(ana, person.name, 3))];
  for (const killed of ["alone", "with its daemon"]) {
    const running = run(["python3", path], person);
    ids.push(...(await send(ana, person.name, 10)));
    await ana.line({ event: "message", reply_to: ids.at(-5) });
    if (killed === "alone") running.kill("SIGKILL");
    else endGroup(running);
    await running.exited;
  }
  run(["python3", path], person);
  expect(await answers(ana, ids)).toEqual(ids.map(() => 1));
  const history = await ana.result("history", { username: person.name, after: 0, limit: 200 });
  const theirs = (history["messages"] as { from: string }[]).filter(({ from }) => from === person.name);
  expect(theirs).toHaveLength(ids.length);
}, 60_000);

test("every request and every event has an entry", () => {
  const source = readFileSync(join(ROOT, "src/client/event-json.ts"), "utf8");
  const events = [...source.matchAll(/event: "(\w+)"/g)].map(([, name = ""]) => name);
  const entries = DOCUMENT.split("\n").filter((line) => line.startsWith("- `"));
  const named = new Set(
    entries.flatMap((entry) => entry.replace(/[(:].*/, "").match(/(?<=`)\w+(?=`)/g) ?? []),
  );
  expect([...Object.keys(REQUESTS), ...events].filter((name) => !named.has(name))).toEqual([]);
});
