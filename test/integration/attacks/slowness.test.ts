/**
 * Slow clients. A slow writer keeps a connection and its half-read message for ever, a slow reader lets its messages
 * pile up in the server: both use up its memory and its places.
 */
import { describe, expect, spyOn, test } from "bun:test";

import { HANDSHAKE_TIMEOUT, OBJECT_TIMEOUT } from "../../../src/net/connection.ts";
import { QUEUE_LIMIT } from "../../../src/net/outgoing.ts";
import { IDLE_TIMEOUT } from "../../../src/server/session/session.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { loginOf, TestClient } from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";

const cleanups = cleanupsForEachTest();

async function start(): Promise<TestServer> {
  const server = await TestServer.start();
  cleanups.push(() => server.stop());
  return server;
}

/** From now on this process's clock of silences can be put forward; deadlines are looked at by themselves. */
function movableClock(): { advance(ms: number): void } {
  let ahead = 0;
  const real = performance.now.bind(performance);
  const spy = spyOn(performance, "now").mockImplementation(() => real() + ahead);
  cleanups.push(() => spy.mockRestore());
  return { advance: (ms) => void (ahead += ms) };
}

describe("slow writers", () => {
  test("an object that comes byte by byte has ten seconds, however often bytes arrive", async () => {
    const server = await start();
    const clock = movableClock();
    const { client: other } = await server.online("ana");
    const slow = await server.plain();
    const bytes = [...'{"action":"login","username":"ana","password":"'];
    const step = (OBJECT_TIMEOUT - 1_000) / bytes.length;
    for (const byte of bytes) {
      slow.write(byte);
      // The server has read the byte before when it answers what came after it.
      await other.ask({ action: "ping" });
      clock.advance(step);
    }
    expect(slow.lines).toEqual([]);
    clock.advance(1_001);
    expect(await slow.next()).toMatchObject({ action: "error", code: "bad_request" });
    await slow.closed;
    expect(await other.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  });

  test("a handshake that stalls or trickles has ten seconds too, and people log in meanwhile", async () => {
    const server = await start();
    const clock = movableClock();
    // The beginning of a ClientHello that says it is long.
    const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
    const silent = await TestClient.connect(server.tlsPort);
    const half = await TestClient.connect(server.tlsPort);
    half.write(hello);
    const trickling = await TestClient.connect(server.tlsPort);
    const { client } = await server.online("ana");
    for (const byte of hello) {
      trickling.write(Uint8Array.of(byte));
      await client.ask({ action: "ping" });
      clock.advance((HANDSHAKE_TIMEOUT - 1_000) / hello.length);
    }
    expect(server.server.counts().tls).toBe(4);
    clock.advance(1_001);
    await Promise.all([silent.closed, half.closed, trickling.closed]);
    expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    expect(server.server.counts()).toMatchObject({ tls: 1, online: 1 });
  });

  test("blanks between objects keep a connection open no longer than silence would", async () => {
    const server = await start();
    const clock = movableClock();
    const { client: watcher } = await server.online("ana");
    const { client } = await server.online("beto");
    for (let count = 0; count < 20; count++) {
      client.write("\n ");
      await watcher.ask({ action: "ping" });
      clock.advance(IDLE_TIMEOUT / 10);
    }
    // The connection is alive, and stays online.
    server.server.checkLiveness(performance.now());
    expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    clock.advance(IDLE_TIMEOUT + 1);
    server.server.checkLiveness(performance.now());
    await client.closed;
  });
});

describe("slow readers", () => {
  /** Most that the server may have grown, in bytes: a few times what is queued to one connection. */
  const MOST_GROWTH = 64 * QUEUE_LIMIT;
  /** More than what the kernel takes for one connection together with our queue. */
  const MOST_PUSHES = 2_000_000;

  test("a client that never reads its notifications is dropped when 1 MiB waits, and nobody else notices", async () => {
    const server = await start();
    const { client: talker } = await server.online("ana");
    const { client: reader } = await server.online("lectora");
    expect(await reader.ask({ action: "watch", users: ["ana"] })).toMatchObject({ online: ["ana"] });
    await server.addAccounts("sorda");
    const deaf = await server.plain({ paused: true });
    deaf.send(loginOf("sorda", { public_key: undefined, id: 1 }), { action: "watch", users: ["ana"], id: 2 });
    while (server.server.services.presence.find("sorda") === undefined) await talker.ask({ action: "ping" });
    await talker.ask({ action: "ping" });
    const before = process.memoryUsage().rss;
    const session = server.server.services.seats.own().find(({ fold }) => fold === "sorda")?.session;
    let pushes = 0;
    while (server.server.services.presence.find("sorda") !== undefined && pushes < MOST_PUSHES) {
      // As when somebody who is watched comes and goes.
      for (let count = 0; count < 500; count++) session?.pushPresence("ana", count % 2 === 0);
      pushes += 500;
      await talker.ask({ action: "ping" });
    }
    expect(pushes).toBeLessThan(MOST_PUSHES);
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_GROWTH);
    const dropped = server.log.filter((line) => line.includes("queue_overflow"));
    expect(dropped.map((line) => (JSON.parse(line) as { user: string }).user)).toEqual(["sorda"]);
    expect(server.server.counts().online).toBe(2);
    // A client that reads has lost nothing: it is notified that ana has gone.
    talker.close();
    expect(await reader.next()).toEqual({ action: "presence", username: "ana", online: false });
  });

  test("a client that asks without reading is answered no further, and dropped when notifications pile up", async () => {
    const server = await start();
    const { client: talker } = await server.online("ana");
    await server.addAccounts("sorda");
    const deaf = await server.plain({ paused: true });
    const count = 100_000;
    deaf.send(loginOf("sorda", { id: 0 }));
    for (let id = 0; id < count; id += 1_000) {
      deaf.send(...Array.from({ length: 1_000 }, (_, index) => ({ action: "ping", id: id + index })));
    }
    while (server.server.services.presence.find("sorda") === undefined) await talker.ask({ action: "ping" });
    const before = process.memoryUsage().rss;
    for (let id = 0; id < 300; id++) await talker.ask({ action: "ping", id });
    // Paused: 100,000 answers with the authority's certificate would be 80 MB.
    expect(server.server.services.presence.find("sorda")).toBeDefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_GROWTH);
    const session = server.server.services.seats.own().find(({ fold }) => fold === "sorda")?.session;
    const isOnline = () => server.server.services.presence.find("sorda") !== undefined;
    for (let pushes = 0; pushes < 2 * (QUEUE_LIMIT / 50) && isOnline(); pushes += 500) {
      for (let each = 0; each < 500; each++) session?.pushPresence("ana", each % 2 === 0);
      await talker.ask({ action: "ping" });
    }
    expect(server.server.services.presence.find("sorda")).toBeUndefined();
    expect(server.log.some((line) => line.includes("queue_overflow"))).toBe(true);
  });
});
