/** `doctor`, with a server and people in this process: what it finds out is the machine's own network. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import { PASSWORD, World, type Event, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const CHECKS = ["server", "addresses", "port", "nat", "router", "dial_back", "local_network"];
const world = new World();
let ana: Person;

beforeAll(async () => {
  const { tlsPort } = await world.server();
  ana = world.person("ana.doctor", tlsPort);
  await ana.register();
});
afterAll(() => world.close());

function read(stdout: string): Event[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Event);
}

test("a client on the server's machine is reached directly, and whoever has the account online answers", async () => {
  const listening = await ana.listen(PASSWORD);
  const { code, stdout } = await ana.run(["doctor", "--json"]);
  const events = read(stdout);
  expect(events.map(({ check }) => check)).toEqual([...CHECKS, undefined]);
  expect(events.find(({ check }) => check === "port")).toMatchObject({ command: "listen", state: "good" });
  expect(events.find(({ check }) => check === "router")).toMatchObject({ asked: false, state: "unknown" });
  expect(events.find(({ check }) => check === "local_network")).toMatchObject({ on: false });
  expect(events.at(-1)).toMatchObject({
    event: "doctor",
    verdict: "direct",
    relay_bytes_left: expect.any(Number),
  });
  expect(code).toBe(0);
  await listening.stop();
});

test("without the server it says what can be said, and ends with 3", async () => {
  const { code, stdout, stderr } = await ana.at("127.0.0.1:1").run(["doctor", "--lang", "es"]);
  expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
  expect(stdout).toContain("✘ Servidor: No se puede conectar al servidor 127.0.0.1:1");
  expect(stdout).toContain("Nadie llega a usted ahora.\n");
});

test("what was tried towards a person is said step by step, and whether they are reached", async () => {
  const beto = world.person("beto.doctor", Number(ana.server.split(":")[1]));
  await beto.register();
  const listening = await beto.listen(PASSWORD);
  const { code, stdout } = await ana.run(["doctor", beto.name, "--json"]);
  const events = read(stdout);
  const [ip, port] = ["127.0.0.1", listening.events.find(({ event }) => event === "ready")?.["p2p_port"]];
  expect(events.find(({ way }) => way === "lookup")).toMatchObject({ username: beto.name });
  expect(events.find(({ way }) => way === "direct")).toMatchObject({
    event: "tried",
    ip,
    port,
    kind: "direct",
  });
  expect(events.at(-1)).toEqual({
    event: "doctor",
    username: beto.name,
    reason: null,
    link: expect.objectContaining({ way: "direct", address: `${ip}:${port}` }),
  });
  expect(code).toBe(0);
  await listening.stop();
});

test("somebody who is not there is not reached, and neither oneself nor whoever is blocked is tried", async () => {
  const { code, stdout } = await ana.run(["doctor", "nobody.here"]);
  expect({ code, stdout }).toEqual({
    code: 5,
    stdout: "✘ The server says that nobody.here is not online.\nnobody.here is not online.\n",
  });
  expect((await ana.run(["doctor", ana.name])).code).toBe(2);
  await ana.run(["contacts", "block", "beto.doctor"]);
  const { code: refused, events } = await ana.json(["doctor", "beto.doctor"]);
  expect([refused, events.at(-1)?.["code"]]).toEqual([4, "blocked"]);
});

test("a first login that is refused is refused as with any other command", async () => {
  const { code, events } = await ana.elsewhere().json(["doctor"], { password: "wrong" });
  expect([code, events]).toEqual([
    4,
    [expect.objectContaining({ event: "error", code: "invalid_credentials" })],
  ]);
});
