/** A server behind balancers that tell it, in a PROXY header, from where each connection comes. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { BlockList } from "node:net";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { HEADER_TIMEOUT } from "../../src/net/proxied/proxied-listener.ts";
import { startBalancer } from "./balancer.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { loginOf, newPublicKey, TestClient } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

const FROM = "PROXY TCP4 203.0.113.7 198.51.100.1 49152 8443\r\n";
const cleanups = cleanupsForEachTest();
let server: TestServer;
let names = 0;

beforeAll(async () => {
  const balancers = new BlockList();
  balancers.addAddress("127.0.0.1");
  server = await TestServer.start({ balancers, plainFrom: "none" });
});
afterAll(() => server.stop());

async function through(header: string | Buffer, together = false): Promise<TestClient> {
  const balancer = startBalancer(server.tlsPort, () => Buffer.from(header), together);
  cleanups.push(() => balancer.stop());
  const tls = { ca: server.authority, serverName: RENDEZVOUS_DNS_NAME, rejectUnauthorized: true };
  const client = await TestClient.connect(balancer.port, { tls });
  cleanups.push(() => client.close());
  return client;
}

async function login(client: TestClient): Promise<string> {
  const name = `persona${++names}`;
  await server.addAccounts(name);
  expect(await client.ask(loginOf(name, { public_key: newPublicKey() }))).toMatchObject({ code: "ok" });
  return name;
}

const seen = (name: string) => server.server.services.presence.find(name);

test.each([
  ["before the first bytes of TLS", false],
  ["in one segment with them", true],
])("a header %s tells the address and the port of the client", async (_when, together) => {
  const client = await through(FROM, together);
  const name = await login(client);
  expect(seen(name)).toMatchObject({ ip: "203.0.113.7" });
  expect(await client.ask({ action: "reach" })).toMatchObject({
    observed: { ip: "203.0.113.7", port: 49_152 },
  });
});

test("many connections at once each keep their own address, and much passes both ways", async () => {
  const clients = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const header = `PROXY TCP6 2001:db8::${index + 1} 2001:db8::ffff ${1_000 + index} 8443\r\n`;
      const client = await through(header, index % 2 === 0);
      return { client, name: await login(client), index };
    }),
  );
  for (const { client, name, index } of clients) {
    expect(seen(name)?.ip).toBe(`2001:db8::${index + 1}`);
    const pings = Array.from({ length: 200 }, (_, id) => ({ action: "ping", id }));
    client.send(...pings);
    for (const { id } of pings) expect(await client.next()).toMatchObject({ id });
  }
});

test.each(["PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n", "PROXY UNKNOWN\r\n"])(
  "who comes through a balancer is never on the server's own machine: %j",
  async (header) => {
    const name = await login(await through(header));
    expect(seen(name)?.session).toMatchObject({ isLocal: false, isInside: false });
  },
);

test("an end of the server reaches the client with its last words", async () => {
  const client = await through(FROM);
  client.write("no json\n".repeat(10));
  await client.closed;
  expect(client.lines.filter((line) => line.includes('"bad_json"'))).toHaveLength(10);
});

test("a client that leaves is offline at once", async () => {
  const client = await through(FROM);
  const name = await login(client);
  const watcher = await through(FROM);
  await login(watcher);
  await watcher.ask({ action: "watch", users: [name] });
  client.close();
  expect(await watcher.answer()).toMatchObject({ action: "presence", username: name, online: false });
});

describe("is closed without a word", () => {
  /** What a plain connection to the encrypted port gets. */
  async function raw(bytes: string | Buffer, from?: string): Promise<TestClient> {
    const client = await TestClient.connect(server.tlsPort, from === undefined ? {} : { from });
    cleanups.push(() => client.close());
    if (bytes.length > 0) client.write(bytes);
    return client;
  }

  test.each([
    ["a connection without a header", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a wrong header", "PROXY TCP4 203.0.113.7 198.51.100.1 49152 99999\r\n"],
  ])("%s", async (_what, bytes) => {
    const client = await raw(bytes);
    await client.closed;
    expect(client.lines).toEqual([]);
  });

  test("whoever is no balancer", async () => {
    const client = await raw(FROM, "127.0.0.2");
    await client.closed;
  });

  test("a header that does not come in time", async () => {
    const client = await raw("PROXY TCP4 203.0");
    // The server has read it by the time it serves another one.
    await login(await through(FROM));
    const real = performance.now.bind(performance);
    const clock = spyOn(performance, "now").mockImplementation(() => real() + HEADER_TIMEOUT);
    cleanups.push(() => clock.mockRestore());
    await client.closed;
  });
});
