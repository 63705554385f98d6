/** `daemon`: an account online for programs, on standard input and output and on the socket, and how it ends. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { join } from "node:path";

import { CLIENT_PROGRAM, expectFailure, FRIENDS, PASSWORD, World, type Person } from "./cli-process.ts";
import { Collected } from "./collected.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { DaemonHere, DaemonProcess, makeEvents, SocketProgram, socketOf } from "./daemon-process.ts";

let world: World;
let port: number;
const cleanups = cleanupsForEachTest();

beforeAll(async () => {
  world = new World();
  port = (await world.server()).tlsPort;
});

afterAll(() => world.close());

async function registered(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  return person;
}

function daemonOf(person: Person, password: string | undefined = PASSWORD, stdout?: number): DaemonProcess {
  const daemon = new DaemonProcess(person, password, stdout);
  cleanups.push(async () => {
    daemon.process.kill("SIGKILL");
    await daemon.ended;
  });
  return daemon;
}

function daemonHere(person: Person): DaemonHere {
  const daemon = new DaemonHere(person, PASSWORD);
  cleanups.push(() => daemon.stop());
  return daemon;
}

test("the first line names the protocol, and messages are sent and received by requests and events", async () => {
  const [ana, bob] = [await registered("ana.lines"), await registered("bob.lines")];
  const [ours, theirs] = [daemonHere(ana), daemonHere(bob)];
  await Promise.all([ours.online(), theirs.online()]);
  expect(ours.lines[0]).toMatchObject({ event: "hello", protocol: 1, username: ana.name });
  const { message_id: id } = await ours.result("send", { to: bob.name, text: "hello\nBob" });
  await ours.line({ event: "delivery", id, state: "received" });
  const message = await theirs.line({ event: "message", id });
  expect(message).toMatchObject({ from: ana.name, text: "hello\nBob" });
});

test("its other faces are the commands of the same account", async () => {
  const [ana, bob] = [await registered("ana.faces"), await registered("bob.faces")];
  const [ours, theirs] = [daemonHere(ana), daemonHere(bob)];
  await Promise.all([ours.online(), theirs.online()]);
  const { code, events } = await ana.json(["send", bob.name, "beside"]);
  expect(code).toBe(0);
  await ours.line({ event: "delivery", id: events[0]?.["id"], state: "received" });
});

test("what is no request is answered with an error, and the next request is carried out", async () => {
  const daemon = daemonHere(await registered("ana.errors"));
  daemon.write('nonsense\n{"id":7}\n[1]\n{"id":8,"command":"send","to":"x"}\n');
  expect(await daemon.code("dance")).toBe("unknown_command");
  expect(await daemon.line({ id: 7 })).toMatchObject({ error: { code: "bad_request", message: "command" } });
  expect(await daemon.line({ id: 8 })).toMatchObject({ error: { code: "bad_request", message: "text" } });
  const unreadable = daemon.lines.filter(({ id }) => id === null);
  expect(unreadable).toMatchObject([
    { error: { code: "bad_request", message: "not a JSON object" } },
    { error: { code: "bad_request", message: "not a JSON object" } },
  ]);
  expect(await daemon.result("status")).toMatchObject({ username: "ana.errors" });
});

test("the end of standard input ends nothing; SIGTERM and SIGINT end it with 0", async () => {
  const [ana, bob] = [await registered("ana.ends"), await registered("bob.ends")];
  const daemon = await daemonOf(ana).online();
  await daemon.process.stdin.end();
  expect((await bob.run(["send", ana.name, "still there?"], { password: PASSWORD })).code).toBe(0);
  await daemon.line({ event: "message", text: "still there?" });
  expect((await daemon.stop()).code).toBe(0);
  const next = await daemonOf(ana, undefined).online();
  next.process.kill("SIGINT");
  expect((await next.ended).code).toBe(0);
});

/** The two ends of a pipe that nobody reads. */
function unreadPipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const path = join(world.folder, `pipe-${crypto.randomUUID()}`);
  Bun.spawnSync(["mkfifo", path]);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, "w");
  return { readEnd, writeEnd };
}

