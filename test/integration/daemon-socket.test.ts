/** The socket of an account that is online: several programs at once, and those that do not behave. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname } from "node:path";

import { expectFailure, PASSWORD, World, type Person } from "./cli-process.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { DaemonHere, LONGEST, makeEvents, SocketProgram, socketOf } from "./daemon-process.ts";

const MIB = 1024 * 1024;

let world: World;
let ana: Person;
let daemon: DaemonHere;
const cleanups = cleanupsForEachTest();

beforeAll(async () => {
  world = new World();
  const port = (await world.server()).tlsPort;
  ana = world.person("ana.socket", port);
  await ana.register();
  daemon = await new DaemonHere(ana, PASSWORD).online();
}, 60_000);

afterAll(async () => {
  await daemon.stop();
  await world.close();
});

async function attached(reads: "reads" | "does not read" = "reads"): Promise<SocketProgram> {
  const found = await SocketProgram.on(ana, reads);
  cleanups.push(() => found.leave());
  return found;
}

test("several programs have the same events, and each its own answers", async () => {
  const [one, two] = [await attached(), await attached()];
  expect(one.lines[0]).toEqual(two.lines[0]);
  const sent = await Promise.all(
    [one, two, daemon].map((each, index) =>
      each.result("send", { to: "away.person", text: `from ${index}` }),
    ),
  );
  for (const program of [one, two, daemon]) {
    for (const { message_id: id } of sent) await program.line({ event: "delivery", id, state: "queued" });
    const isOfSend = (result: unknown) => Object.hasOwn(Object(result), "message_id");
    expect(program.lines.filter(({ result }) => isOfSend(result))).toHaveLength(1);
  }
});

test("who does not read is dropped at 8 MiB, and the others have everything", async () => {
  const [busy, idle] = [await attached(), await attached()];
  const stalled = await attached("does not read");
  const last = await makeEvents(busy, 300);
  for (const program of [busy, idle, daemon]) {
    await program.line({ event: "edited", text: last });
    expect(program.lines.filter(({ event }) => event === "edited")).toHaveLength(300);
  }
  stalled.read();
  await stalled.closed;
  expect(stalled.length).toBeLessThan(9 * MIB);
  expect(await (await attached()).result("status")).toMatchObject({ username: ana.name });
}, 60_000);

test("answers that were asked for are no reason to drop, however long they are", async () => {
  const busy = await attached();
  for (let number = 0; number < 200; number++)
    await busy.result("send", { to: "away.reader", text: LONGEST });
  const slow = await attached("does not read");
  for (const id of [1, 2, 3])
    slow.write(`${JSON.stringify({ id, command: "history", username: "away.reader", limit: 200 })}\n`);
  await makeEvents(busy, 20);
  slow.read();
  for (const id of [1, 2, 3]) {
    const { result } = await slow.line({ id });
    expect((result as { messages: unknown[] }).messages).toHaveLength(200);
  }
  expect(await slow.result("status")).toMatchObject({ username: ana.name });
}, 60_000);

test("many requests at once are all answered", async () => {
  const program = await attached();
  const asked = Array.from({ length: 500 }, () => program.result("status"));
  expect(await Promise.all(asked)).toHaveLength(500);
});

test("what is no request is answered with an error, and the next one is carried out", async () => {
  const program = await attached();
  program.write(
    'GET / HTTP/1.1\r\n\r\n{"id":1}\n{"id":[2],"command":"dance"}\n{"id":3,"command":"toString"}\n',
  );
  await program.line({ id: null });
  expect(await program.line({ id: 1 })).toMatchObject({ error: { code: "bad_request", message: "command" } });
  expect(await program.line({ id: [2] })).toMatchObject({ error: { code: "unknown_command" } });
  expect(await program.line({ id: 3 })).toMatchObject({ error: { code: "unknown_command" } });
  expect(await program.result("status")).toMatchObject({ username: ana.name });
});

test("an id that is nested too deeply to be written again is refused, as often as it is sent", async () => {
  const program = await attached();
  const lists = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  // More than are carried out at once: an unanswered one would be waited for.
  const deep = `{"id":${lists(100_000)},"command":"status"}\n`;
  for (let sent = 0; sent < 65; sent++) program.write(deep);
  expect(await program.result("status")).toMatchObject({ username: ana.name });
  const refused = program.lines.filter(({ id }) => id === null);
  expect(refused).toHaveLength(65);
  expect(refused[0]).toMatchObject({ error: { code: "bad_request", message: "id" } });
  program.write(`{"id":${lists(16)},"command":"status"}\n`);
  await program.line({ id: JSON.parse(lists(16)) as unknown });
});

test("a request over 256 KiB is refused and ends the connection, and the others go on", async () => {
  const [other, program] = [await attached(), await attached()];
  const padding = (length: number) => ({ command: "status", padding: "x".repeat(length) });
  program.write(`${JSON.stringify({ id: "fits", ...padding(256 * 1024 - 60) })}\n`);
  await program.line({ id: "fits" });
  program.write(`${JSON.stringify({ id: "long", ...padding(256 * 1024) })}\n`);
  expect(await program.line({ id: null })).toMatchObject({
    error: { code: "bad_request", message: "more than 256 KiB" },
  });
  await program.closed;
  expect(await other.result("status")).toMatchObject({ username: ana.name });
});

test.each([0, 2])("a process that speaks protocol %d is told apart in one sentence", async (protocol) => {
  const person = world.person(`ana.protocol${protocol}`, Number(ana.server.split(":")[1]));
  await person.register();
  const path = socketOf(person);
  mkdirSync(dirname(path), { recursive: true });
  const hello = { event: "hello", protocol, version: "9.9.9", username: person.name };
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(`${JSON.stringify(hello)}\n`);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  cleanups.push(() => server.close());
  for (const command of [["users"], ["listen"], ["daemon"]])
    await expectFailure(person, command, {
      exit: 1,
      code: "other_version",
      en: "version (9.9.9)",
      es: "versión (9.9.9)",
    });
});
