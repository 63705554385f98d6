/** A peer whose key is good and who lies about a file: nothing else is written than what was accepted, and all goes on. */
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { LEAF_BYTES, leafHash } from "../../src/client/file/leaves.ts";
import { MAX_RANGES } from "../../src/protocol/peer-messages.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import type { ClientProcess, Event } from "../integration/cli-process.ts";
import { RawPeer } from "../integration/raw-peer.ts";
import type { Message } from "../integration/rendezvous-test-client.ts";
import { FileScene, isSame, MIB, until } from "./file-scene.ts";

let scene: FileScene;
let listening: ClientProcess;
let port: number;
let carla: TlsIdentity;
let offers = 0;
const peers: RawPeer[] = [];

beforeAll(async () => {
  scene = await FileScene.open();
  await scene.company.addAccount("carla");
  carla = scene.company.identity("carla");
  await scene.beto.run(["contacts", "add", "carla"]);
  listening = await scene.receive();
  port = Number((await listening.event({ event: "ready" }))["p2p_port"]);
});
afterEach(async () => {
  for (const peer of peers.splice(0)) {
    peer.terminate();
    await peer.closed;
  }
});
afterAll(() => scene.close());

/** A connection of Carla's own program to Beto, after his greeting. */
async function connection(): Promise<RawPeer> {
  const peer = await RawPeer.dial(port, { identity: carla });
  peers.push(peer);
  await peer.next();
  return peer;
}

async function link(): Promise<RawPeer> {
  const peer = await connection();
  peer.send({ action: "hello", protocol: 1, username: "carla", features: ["files1"] });
  return peer;
}

/** The next control that Beto sends about a transfer, or (undefined) the next offer: of others some may still come. */
async function control(peer: RawPeer, transfer: string | undefined): Promise<Message> {
  for (;;) {
    const message = await peer.next();
    const { action } = message;
    if (!String(action).startsWith("file_")) continue;
    peer.send({ action: "delivered", ids: [message["id"]] });
    if (transfer === undefined ? action === "file_offer" : message["transfer"] === transfer) return message;
  }
}

/** SHA-256 over the hashes of the leaves. */
function digestOf(bytes: Uint8Array): string {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) {
    const leaf = Buffer.alloc(8);
    leaf.writeBigUInt64BE(leafHash(bytes.subarray(at, at + LEAF_BYTES)));
    hash.update(leaf);
  }
  return hash.digest("hex");
}

type Lie = {
  readonly name?: string;
  readonly size: number;
  readonly entries?: number;
  readonly sent: Uint8Array;
  readonly end?: object;
};

/** Carla offers, streams and ends as the lie says. @returns what Beto answers, and what his screen shows at last */
async function lie({ name = "lie", sent, end, ...offer }: Lie): Promise<{ answer: Message; shown: Event }> {
  const peer = await link();
  const id = `offer-${++offers}`;
  peer.send({ action: "file_offer", id, name, ...offer });
  expect(await control(peer, id)).toMatchObject({ action: "file_accept" });
  const stream = await connection();
  stream.send({ action: "stream", transfer: id });
  expect(await stream.next()).toMatchObject({ action: "stream", transfer: id, ranges: [[0, offer.size]] });
  stream.write(sent);
  await stream.closed;
  const rest = { size: sent.length, digest: digestOf(sent), ...end };
  peer.send({ action: "file_end", id: `${id}-end`, transfer: id, ...rest });
  const answer = await control(peer, id);
  const ended = answer["action"] === "file_done" ? "done" : "failed";
  const shown = await listening.event({ event: "file", id, state: ended });
  return { answer, shown };
}

const bytes = (size: number) => new Uint8Array(size).fill(7);

