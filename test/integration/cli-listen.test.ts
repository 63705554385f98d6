import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, cpSync, lstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

import { Profile } from "../../src/client/profile/profile.ts";
import {
  CLIENT_PROGRAM,
  expectNoTrace,
  FRIENDS,
  PASSWORD,
  World,
  type Client,
  type Person,
} from "./cli-process.ts";
import { Collected } from "./collected.ts";

setDefaultTimeout(90_000);

/** After a signal a process is gone by then, in ms (CLI). */
const GONE_WITHIN = 3_000;

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

async function loggedIn(name: string, at = port): Promise<Person> {
  const person = world.person(name, at);
  await person.register();
  expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  return person;
}

function textsOf(client: Client): unknown[] {
  return client.events.filter(({ event }) => event === "message").map(({ text }) => text);
}

async function goneAfter(client: Client, signal: "SIGINT" | "SIGTERM"): Promise<number> {
  const began = performance.now();
  client.signal(signal);
  await client.ended;
  return performance.now() - began;
}

test("with --relay only there is no port, from the registration on, until another command says otherwise", async () => {
  const ana = world.person("ana.relay", port);
  await ana.run(["register", "--relay", "only"], { password: PASSWORD });
  const listening = await ana.listen(PASSWORD);
  const beto = await loggedIn("beto.relay");
  const listed = async () => (await beto.list(["users"])).find(({ username }) => username === ana.name);
  expect(listening.events).toMatchObject([{ event: "ready", p2p_port: null }]);
  expect(await listed()).toMatchObject({ ip: "0.0.0.0", p2p_port: 1 });
  expect((await beto.run(["users"])).stdout).toContain("ana.relay  through the server only\n");
  expect((await ana.run(["whoami"])).stdout).toContain("\nThrough the server only: ");

  expect(await ana.run(["send", "--wait", "queued", "--relay", "auto", "beto.relay", "hola"])).toMatchObject({
    code: 0,
  });
  while ((await listed())?.["ip"] !== "127.0.0.1");
  expect((await ana.json(["whoami"])).events).toMatchObject([{ relay: "auto" }]);
  await listening.stop();
});

test("what was stored and not yet printed comes after `ready`, oldest first, once", async () => {
  const ana = await loggedIn("ana.stored");
  const texts = Array.from({ length: 700 }, (_, index) => `message ${index}`);
  const profile = Profile.open(ana.profileFolder);
  const contact = profile.contacts.ensure("beto.stored");
  const incoming = texts.map((text, index) => ({
    kind: "text" as const,
    id: `${index}`,
    text,
    sentAt: undefined,
    replyTo: undefined,
  }));
  profile.messages.commitRead(contact, { incoming, acknowledged: [], readUpTo: undefined }, Date.now());
  profile.close();

  const first = await ana.listen();
  await first.event({ text: "message 699" });
  expect(first.events[0]?.event).toBe("ready");
  expect(textsOf(first)).toEqual(texts);
  expect(first.events[1]).toMatchObject({ from: "beto.stored", sent_at: null });
  await first.stop();
  const second = await ana.listen();
  await second.stop();
  expect(textsOf(second)).toEqual([]);
});

test("a fault in a callback is reported, and what others send still arrives", async () => {
  const [ana, beto] = [await loggedIn("ana.fault"), await loggedIn("beto.fault")];
  const fault = join(world.folder, "fault.ts");
  writeFileSync(fault, `process.on("SIGUSR2", () => { throw new RangeError("made for a test"); });`);
  const faulty = { environment: { BUN_OPTIONS: `--preload=${fault}` } };
  const listening = ana.startApart(["listen", "--json"], faulty);
  await listening.event({ event: "ready" });
  listening.signal("SIGUSR2");
  await listening.event({ event: "error", code: "internal_error" });
  await listening.says("Internal error: made for a test");
  expect((await beto.run(["send", ana.name, "after the fault"])).code).toBe(0);
  await listening.event({ event: "message", text: "after the fault" });
  expect((await listening.stop()).code).toBe(0);
});

