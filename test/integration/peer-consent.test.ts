/** What a stranger gets of a real port: their first texts stored, the others held, and nothing at all once blocked. */
import { afterEach, beforeEach, expect, test } from "bun:test";

import { statSync } from "node:fs";

import { profileFile } from "../../src/client/disk/folders.ts";
import { MAX_REQUEST } from "../../src/client/conversation/consent.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { listPeople } from "../../src/client/people.ts";
import { Company, until, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

let company: Company;
let ana: Person;

/** Each has one key. */
const identities = new Map<string, TlsIdentity>();

beforeEach(async () => {
  identities.clear();
  company = await Company.meet();
  ana = await company.person("ana", { who: "requests" });
});
afterEach(() => company.close());

/** Greets ana in this name; a client of nobody in particular, which names no feature. */
async function greets(name = "carla"): Promise<RawPeer> {
  const identity = identities.get(name) ?? company.identity(name);
  identities.set(name, identity);
  const peer = await RawPeer.dial(ana.port, { identity });
  expect((await peer.next())["features"]).toContain("consent1");
  peer.send({ action: "hello", protocol: 1, username: name, features: [] });
  return peer;
}

/** As `greets`, while an older link is there still: they are asked whether the new one is complete for them, too. */
async function greetsAgain(): Promise<RawPeer> {
  const peer = await greets();
  expect(await peer.next()).toEqual({ action: "ping" });
  return peer;
}

function texts(...ids: string[]): { message: string; id: string }[] {
  return ids.map((id) => ({ message: `text ${id}`, id }));
}

const HELD = { action: "held" };
const delivered = (...ids: string[]) => ({ action: "delivered", ids });
const strangers = () => ana.profile.contacts.all();

test("nothing of a stranger is stored before their first text, and three of them are; `held` answers the rest, once", async () => {
  const peer = await greets();
  peer.send({ action: "typing", active: true }, { action: "read", id: "x" }, { action: "ping" });
  expect(await peer.next()).toEqual({ action: "pong" });
  expect(strangers()).toEqual([]);
  peer.send(...texts("1", "2", "1"));
  expect(await peer.next()).toEqual(delivered("1", "2", "1"));
  peer.send(...texts("3", "4", "5"), { action: "edit", id: "e", target: "1", text: "other" });
  expect([await peer.next(), await peer.next()]).toEqual([delivered("3"), HELD]);
  // Also what is there already, and what would fit: nothing more of this link is taken.
  peer.send(...texts("1", "6"), { action: "withdraw", id: "w", target: "1" }, { action: "ping" });
  expect(await peer.next()).toEqual({ action: "pong" });
  expect(ana.of("request").map(({ from, count }) => [from, count])).toEqual([
    ["carla", 2],
    ["carla", 3],
  ]);
  expect([ana.texts(), ana.of("typing"), ana.of("connected")]).toEqual([[], [], []]);
  expect(strangers().map(({ username }) => username)).toEqual(["carla"]);

  const again = await greetsAgain();
  again.send(...texts("1", "2", "3", "4"));
  expect([await again.next(), await again.next()]).toEqual([delivered("1", "2", "3"), HELD]);
});

test("a stranger's flood is read slowly, and a contact's is not", async () => {
  const flood = Array.from({ length: 20_000 }, () => ({ action: "ping" }));
  ana.messenger.decisions.decide("dora", "add");
  const friend = await greets("dora");
  const peer = await greets();
  peer.send(...flood);
  await until(() => peer.lines.length > 300);
  friend.send(...flood);
  await until(() => friend.lines.length > flood.length);
  expect(peer.lines.length).toBeLessThan(flood.length / 10);
});

test("a first text that does not fit is a request without a text", async () => {
  const peer = await greets();
  peer.send({ message: "x".repeat(MAX_REQUEST.bytes + 1), id: "1" });
  expect(await peer.next()).toEqual(HELD);
  await until(() => ana.of("request").length === 1);
  expect(ana.of("request")).toMatchObject([{ from: "carla", count: 0 }]);
  const { people } = await listPeople(ana.messenger);
  expect(people).toMatchObject([{ username: "carla", state: "request", request: 0, unread: 0 }]);
});

test("accepting ends a link on which texts were held, and is told until a text has arrived", async () => {
  const peer = await greets();
  peer.send(...texts("1", "2", "3", "4"));
  expect([await peer.next(), await peer.next()]).toEqual([delivered("1", "2", "3"), HELD]);
  ana.messenger.decisions.decide("carla", "accept");
  const told = [await peer.next(), await peer.next(), await peer.next()].map(({ action }) => action);
  expect(told).toEqual(["accepted", "ping", "bye"]);
  await peer.closed;
  const again = await greets();
  expect((await again.next())["action"]).toBe("accepted");
  again.send(...texts("4"));
  expect((await again.next())["action"]).toBe("ping");
  expect(await again.next()).toEqual(delivered("4"));
  expect(ana.texts("carla")).toEqual(["text 4"]);
  again.terminate();
  await again.closed;
  const third = await greets();
  third.send({ action: "ping" });
  expect(await third.next()).toEqual({ action: "pong" });
});

test("an answer is told before it, and takes what was held", async () => {
  const peer = await greets();
  peer.send(...texts("1"));
  await peer.next();
  ana.messenger.outbox.send("carla", "hola");
  const next = [await peer.next(), await peer.next(), await peer.next()];
  expect(next).toMatchObject([{ action: "accepted" }, { action: "ping" }, { message: "hola" }]);
});

test("`held` and `accepted` in turns are told once, and lose nothing", async () => {
  ana.messenger.outbox.send("carla", "hola");
  for (let link = 0; link < 3; link++) {
    const peer = await greets();
    expect(await peer.next()).toMatchObject({ message: "hola" });
    for (let count = 0; count < 20; count++) peer.send({ action: "held" }, { action: "accepted" });
    peer.send({ action: "ping" });
    expect(await peer.next()).toEqual({ action: "pong" });
    peer.terminate();
    await peer.closed;
  }
  await until(() => ana.of("disconnected").length === 3);
  expect(ana.of("accepted")).toHaveLength(1);
  expect(ana.of("held")).toHaveLength(3);
  const last = await greets();
  const { id } = await last.next();
  last.send(delivered(String(id)));
  await until(() => ana.received("carla") === 1);
});

test("whatever who was declined sends, nothing is stored and nobody is told", async () => {
  const before = await greets();
  before.send(...texts("1"));
  await before.next();
  ana.messenger.decisions.decide("carla", "decline");
  expect(ana.profile.history.find(ana.profile.contacts.ensure("carla"), "1")).toBeUndefined();
  const told = ana.events.length;
  const { size } = statSync(profileFile(ana.profile.folder));
  const peer = await greetsAgain();
  peer.send(
    { action: "typing", active: true },
    { action: "read", id: "1" },
    { action: "error", code: "storage_failed" },
    { action: "verify_commit", hash: "a".repeat(128) },
    ...texts("1", ...Array.from({ length: 200 }, (_, index) => `new ${index}`)),
    { action: "edit", id: "e", target: "1", text: "other" },
    { action: "withdraw", id: "w", target: "1" },
  );
  expect([await peer.next(), await peer.next()]).toEqual([delivered("1"), HELD]);
  for (const each of [before, peer]) each.terminate();
  await peer.closed;
  expect(ana.events.slice(told)).toEqual([]);
  expect(ana.profile.messages.lastSeq()).toBe(1);
  expect(ana.profile.consents.requests()).toEqual([]);
  expect(statSync(profileFile(ana.profile.folder)).size).toBe(size);
});

test("who is blocked sees the connection close after the proof, without a byte, and nobody is told", async () => {
  const before = await greets();
  before.send(...texts("1"));
  await before.next();
  ana.messenger.decisions.decide("carla", "block");
  expect(await before.next()).toEqual({ action: "bye" });
  // What crosses the end is not taken.
  before.send(...texts("2"));
  await before.closed;
  const events = ana.events.length;
  const peer = await RawPeer.dial(ana.port, { identity: identities.get("carla") as TlsIdentity });
  await peer.closed;
  expect(peer.received).toEqual([]);
  expect(ana.events.slice(events)).toEqual([]);
  const contact = ana.profile.contacts.find("carla");
  expect(contact && ana.profile.history.after(contact, 0, 10)).toEqual([]);
  // Everybody else is served.
  const dora = await greets("dora");
  dora.send(...texts("1"));
  expect(await dora.next()).toEqual(delivered("1"));
});

test("where only contacts may write, nobody is stored; where anyone may, texts are messages", async () => {
  ana.messenger.decisions.allow("contacts");
  const peer = await greets();
  peer.send(...texts("1"));
  expect(await peer.next()).toEqual(HELD);
  expect([strangers(), ana.of("request")]).toEqual([[], []]);
  ana.messenger.decisions.allow("anyone");
  const again = await greetsAgain();
  again.send(...texts("1", "2", "3", "4"));
  expect(await again.next()).toEqual(delivered("1", "2", "3", "4"));
  expect(ana.texts("carla")).toEqual(["text 1", "text 2", "text 3", "text 4"]);
});