test("a reader of standard output that does not read ends it at 8 MiB, and others take the account over", async () => {
  const ana = await registered("ana.stalls");
  const stalled = daemonOf(ana, PASSWORD, unreadPipe().writeEnd);
  const program = await untilAttached(ana);
  const other = await daemonOf(ana, undefined).online();
  await makeEvents(program, 300).catch(() => undefined);
  const { code, stderr } = await stalled.ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("Nobody reads standard output"),
  });
  await other.online();
  expect(await other.result("status")).toMatchObject({ server: "online" });
  expect(other.lines.filter(({ event }) => event === "edited").length).toBeGreaterThan(200);
}, 60_000);

test("SIGTERM ends it within 3 s also while its output is not read", async () => {
  const ana = await registered("ana.stopped");
  const daemon = daemonOf(ana, PASSWORD, unreadPipe().writeEnd);
  await makeEvents(await untilAttached(ana), 10);
  const begin = performance.now();
  expect((await daemon.stop()).code).toBe(1);
  expect(performance.now() - begin).toBeLessThan(3_000);
});

test("output that cannot be written is a sentence and exit 1; a reader that has gone ends it with 0", async () => {
  const ana = await registered("ana.full");
  const full = openSync("/dev/full", "w");
  cleanups.push(() => closeSync(full));
  const lost = await daemonOf(ana, PASSWORD, full).ended;
  expect(lost).toEqual({ code: 1, stderr: expect.stringContaining("ENOSPC") });
  const { readEnd, writeEnd } = unreadPipe();
  const unread = daemonOf(ana, PASSWORD, writeEnd);
  closeSync(readEnd);
  expect(await unread.ended).toEqual({ code: 0, stderr: "" });
});

test("standard input that cannot be read is said in one sentence, and the daemon goes on", async () => {
  const ana = await registered("ana.folder");
  const flags = ["--server", ana.server, "--user", ana.name, "--data", ana.data, "--lang", "en"];
  const command = [process.execPath, "run", CLIENT_PROGRAM, "daemon", ...flags];
  const daemon = Bun.spawn(["sh", "-c", 'exec "$@" < /', "sh", ...command], {
    env: { ...process.env, ...FRIENDS, PALOMA_PASSWORD: PASSWORD },
    stderr: "pipe",
  });
  cleanups.push(() => daemon.kill("SIGKILL"));
  await Collected.of(daemon.stderr).line((line) => line.includes("Standard input cannot be read (EISDIR"));
  expect(await (await untilAttached(ana)).result("connect")).toEqual({});
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toBe(0);
});

test("a request over 256 KiB on standard input ends it with 2", async () => {
  const daemon = daemonOf(await registered("ana.long"));
  daemon.write(`{"command":"status","padding":"${"x".repeat(256 * 1024)}"}\n`);
  await daemon.line({ event: "error", code: "bad_request" });
  const { code, stderr } = await daemon.ended;
  expect({ code, stderr }).toEqual({ code: 2, stderr: "A request exceeds 256 KiB.\n" });
});

test("it is refused a password on standard input, and ends with 4 where the password is wrong", async () => {
  const ana = world.person("ana.wrong", port);
  await ana.register();
  const expected = { exit: 2, code: "usage", en: "PALOMA_PASSWORD", es: "PALOMA_PASSWORD" };
  await expectFailure(ana, ["daemon", "--password-stdin"], expected);
  const daemon = daemonOf(ana, "wrong password");
  expect((await daemon.ended).code).toBe(4);
  expect(daemon.lines.at(-1)).toMatchObject({ event: "error", code: "invalid_credentials" });
});

test("a logout beside it is answered, and ends it", async () => {
  const ana = await registered("ana.leaves");
  const [first, second] = [await daemonOf(ana).online(), await daemonOf(ana, undefined).online()];
  expect(await ana.run(["logout"])).toMatchObject({ code: 0, stderr: "" });
  for (const daemon of [first, second]) {
    expect((await daemon.ended).code).toBe(4);
    expect(daemon.lines.at(-1)).toMatchObject({ event: "error", code: "session_ended" });
  }
});

/** A program on the socket, once there is one. */
async function untilAttached(person: Person): Promise<SocketProgram> {
  const path = socketOf(person);
  while (!existsSync(path)) await Bun.sleep(10);
  const program = await SocketProgram.on(person);
  cleanups.push(() => program.leave());
  return program;
}