test("a message that was not written out when the process was killed is printed again", async () => {
  const [ana, beto] = [await loggedIn("ana.killed"), await loggedIn("beto.killed")];
  const fifo = join(world.folder, "fifo");
  expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
  const pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const flags = ["--server", beto.server, "--user", beto.name, "--data", beto.data];
  // Nobody reads this pipe, so it fills up.
  const stuck = Bun.spawn([process.execPath, "run", CLIENT_PROGRAM, "listen", "--json", ...flags], {
    env: { ...process.env, ...FRIENDS },
    stdout: pipe,
    stderr: "ignore",
  });
  const texts = Array.from({ length: 6 }, (_, index) => String(index).repeat(32_000));
  try {
    let online = false;
    while (!online) online = (await ana.run(["users"])).stdout.includes(beto.name);
    for (const text of texts) expect((await ana.run(["send", beto.name, text])).code).toBe(0);
  } finally {
    stuck.kill("SIGKILL");
    await stuck.exited;
  }
  const buffer = Buffer.alloc(1024 * 1024);
  const inPipe = buffer.toString("utf8", 0, readSync(pipe, buffer)).split("\n").slice(0, -1);
  closeSync(pipe);
  const seen = inPipe
    .map((line) => (JSON.parse(line) as { text?: string }).text)
    .filter((text) => text !== undefined);
  expect(seen.length).toBeLessThan(texts.length);

  const again = await beto.listen();
  await again.event({ text: texts.at(-1) });
  const printed = textsOf(again);
  await again.stop();
  expect(printed).toEqual(texts.slice(-printed.length));
  expect(printed.length + seen.length).toBeGreaterThanOrEqual(texts.length);
});

test("a reader that goes away ends it, and what it did not read is printed the next time", async () => {
  const [ana, beto] = [await loggedIn("ana.head"), await loggedIn("beto.head")];
  const flags = ["--server", beto.server, "--user", beto.name, "--data", beto.data];
  const pipeline = Bun.spawn(
    [
      "sh",
      "-c",
      '{ "$@"; echo "exit $?" >&2; } | { head -1; exec <&-; echo gone >&2; }',
      "sh",
      ...[process.execPath, "run", CLIENT_PROGRAM, "listen", "--json", ...flags],
    ],
    { stdout: "pipe", stderr: "pipe" },
  );
  const stdout = Collected.of(pipeline.stdout);
  const stderr = Collected.of(pipeline.stderr);
  expect(await stderr.line((line) => line === "gone")).toBe("gone");
  expect(JSON.parse(stdout.text)).toMatchObject({ event: "ready" });
  await ana.run(["send", beto.name, "into the void"]);
  expect(await stderr.line((line) => line.startsWith("exit"))).toBe("exit 0");
  await Promise.all([pipeline.exited, stdout.end, stderr.end]);
  expectNoTrace(stderr.text);
  const again = await beto.listen();
  await again.event({ text: "into the void" });
  await again.stop();
});

describe("a signal ends it within three seconds", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s while a peer is stopped in the middle of a link",
    async (signal) => {
      const [ana, beto] = [await loggedIn(`ana.${signal}`), await loggedIn(`beto.${signal}`)];
      expect((await ana.run(["send", "--wait", "queued", beto.name, "hello"])).code).toBe(0);
      const peer = await beto.listenApart();
      const listening = await ana.listen();
      await listening.event({ event: "delivery", state: "received" });
      peer.signal("SIGSTOP");
      expect(await goneAfter(listening, signal)).toBeLessThan(GONE_WITHIN);
      expect((await listening.ended).code).toBe(0);
      await peer.stop();
    },
  );

  test("while the server is stopped, and so is a peer that was sent something", async () => {
    const other = await world.serverApart("stopped.db");
    const [ana, beto] = [
      await loggedIn("ana.stop", other.tlsPort),
      await loggedIn("beto.stop", other.tlsPort),
    ];
    const peer = await beto.listenApart();
    peer.signal("SIGSTOP");
    expect((await ana.run(["send", "--wait", "queued", beto.name, "hello"])).code).toBe(0);
    const listening = await ana.listen();
    other.kill("SIGSTOP");
    expect(await goneAfter(listening, "SIGTERM")).toBeLessThan(GONE_WITHIN);
    const sending = ana.start(["send", "--json", beto.name, "more"]);
    await sending.event({ event: "delivery", state: "queued" });
    expect(await goneAfter(sending, "SIGTERM")).toBeLessThan(GONE_WITHIN);
    expect((await sending.ended).code).toBe(130);
    other.kill("SIGCONT");
    await peer.stop();
  });

  test("an interrupted send is exit 130, and its text is queued", async () => {
    const [ana, beto] = [await loggedIn("ana.int"), await loggedIn("beto.int")];
    const peer = await beto.listenApart();
    peer.signal("SIGSTOP");
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const sending = ana.start(["send", "--json", beto.name, signal]);
      await sending.event({ event: "delivery", state: "queued" });
      expect(await goneAfter(sending, signal)).toBeLessThan(GONE_WITHIN);
      expect((await sending.ended).code).toBe(130);
    }
    expect((await ana.list(["history", beto.name])).map(({ text }) => text)).toEqual(["SIGINT", "SIGTERM"]);
    await peer.stop();
  });
});

