import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { SERVER_CERTIFICATE_LIFETIME } from "../../src/identity/certificate.ts";
import { FIRST_REQUEST_TIMEOUT, IDLE_TIMEOUT } from "../../src/server/session/session.ts";
import { loginOf, registration, TestClient } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

type PeerCertificate = { getPeerX509Certificate(): { validTo: string } };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

describe("many requests on one connection", () => {
  test("a thousand in one write are answered in order, hashes among them", async () => {
    await server.addAccounts("ráfaga");
    const client = await server.tls();
    const requests = Array.from({ length: 1000 }, (_, id) =>
      id === 3 ? loginOf("ráfaga", { id }) : id % 250 === 100 ? registration(`ab`) : { action: "ping", id },
    ).map((request, id) => ({ ...request, id }));
    client.send(...requests);
    for (const request of requests) {
      const answer = await client.next();
      expect(answer["id"]).toBe(request.id);
    }
    client.close();
  });

  test("a client that asks for much and does not read is answered no further until it reads, and loses nothing", async () => {
    const { client: talker } = await server.online("habladora");
    talker.close();
    const client = await server.plain({ paused: true });
    const count = 20_000;
    const before = process.memoryUsage().rss;
    client.send(...Array.from({ length: count }, (_, id) => ({ action: "ping", id })));
    // Another connection is served meanwhile; the server holds far less than the 20 MB of answers.
    const other = await server.plain();
    for (let id = 0; id < 200; id++) expect(await other.ask({ action: "ping", id })).toMatchObject({ id });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    client.resume();
    for (let id = 0; id < count; id++) {
      const line = await client.nextLine();
      if (!line.endsWith(`"id":${id}}`)) expect(line).toEndWith(`"id":${id}}`);
    }
    for (const each of [client, other]) each.close();
  });
});

describe("silence", () => {
  test("a connection is dropped after 90 s without a byte, unless its client is a legacy one", async () => {
    await server.addAccounts("callada");
    const { client: modern } = await server.online("moderna");
    const legacy = await server.plain();
    await legacy.ask(loginOf("callada"));
    server.server.checkLiveness(performance.now() + IDLE_TIMEOUT - 5_000);
    expect(await modern.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    server.server.checkLiveness(performance.now() + IDLE_TIMEOUT + 1);
    await modern.closed;
    server.server.checkLiveness(performance.now() + FIRST_REQUEST_TIMEOUT + 1);
    expect(await legacy.ask({ action: "get_users" })).toMatchObject({ success: true });
    legacy.close();
  });

  test("a connection has ten minutes for its first request", async () => {
    const client = await server.plain();
    const used = await server.plain();
    await used.ask({ action: "get_users" });
    server.server.checkLiveness(performance.now() + FIRST_REQUEST_TIMEOUT - 5_000);
    expect(await used.ask({ action: "get_users" })).toMatchObject({ code: "not_logged_in" });
    server.server.checkLiveness(performance.now() + FIRST_REQUEST_TIMEOUT + 1);
    await client.closed;
    used.close();
  });
});

describe("the encrypted link", () => {
  test("plain text on the encrypted port ends that connection and no other", async () => {
    const { client } = await server.online("cifrada");
    const wrong = await TestClient.connect(server.tlsPort);
    wrong.write('{"action":"ping"}\n');
    await wrong.closed;
    expect(wrong.lines.join("")).not.toContain("pong");
    expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  });

  test("TLS 1.2 is refused", async () => {
    const openssl = Bun.spawn(["openssl", "s_client", "-connect", `127.0.0.1:${server.tlsPort}`, "-tls1_2"], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await openssl.exited).not.toBe(0);
    expect(await new Response(openssl.stderr).text()).toMatch(/protocol version/i);
  });

  test("the server's certificate is renewed while dials go on, and none is lost", async () => {
    let ahead = 0;
    const renewing = await TestServer.start({ now: () => Date.now() + ahead });
    const ends = new Set<number>();
    // Each step is past the renewal; this process's own clock accepts only what is not from the future, so
    // the server's clock starts in the past.
    ahead = -3 * SERVER_CERTIFICATE_LIFETIME;
    const dial = async () => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      let end = 0;
      await Bun.connect({
        hostname: "127.0.0.1",
        port: renewing.tlsPort,
        tls: { rejectUnauthorized: false, serverName: "rendezvous.paloma" },
        socket: {
          handshake(socket) {
            const { getPeerX509Certificate } = socket as unknown as PeerCertificate;
            end = Date.parse(getPeerX509Certificate.call(socket).validTo);
            socket.write('{"action":"ping"}\n');
          },
          data(socket) {
            resolve(end);
            socket.terminate();
          },
          close: () => reject(new Error("lost")),
        },
      });
      return promise;
    };
    for (let step = 0; step < 4; step++) {
      const dials = Array.from({ length: 25 }, dial);
      ahead += SERVER_CERTIFICATE_LIFETIME;
      for (const end of await Promise.all([...dials, ...Array.from({ length: 25 }, dial)])) ends.add(end);
    }
    expect(ends.size).toBeGreaterThanOrEqual(4);
    await renewing.stop();
  });
});

test("the plain port is closed with --plain-from none", async () => {
  const closed = await TestServer.start({ plainFrom: "none" });
  expect(closed.server.plain).toBeUndefined();
  expect(await (await closed.tls()).ask({ action: "ping" })).toMatchObject({ registration: "open" });
  await closed.stop();
});
