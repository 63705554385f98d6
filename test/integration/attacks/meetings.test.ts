/**
 * The meeting port and the relay. The attacker wants their places and bytes, somebody's attention, or the server's
 * memory, and to keep others from meeting.
 */
import { expect, test } from "bun:test";

import { DEFAULT_RELAY_LIMITS, type RelayLimits } from "../../../src/server/limits/limits.ts";
import { seededRandom } from "../../seeded-random.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { MeetingParty, relayedPair } from "../meeting-party.ts";
import { later } from "../messenger-pair.ts";
import { TestServer } from "../rendezvous-test-server.ts";
import type { Message, TestClient } from "../rendezvous-test-client.ts";

const READ = 512 * 1024;
const cleanups = cleanupsForEachTest();

async function start(limits: Partial<RelayLimits> = {}): Promise<{ server: TestServer; port: number }> {
  const relay = { ...DEFAULT_RELAY_LIMITS, ...limits };
  const meeting = { port: 0, isAsked: true, hosts: [], relay };
  const server = await TestServer.start({ meeting });
  cleanups.push(() => server.stop());
  return { server, port: server.server.services.meetingPlaces()[0]?.port ?? 0 };
}

async function reaching(server: TestServer, name: string): Promise<TestClient> {
  const { client } = await server.online(name);
  await client.ask({ action: "reach" });
  return client;
}

test("a user who asks for 1,000 meetings gets few, and disturbs nobody who asks for one", async () => {
  const { server } = await start();
  const targets = ["objetivo1", "objetivo2", "objetivo3", "objetivo4", "objetivo5", "objetivo6"];
  const clients: TestClient[] = [];
  for (const name of targets) clients.push(await reaching(server, name));
  const attacker = await reaching(server, "insistente");
  for (let index = 0; index < 1_000; index++) {
    attacker.send({ action: "connect", target_user: targets[index % targets.length] as string, id: index });
  }
  const codes = new Map<unknown, number>();
  for (let index = 0; index < 1_000; index++) {
    const { code } = await attacker.answer();
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  // Four are open; joining those again is answered too, 6 times a minute each.
  expect(codes.get("ok")).toBeLessThanOrEqual(24);
  expect((codes.get("ok") ?? 0) + (codes.get("rate_limited") ?? 0)).toBe(1_000);
  const friend = await reaching(server, "amiga");
  expect(await friend.ask({ action: "connect", target_user: "objetivo1" })).toHaveProperty("code", "ok");
  const told: Message[] = [];
  for (const client of clients) {
    client.send({ action: "ping", id: "end" });
    for (let next = await client.answer(); next["id"] !== "end"; next = await client.answer())
      told.push(next);
  }
  expect(told.filter(({ username }) => username === "insistente")).toHaveLength(4);
});

test("noise at the meeting port, whole or cut, ends its connections and nothing else", async () => {
  const { server, port } = await start();
  const random = seededRandom(16);
  const pieces = [
    '{"action":"meet","ticket":"',
    "x".repeat(43),
    '"}\n',
    '{"action":"pong","n":1}\n',
    "\n",
    "{",
  ];
  for (let round = 0; round < 200; round++) {
    const party = await MeetingParty.connect(port);
    for (let piece = 0; piece < 4; piece++) {
      party.write(random.integer(2) === 0 ? random.pick(pieces) : random.bytes(1 + random.integer(700)));
    }
    party.write("\n\n");
    await party.closed;
    expect(party.lines).toEqual([]);
  }
  const pair = await relayedPair(server, ["ana", "benito"]);
  pair[0].write("still here");
  await pair[1].until("still here");
  for (const party of pair) party.close();
});

test("512 connections without a seat fill the port for a second, and then the oldest gives way", async () => {
  const { port } = await start();
  const crowd: MeetingParty[] = [];
  for (let each = 0; each < 512; each++)
    crowd.push(await MeetingParty.connect(port, { from: `127.9.${each >> 4}.1` }));
  const early = await MeetingParty.connect(port);
  expect(await early.next()).toBeUndefined();
  await later(1_000, async () => {
    const late = await MeetingParty.connect(port);
    await crowd[0]?.closed;
    late.say({ action: "observe", ticket: "x".repeat(43) });
    expect(await late.next()).toBeUndefined();
  });
  for (const party of crowd) party.close();
});

test("seats that never speak are closed after 10 s, and their meetings with them", async () => {
  const { server, port } = await start();
  const attacker = await reaching(server, "mudo");
  const seats: MeetingParty[] = [];
  for (const target of ["uno1", "dos2", "tres3", "cuatro4"]) {
    await reaching(server, target);
    const { ticket } = await attacker.ask({ action: "connect", target_user: target });
    const seat = await MeetingParty.connect(port);
    seat.say({ action: "meet", ticket });
    expect(await seat.next()).toHaveProperty("action", "ping");
    seats.push(seat);
  }
  await reaching(server, "cinco5");
  const fifth = { action: "connect", target_user: "cinco5" };
  expect(await attacker.ask(fifth)).toHaveProperty("code", "rate_limited");
  await later(10_000, async () => {
    for (const seat of seats) await seat.closed;
  });
  for (const _ of seats) expect(await attacker.answer()).toHaveProperty("action", "gone");
  expect(await attacker.ask(fifth)).toHaveProperty("code", "ok");
});

test("whose day's bytes are used up still chats, and who was asked by a stranger has used none", async () => {
  const { server } = await start({ bytesPerDay: 1_000 });
  const [ana, benito] = await relayedPair(server, ["ana", "benito"]);
  ana.write("x".repeat(2_000));
  await benito.until("x".repeat(2_000));
  const { client } = await server.online("ana");
  expect(await client.ask({ action: "reach" })).toHaveProperty("relay_bytes_left", 0);
  const asked = await server.online("benito");
  expect(await asked.client.ask({ action: "reach" })).toHaveProperty("relay_bytes_left", 1_000);
  benito.write("still here");
  await ana.until("still here");
  for (const party of [ana, benito]) party.close();
});

test("readers that read nothing hold one read each, and their pairs stop nobody", async () => {
  const { server } = await start();
  const { relay, metrics } = server.server.services;
  const pairs: [MeetingParty, MeetingParty][] = [];
  const flood = Buffer.alloc(8 * READ);
  for (let pair = 0; pair < 12; pair++) {
    const [writer, reader] = await relayedPair(server, [`escribe${pair}`, `calla${pair}`]);
    pairs.push([writer, reader]);
    reader.pause();
    writer.write(flood);
  }
  const friends = await relayedPair(server, ["ana", "benito"]);
  pairs.push(friends);
  for (let round = 1; round <= 100; round++) {
    friends[0].write("?");
    await friends[1].until("?".repeat(round));
    friends[1].write("!");
    await friends[0].until("!".repeat(round));
  }
  expect(relay.pairs).toBe(13);
  // Of what they want, each gets its first burst.
  expect(metrics.relayedBytes).toBeLessThan(12 * flood.length);
  for (const party of pairs.flat()) party.close();
});