describe("without the server", () => {
  test("it keeps trying, and what comes after the server's return arrives", async () => {
    const other = await world.serverApart("returns.db");
    const at = other.tlsPort;
    const [ana, beto] = [await loggedIn("ana.returns", at), await loggedIn("beto.returns", at)];
    const online = await beto.listen();
    other.kill("SIGKILL");
    await other.exited;
    await online.says("No connection to the server");
    await online.says("New connections can be opened until 2");
    await online.stop();

    // Online here before, so that a server that is gone does not end it.
    const listening = beto.start(["listen", "--json", "--lang", "es"]);
    await listening.says("No se puede conectar al servidor");
    await listening.event({ event: "ready" });
    await listening.says("Hasta el 2");
    // Without a server, nobody is reported as online.
    const seen = ana.start(["listen", "--lang", "es"]);
    await seen.says("Hasta el 2");
    const { stdout, stderr } = await seen.stop();
    expect(stderr.match(/Hasta el 2/g)).toHaveLength(1);
    expect(stdout).toStartWith("ana.returns no figura en línea sin el servidor, pero quienes ya");
    await world.server("returns.db", at);
    await listening.says("Conectado de nuevo al servidor.");
    expect((await ana.run(["send", beto.name, "welcome back"])).code).toBe(0);
    await listening.event({ text: "welcome back" });
    expect(listening.events.filter(({ event }) => event === "ready")).toHaveLength(1);
    expect((await listening.stop()).code).toBe(0);
  });

  test("two who know each other's address go on", async () => {
    const other = await world.serverApart("gone.db");
    const at = other.tlsPort;
    const [ana, beto] = [await loggedIn("ana.direct", at), await loggedIn("beto.direct", at)];
    const listening = await beto.listen();
    expect((await ana.run(["send", beto.name, "with"])).code).toBe(0);
    other.kill("SIGKILL");
    await other.exited;
    const sent = await ana.run(["send", beto.name, "without"]);
    expect(sent).toMatchObject({ code: 0, stderr: "✓✓ received by beto.direct\n" });
    await listening.event({ text: "without" });
    await listening.stop();
  });
});

test("a connection that ends before it has proven anything is not reported, and one with a wrong proof is", async () => {
  const beto = await loggedIn("beto.lines");
  const listening = await beto.listen();
  const at = { host: "127.0.0.1", port: Number(listening.events[0]?.["p2p_port"]) };
  for (const isReset of [true, false]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect(at, () => (isReset ? socket.resetAndDestroy() : socket.destroy()));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
    await promise;
  }
  const isReported = () => listening.stderr.text.includes("Connection refused from");
  // At most one refusal is reported in a second.
  while (!isReported()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connectTls({ ...at, rejectUnauthorized: false });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
    await promise;
  }
  expect(listening.stderr.text).not.toMatch(/refused from .*: (?:E[A-Z]+$|closed|.*timeout)/m);
  await listening.stop();
});

test("the same session started from a copy of its folder ends the older one, and says so", async () => {
  const ana = await loggedIn("ana.copy");
  const older = await ana.listen();
  const copy = ana.elsewhere();
  // As tools for copies do; a socket cannot be copied.
  cpSync(ana.data, copy.data, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
  const newer = await copy.listen();
  expect(await older.ended).toMatchObject({ code: 4 });
  expect(older.events.at(-1)).toMatchObject({ event: "error", code: "session_replaced" });
  await newer.stop();
});
