/** `daemon`: an account online for programs, on standard input and output and on the socket, and how it ends. */
import { afterAll, beforeAll, expect, test } from "bun:test";

import { PASSWORD, World, type Person } from "./cli-process.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { DaemonProcess } from "./daemon-process.ts";

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

function daemonOf(person: Person, password: string | undefined = PASSWORD): DaemonProcess {
  const daemon = new DaemonProcess(person, [], password);
  cleanups.push(async () => {
    daemon.process.kill("SIGKILL");
    await daemon.ended;
  });
  return daemon;
}

test("the first line names the protocol, and messages are sent and received by requests and events", async () => {
  const [ana, bob] = [await registered("ana.lines"), await registered("bob.lines")];
  const [ours, theirs] = [daemonOf(ana), daemonOf(bob)];
  await Promise.all([ours.online(), theirs.online()]);
  expect(ours.lines[0]).toMatchObject({ event: "hello", protocol: 1, username: ana.name });
  const { message_id: id } = await ours.result("send", { to: bob.name, text: "hello\nBob" });
  await ours.line({ event: "delivery", id, state: "received" });
  const message = await theirs.line({ event: "message", id });
  expect(message).toMatchObject({ from: ana.name, text: "hello\nBob" });
});

test("its other faces are the commands of the same account", async () => {
  const [ana, bob] = [await registered("ana.faces"), await registered("bob.faces")];
  const [ours, theirs] = [daemonOf(ana), daemonOf(bob)];
  await Promise.all([ours.online(), theirs.online()]);
  const { code, events } = await ana.json(["send", bob.name, "beside"]);
  expect(code).toBe(0);
  await ours.line({ event: "delivery", id: events[0]?.["id"], state: "received" });
});

test("what is no request is answered with an error, and the next request is carried out", async () => {
  const daemon = daemonOf(await registered("ana.errors"));
  daemon.write('nonsense\n{"id":7}\n[1]\n{"id":8,"command":"send","to":"x"}\n');
  expect(await daemon.code("dance")).toBe("unknown_command");
  expect(await daemon.line({ id: 7 })).toMatchObject({ error: { code: "bad_request", message: "command" } });
  expect(await daemon.line({ id: 8 })).toMatchObject({ error: { code: "bad_request", message: "text" } });
  const unreadable = daemon.lines.filter(({ id }) => id === null);
  expect(unreadable).toMatchObject([
    { error: { code: "bad_request", message: "garbage" } },
    { error: { code: "bad_request", message: "garbage" } },
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
