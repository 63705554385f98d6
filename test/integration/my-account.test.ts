/** The account itself over the socket of the process that has it online: password, deletion, and what others are told. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

import { SHARING_PROTOCOL } from "../../src/client/sharing/socket-place.ts";
import { encodeFrame } from "../../src/protocol/framing.ts";
import { PASSWORD, World, type Person } from "./cli-process.ts";
import { DaemonHere, SocketProgram, socketOf } from "./daemon-process.ts";

setDefaultTimeout(60_000);

const NEW_PASSWORD = "another correct horse";

let world: World;
let port: number;
let bob: DaemonHere;

beforeAll(async () => {
  world = new World();
  port = (await world.server()).tlsPort;
  bob = await (await daemonOf("bob")).online();
});
afterAll(async () => {
  await bob.stop();
  await world.close();
});

async function registered(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  return person;
}

async function daemonOf(name: string): Promise<DaemonHere> {
  return new DaemonHere(await registered(name), PASSWORD);
}

/** Sends bob a text, which arrives. */
async function reachesBob(program: DaemonHere): Promise<void> {
  const { message_id: id } = await program.result("send", { to: "bob", text: "still here" });
  await program.line({ event: "delivery", id, state: "received" });
}

describe("a changed password", () => {
  test("ends the other sessions; the process that has the account and those beside it go on", async () => {
    const ana = await registered("ana.changes");
    const elsewhere = ana.elsewhere();
    expect(await elsewhere.run(["users"], { password: PASSWORD })).toMatchObject({ code: 0 });
    const daemon = await new DaemonHere(ana, PASSWORD).online();
    await reachesBob(daemon);
    const [beside, other] = [await SocketProgram.on(ana), await SocketProgram.on(ana)];
    const change = { password: PASSWORD, new_password: NEW_PASSWORD };
    expect(await beside.code("change_password", { ...change, password: "not hers" })).toBe(
      "invalid_credentials",
    );
    expect(await beside.code("change_password", { ...change, new_password: "short" })).toBe("weak_password");
    expect(await beside.code("change_password", { password: PASSWORD })).toBe("bad_request");
    expect(await beside.result("change_password", change)).toEqual({});
    // Also the certificate goes on: a new direct link is made with it.
    await bob.result("open_chat", { username: ana.name });
    await bob.line({ event: "connected", username: ana.name });
    await reachesBob(daemon);
    for (const program of [daemon, beside, other])
      expect(await program.result("status")).toMatchObject({ server: "online", reachable: true });
    expect(await elsewhere.run(["users"])).toMatchObject({ code: 4 });
    for (const program of [beside, other]) program.leave();
    await daemon.stop();
    // The session that is stored here is the one that was kept; elsewhere it takes the new password.
    expect(await ana.run(["users"])).toMatchObject({ code: 0 });
    expect(await elsewhere.run(["users"], { password: PASSWORD })).toMatchObject({ code: 4 });
    expect(await elsewhere.run(["users"], { password: NEW_PASSWORD })).toMatchObject({ code: 0 });
  });

  test("is not asked for again when the process that was asked ends without an answer", async () => {
    const ana = await registered("ana.asks");
    const asked: unknown[] = [];
    const serving = createServer((socket) => {
      socket.write(
        encodeFrame({ event: "hello", protocol: SHARING_PROTOCOL, version: "0", username: ana.name }),
      );
      createInterface({ input: socket }).on("line", (line) => {
        const { id, command } = JSON.parse(line) as { id: number; command: string };
        asked.push(command);
        if (command !== "change_password") socket.write(encodeFrame({ id, result: {} }));
        else {
          serving.close();
          socket.destroy();
        }
      });
    });
    serving.listen(socketOf(ana));
    await once(serving, "listening");
    const daemon = await new DaemonHere(ana, PASSWORD).online();
    const change = { password: PASSWORD, new_password: NEW_PASSWORD };
    expect(await daemon.code("change_password", change)).toBe("server_timeout");
    expect(asked.filter((command) => command === "change_password")).toHaveLength(1);
    // The daemon has the account now, and nobody has changed the password.
    expect(await daemon.result("change_password", change)).toEqual({});
    await daemon.stop();
  });
});

test("a deleted account is gone at the server, every process ends, and its messages stay on this disk", async () => {
  const ana = await registered("ana.leaves");
  const daemon = await new DaemonHere(ana, PASSWORD).online();
  await reachesBob(daemon);
  const beside = await SocketProgram.on(ana);
  expect(await beside.code("delete_account", { password: "not hers" })).toBe("invalid_credentials");
  expect(await daemon.result("status")).toMatchObject({ server: "online" });
  expect(await beside.result("delete_account", { password: PASSWORD })).toEqual({});
  await beside.line({ event: "server", state: "stopped" });
  expect((await daemon.ended).code).toBe(4);
  expect(await ana.run(["users"], { password: PASSWORD })).toMatchObject({ code: 4 });
  expect(await ana.list(["history", "bob"])).toMatchObject([{ text: "still here" }]);
});

describe("what others are told", () => {
  test("is chosen for everybody and for one person, holds for every process, and outlives them", async () => {
    const ana = await registered("ana.private");
    let daemon = await new DaemonHere(ana, PASSWORD).online();
    let beside = await SocketProgram.on(ana);
    expect(await beside.result("privacy")).toEqual({ read: "default", typing: "default", people: [] });
    await bob.result("open_chat", { username: ana.name });
    await bob.line({ event: "connected", username: ana.name });
    /** Bob writes; ana reads it and types, and answers. @returns what bob was told before the answer came. */
    const toldToBob = async (text: string): Promise<unknown[]> => {
      const from = bob.lines.length;
      const { message_id: id } = await bob.result("send", { to: ana.name, text });
      const { seq } = await daemon.line({ event: "message", id });
      await daemon.result("typing", { username: "bob", active: true });
      await beside.result("mark_read", { username: "bob", seq });
      const answer = await beside.result("send", { to: "bob", text: `answer to ${text}` });
      await bob.line({ event: "message", id: answer["message_id"] }, from);
      return bob.lines
        .slice(from)
        .filter(
          ({ event, state, from: by, username }) =>
            by === undefined &&
            (username ?? ana.name) === ana.name &&
            (event === "typing" || state === "read"),
        )
        .map(({ event, state }) => (event === "typing" ? "typing" : state))
        .toSorted();
    };
    expect(await toldToBob("one")).toEqual(["read", "typing"]);
    expect(await beside.result("set_privacy", { read: "off" })).toEqual({});
    expect(await toldToBob("two")).toEqual(["typing"]);
    await daemon.result("set_privacy", { username: "BOB", typing: "off" });
    expect(await toldToBob("three")).toEqual([]);
    beside.leave();
    await daemon.stop();
    daemon = await new DaemonHere(ana).online();
    beside = await SocketProgram.on(ana);
    await daemon.line({ event: "connected", username: "bob" });
    expect(await toldToBob("four")).toEqual([]);
    expect(await beside.result("privacy")).toEqual({
      read: "off",
      typing: "default",
      people: [{ username: "bob", read: "default", typing: "off" }],
    });
    await beside.result("set_privacy", { username: "bob", read: "on", typing: "default" });
    // Reading is told up to a message, and so with those before it.
    expect(await toldToBob("five")).toEqual(["read", "read", "read", "read", "typing"]);
    for (const fields of [{ username: ana.name, read: "off" }, { username: "x" }, { read: "no" }])
      expect(await beside.code("set_privacy", fields)).toMatch(/^(?:to_oneself|bad_request)$/);
    beside.leave();
    await daemon.stop();
  });
});
