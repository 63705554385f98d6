/** A peer whose certificate is good and whose messages are not: it harms no message, no other link, no process. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";

import { MAX_DELIVERED_IDS, MAX_TEXT_BYTES } from "../../src/protocol/peer-messages.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { guardNormalForms } from "../protocol/mark-floods.ts";
import { Company, expectServed, until, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";
import type { Message } from "./rendezvous-test-client.ts";

let company: Company;
let ana: Person;
let carla: TlsIdentity;
let dora: TlsIdentity;
const peers: RawPeer[] = [];

beforeAll(async () => {
  company = await Company.meet();
  ana = await company.person("ana");
  carla = company.identity("carla");
  dora = company.identity("dora");
});

afterEach(async () => {
  for (const peer of peers.splice(0)) {
    peer.terminate();
    await peer.closed;
  }
  await expectServed(ana, dora);
});

afterAll(() => company.close());

/** Carla's link, greeted on both sides. */
async function link(): Promise<RawPeer> {
  const peer = await RawPeer.dial(ana.port, { identity: carla });
  peers.push(peer);
  await peer.next();
  peer.send({ action: "hello", protocol: 1, username: "carla", features: [] });
  return peer;
}

/** The link is alive, and everything sent before was read. */
async function expectAlive(peer: RawPeer): Promise<void> {
  const pongs = () => peer.messages.filter((message) => message["action"] === "pong").length;
  const before = pongs();
  peer.send({ action: "ping" });
  await until(() => pongs() > before || peer.isClosed);
  expect(peer.isClosed).toBe(false);
}

describe("ends its link, and is sent the reason:", () => {
  const faults: [string, Message | string][] = [
    ["a second hello", { action: "hello", protocol: 1, username: "carla", features: [] }],
    ["a stream in a conversation", { action: "stream", transfer: "1" }],
    ["an id of 65 characters", { message: "x", id: "i".repeat(65) }],
    ["an empty id", { message: "x", id: "" }],
    ["an id that is no string", { message: "x", id: 7 }],
    ["a text over 32 KiB", { message: "é".repeat(MAX_TEXT_BYTES / 2 + 1), id: "long" }],
    ["half a character", '{"message":"\\ud800","id":"half"}'],
    ["a text that is no string", { message: { toString: "x" }, id: "1" }],
    ["nothing at all", {}],
    ["an action that is no string", { action: ["message"], message: "x" }],
    ["an acknowledged id of 65 characters", { action: "delivered", ids: ["i".repeat(65)] }],
    [
      "more acknowledgements than there may be",
      { action: "delivered", ids: Array(MAX_DELIVERED_IDS + 1).fill("1") },
    ],
    ["acknowledgements that are no list", { action: "delivered", ids: { length: 1, 0: "x" } }],
    ["a reply to nothing", { message: "x", id: "1", reply_to: 5 }],
    ["typing that is neither", { action: "typing", active: "yes" }],
    ["a message by way of the prototype", '{"__proto__":{"message":"ghost","id":"1"}}'],
  ];
  test.each(faults)("%s", async (_, message) => {
    const peer = await link();
    const shown = ana.texts("carla").length;
    if (typeof message === "string") peer.write(message);
    else peer.send(message);
    await peer.closed;
    expect(peer.errors).toEqual(["bad_request"]);
    expect(ana.texts("carla")).toHaveLength(shown);
  });

  test("more features in its hello than there may be", async () => {
    const peer = await RawPeer.dial(ana.port, { identity: carla });
    peers.push(peer);
    peer.send({ action: "hello", protocol: 1, username: "carla", features: Array(65).fill("x") });
    await peer.closed;
    expect(peer.errors).toEqual(["bad_request"]);
  });
});