describe("a sender", () => {
  test("who tells the truth is taken at their word, but for the name", async () => {
    const { answer, shown } = await lie({ name: "../../.bashrc", size: 5, sent: bytes(5) });
    expect(answer).toMatchObject({ action: "file_done" });
    const path = String(shown["path"]);
    expect(dirname(path)).toBe(scene.incoming);
    expect(readFileSync(path)).toEqual(Buffer.from(bytes(5)));
    expect(statSync(path).mode & 0o111).toBe(0);
  });

  test.each<[string, Lie]>([
    ["sends more than was offered, and says so at the end", { size: 5, sent: bytes(50) }],
    ["sends more, and tells of the part the digest of all", { size: 5, sent: bytes(50), end: { size: 5 } }],
    ["tells another size at the end", { size: 5, sent: bytes(5), end: { size: 6 } }],
    ["tells the digest of something else", { size: 5, sent: bytes(5), end: { digest: digestOf(bytes(6)) } }],
  ])("who %s has sent nothing", async (_, told) => {
    const before = readdirSync(scene.incoming);
    const { answer, shown } = await lie(told);
    expect(answer).toMatchObject({ action: "file_cancel", reason: "damaged" });
    expect(shown).toMatchObject({ reason: "damaged", path: null });
    await until(() => scene.partial() === undefined);
    expect(readdirSync(scene.incoming)).toEqual(before);
  });

  test("whose folder lists places outside of it reaches none of them", async () => {
    const paths = ["../../up", "/etc/up", "a/../../up", "..", "C:/up"];
    const listing = paths.map((path) => `${JSON.stringify([path, 1, "2026-01-01T00:00:00Z"])}\n`).join("");
    const sent = Buffer.from(`${listing}\n${"x".repeat(paths.length)}`);
    const before = readdirSync(scene.incoming);
    const { answer } = await lie({ name: "folder", size: sent.length, entries: paths.length, sent });
    expect(answer).toMatchObject({ action: "file_cancel", reason: "bad_listing" });
    await until(() => scene.partial() === undefined);
    expect(readdirSync(scene.incoming)).toEqual(before);
    expect(existsSync(join(dirname(scene.incoming), "up"))).toBe(false);
  });

  test("who offers more than any disk has reserves nothing of this one", async () => {
    const peer = await link();
    peer.send({ action: "file_offer", id: "huge", name: "huge", size: Number.MAX_SAFE_INTEGER });
    const shown = await listening.event({ event: "file", id: "huge" });
    expect(shown).toMatchObject({ size: Number.MAX_SAFE_INTEGER, done: 0 });
    peer.send({ action: "file_cancel", id: "huge-end", transfer: "huge", reason: "stopped" });
    await listening.event({ event: "file", id: "huge", state: "cancelled" });
    await until(() => scene.partial() === undefined);
  });

  test("has no stream of what was not accepted", async () => {
    const stream = await connection();
    stream.send({ action: "stream", transfer: "nothing" });
    await stream.closed;
    expect(stream.messages).toHaveLength(1);
  });
});

describe("a receiver", () => {
  const size = 3 * MIB;

  test("who asks for what there is not gets nothing, and then what they ask for", async () => {
    const peer = await link();
    const sending = scene.beto.startApart(["send-file", "--json", "carla", scene.file("asked", size)]);
    const offer = await control(peer, undefined);
    expect(offer).toMatchObject({ action: "file_offer", name: "asked", size });
    const transfer = String(offer["id"]);
    peer.send({ action: "file_accept", id: "accept", transfer });
    await listening.event({ event: "file", id: transfer, state: "accepted" });
    const wrong: unknown[] = [
      [[0, size + 1]],
      [[size, null]],
      [[5, 5]],
      [[5, 3]],
      [[-1, 3]],
      [[0, 1.5]],
      [[0, 1e300]],
      [
        [0, 10],
        [5, 20],
      ],
      [
        [10, 20],
        [0, 5],
      ],
      [["0", "5"]],
      [[0]],
      "all",
      Array.from({ length: MAX_RANGES + 1 }, (_, index) => [2 * index, 2 * index + 1]),
    ];
    for (const ranges of wrong) {
      const stream = await connection();
      stream.send({ action: "stream", transfer, ranges });
      await stream.closed;
      const text = Buffer.concat(stream.received).toString();
      expect(text).not.toContain("\u0000");
      expect(text.length).toBeLessThan(1_024);
    }
    const stream = await connection();
    stream.send({
      action: "stream",
      transfer,
      ranges: [
        [0, 3],
        [size - 4, null],
      ],
    });
    await stream.closed;
    const content = readFileSync(join(scene.outgoing, "asked"));
    const expected = Buffer.concat([content.subarray(0, 3), content.subarray(-4)]);
    expect(Buffer.concat(stream.received).subarray(-7)).toEqual(expected);
    expect(await control(peer, transfer)).toMatchObject({
      action: "file_end",
      size,
      digest: digestOf(content),
    });
    peer.send({ action: "file_done", id: "done", transfer });
    expect(await sending.ended).toMatchObject({ code: 0 });
  });
});

test("an honest sender is received all the while", async () => {
  const path = scene.file("honest", MIB + 5);
  expect(await scene.send(path).ended).toMatchObject({ code: 0 });
  expect(isSame(path, join(scene.incoming, "honest"))).toBe(true);
});