test("a name that is a flood of marks is not normalised, and delays nobody", async () => {
  const release = guardNormalForms();
  try {
    const peer = await RawPeer.dial(ana.port, { identity: carla });
    peers.push(peer);
    await peer.next();
    const username = `a${"\u0300".repeat(32_000)}${"\u0316".repeat(32_000)}`;
    peer.send({ action: "hello", protocol: 1, username, features: [] });
    await peer.closed;
    expect(peer.errors).toEqual(["bad_request"]);
    const other = await link();
    other.send({ action: "read", id: username }, { message: username, id: "flood" });
    await other.closed;
    expect(other.errors).toEqual(["bad_request"]);
  } finally {
    release();
  }
});

test("a text that is a flood of marks arrives as it was sent", async () => {
  const release = guardNormalForms();
  const peer = await link();
  const flood = `a${"\u0316\u0300".repeat(8_000)}`;
  peer.send({ message: flood, id: "marks" });
  await until(() => ana.texts("carla").includes(flood));
  release();
});

describe("changes nothing:", () => {
  test("acknowledgements of what was never sent, or sent to someone else", async () => {
    await company.addAccount("bob");
    const toBob = ana.messenger.outbox.send("bob", "for bob");
    const peer = await link();
    const toCarla = ana.messenger.outbox.send("carla", "for carla");
    await until(() => peer.messages.some((message) => message["id"] === toCarla));
    peer.send({ action: "delivered", ids: [toBob, "never", "__proto__", "", "constructor"].filter(Boolean) });
    await expectAlive(peer);
    expect([ana.received("bob"), ana.received("carla")]).toEqual([0, 0]);
    peer.send({ action: "delivered", ids: [toCarla, toCarla] });
    await until(() => ana.received("carla") === 1);
    peer.send({ action: "delivered", ids: [toCarla] });
    await expectAlive(peer);
    expect(ana.received("carla")).toBe(1);
  });

  test("10,000 unknown actions, some with the names of an object's members", async () => {
    const peer = await link();
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "x".repeat(1_000), ""];
    const unknown = Array.from({ length: 10_000 }, (_, index) => ({
      action: names[index % names.length] ?? "",
      message: "not a chat",
    }));
    peer.send(...unknown);
    await expectAlive(peer);
    expect(ana.texts("carla")).not.toContain("not a chat");
    expect(peer.errors).toEqual([]);
  });

  test("errors, which are never answered", async () => {
    const peer = await link();
    peer.send({ action: "error", code: "you_are_wrong" }, { action: "error", code: "and_again", message: 7 });
    await expectAlive(peer);
    expect(peer.errors).toEqual([]);
    expect(ana.of("peerError").map(({ code }) => code)).toEqual(["you_are_wrong", "and_again"]);
  });

  test("a time that cannot be, an unknown field, a text that was there before", async () => {
    const peer = await link();
    const shown = ana.texts("carla").length;
    peer.send(
      { message: "first", id: "twice", sent_at: "9999-12-31T23:59:59Z", __proto__: null, more: [[[]]] },
      { message: "second", id: "twice", sent_at: "yesterday" },
      { message: "without an id" },
    );
    await until(() => peer.messages.some((message) => message["action"] === "delivered"));
    await expectAlive(peer);
    expect(ana.texts("carla").slice(shown)).toEqual(["first", "without an id"]);
    const acknowledged = peer.messages.filter((message) => message["action"] === "delivered");
    expect(acknowledged.flatMap((message) => message["ids"])).toEqual(["twice", "twice"]);
    expect(ana.of("message").at(-2)?.message.sentAt).toBeUndefined();
  });
});

test("a peer that asks and does not read is not read from either, until it does", async () => {
  const peer = await link();
  const shown = ana.texts("carla").length;
  peer.pause();
  // Their answers are several times what waits for one link.
  const pings = 400_000;
  peer.write('{"action":"ping"}\n'.repeat(pings));
  await expectServed(ana, dora);
  peer.resume();
  peer.send({ message: "done", id: "after the flood" });
  await until(() => ana.texts("carla").length > shown);
  const size = '{"action":"pong"}\n'.length * pings;
  await until(() => peer.received.reduce((sum, chunk) => sum + chunk.length, 0) > size);
  expect(peer.errors).toEqual([]);
}, 20_000);
