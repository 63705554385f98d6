/** The bytes of a transfer between two ends of a real connection; sources and sinks are in memory. */
import { join } from "node:path";
import { describe, expect, test } from "bun:test";

import { LEAF_BYTES, Leaves, type Range } from "../../src/client/file/leaves.ts";
import { Receiving, type ReceivingEnd } from "../../src/client/file/receiving.ts";
import { Sending, type SendingEnd } from "../../src/client/file/sending.ts";
import { SinkError, SourceError, type Source } from "../../src/client/file/source.ts";
import type { Connection } from "../../src/net/connection.ts";
import { dial } from "../../src/net/dialler.ts";
import { listen } from "../../src/net/listener.ts";
import { acceptorContext, diallerContext } from "../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { newAuthority, Recorder, serverIdentity } from "./loopback.ts";

const authority = newAuthority();
const identity = serverIdentity(authority);
const STREAM = { action: "stream", transfer: "1" };
/** More than the kernel takes for a reader that has stopped. */
const LONG = 80 * LEAF_BYTES + 7;
const LONG_BYTES = randomBytes(LONG);

let folder: string;
const running = folderForEachTest((path) => (folder = path));

/** Two ends, of which the second has read a `stream` line. */
async function ends(): Promise<{ from: Connection; to: Connection; recorder: Recorder }> {
  const [near, far] = [new Recorder(), new Recorder()];
  const listener = listen({
    host: "127.0.0.1",
    port: 0,
    objectLimit: PEER_OBJECT_LIMIT,
    tls: () => ({ context: acceptorContext(identity) }),
    accept: () => far,
  });
  const from = await dial({
    targets: [{ ip: "127.0.0.1", port: listener.port }],
    tls: diallerContext({ authority: authority.certificatePem, serverName: "rendezvous.paloma" }),
    objectLimit: PEER_OBJECT_LIMIT,
    handlers: near,
    verify: (_connection, handshake) => handshake.authorized || "not_authorized",
  });
  listener.stop();
  await far.until(() => far.opens === 1);
  const to = far.connection as Connection;
  running.push({ end: async () => [from, to].forEach((end) => end.terminate("test_over")) });
  // Nothing of what follows the line is to be handled before the receiving begins.
  far.onMessage = (_object, connection) => connection.pauseReading();
  from.send(STREAM);
  from.flush();
  await far.until(() => far.objects.length === 1);
  return { from, to, recorder: near };
}

function leavesOf(name: string): Leaves {
  const leaves = new Leaves(join(folder, name));
  running.push({ end: async () => leaves.close() });
  return leaves;
}

/** Bytes that do not repeat. */
function randomBytes(size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let word = 1;
  for (let at = 0; at < words.length; at++) words[at] = word = (Math.imul(word, 0x19660d) + 0x3c6ef35f) | 0;
  return new Uint8Array(words.buffer, 0, size);
}

/** A source in memory. @param size undefined: as of a pipe */
function source(bytes: Uint8Array, size: number | undefined): Source {
  return {
    size,
    read: async (offset: number, into: Uint8Array) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    check: async () => undefined,
    close: () => undefined,
  };
}

/** A sink in memory. */
class Memory {
  readonly bytes: Uint8Array;
  writes = 0;
  isWriting = false;
  /** Before each write. */
  before: (write: number) => unknown = () => undefined;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    expect(this.isWriting).toBe(false);
    this.isWriting = true;
    await this.before(++this.writes);
    this.bytes.set(bytes, offset);
    this.isWriting = false;
  }
}

type Side<End> = { readonly leaves: Leaves; readonly ended: Promise<End>; moved: () => number };

function send(connection: Connection, from: Source, ranges: readonly Range[], leaves = leavesOf("sent")) {
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<SendingEnd>();
  const progress = (count: number) => (bytes += count);
  new Sending(connection, { source: from, leaves, ranges, progress, ended: resolve });
  return { leaves, ended: promise, moved: () => bytes } satisfies Side<SendingEnd>;
}

function receive(
  connection: Connection,
  sink: Memory,
  ranges: readonly Range[],
  leaves = leavesOf("received"),
) {
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<ReceivingEnd>();
  const progress = (count: number) => (bytes += count);
  const ended = (end: ReceivingEnd) => {
    expect(sink.isWriting).toBe(false);
    resolve(end);
  };
  new Receiving(connection, { sink, leaves, ranges, progress, ended });
  connection.resumeReading();
  return { leaves, ended: promise, moved: () => bytes } satisfies Side<ReceivingEnd>;
}

const SIZES = [1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 9 * LEAF_BYTES + 123];

describe("the bytes of a transfer", () => {
  test.each(SIZES)("arrive whole, and both sides have the same digest: %d bytes", async (size) => {
    const { from, to } = await ends();
    const [bytes, sink] = [randomBytes(size), new Memory(size)];
    const sent = send(from, source(bytes, bytes.length), [[0, size]]);
    const received = receive(to, sink, [[0, size]]);
    expect(await received.ended).toEqual({ name: "received" });
    expect(await sent.ended).toEqual({ name: "sent" });
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
    expect([sent.moved(), received.moved()]).toEqual([size, size]);
    expect(received.leaves.digest(size)).toBe(sent.leaves.digest(size) ?? "unknown");
  });

  test("of some ranges are those and no others", async () => {
    const { from, to } = await ends();
    const size = 6 * LEAF_BYTES + 5;
    const [bytes, sink] = [randomBytes(size), new Memory(size)];
    const leaves = leavesOf("received");
    for (const index of [0, 2, 3]) leaves.set(index, 0n);
    const ranges = leaves.missing(size);
    const sent = send(from, source(bytes, bytes.length), ranges);
    const received = receive(to, sink, ranges, leaves);
    expect(await received.ended).toEqual({ name: "received" });
    expect(await sent.ended).toEqual({ name: "sent" });
    const expected = bytes.slice();
    for (const index of [0, 2, 3]) expected.fill(0, index * LEAF_BYTES, (index + 1) * LEAF_BYTES);
    expect(Buffer.compare(sink.bytes, expected)).toBe(0);
    expect(received.moved()).toBe(size - 3 * LEAF_BYTES);
    expect(leaves.missing(size)).toEqual([]);
  });

  test("of ranges that end in the middle of leaves are sent as asked for, and hashed as whole leaves", async () => {
    const { from, to } = await ends();
    const bytes = randomBytes(3 * LEAF_BYTES);
    const read = new Recorder();
    const chunks: Uint8Array[] = [];
    read.onBytes = (chunk) => chunks.push(chunk);
    to.handOverTo(read);
    to.readBytes();
    const ranges: Range[] = [
      [5, 10],
      [LEAF_BYTES - 1, LEAF_BYTES + 1],
      [3 * LEAF_BYTES - 2, null],
    ];
    const sent = send(from, source(bytes, bytes.length), ranges);
    to.resumeReading();
    await read.closing();
    const parts = ranges.map(([begin, end]) => bytes.subarray(begin, end ?? bytes.length));
    expect(Buffer.concat(chunks).equals(Buffer.concat(parts))).toBe(true);
    expect(await sent.ended).toEqual({ name: "sent" });
    expect(sent.leaves.missing(bytes.length)).toEqual([]);
  });

  test("of a pipe arrive whole, though the disk is slower than the line and the end is not known", async () => {
    const { from, to } = await ends();
    const [bytes, sink] = [LONG_BYTES, new Memory(LONG)];
    sink.before = (write) => (write % 8 === 0 ? Bun.sleep(1) : undefined);
    const sent = send(from, source(bytes, undefined), [[0, null]]);
    const received = receive(to, sink, [[0, null]]);
    expect(await received.ended).toEqual({ name: "received" });
    expect((await sent.ended).name).toBe("sent");
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
    expect(received.leaves.digest(LONG)).toBe(sent.leaves.digest(LONG) ?? "unknown");
  });

  test("wait at the source while nothing is written", async () => {
    const { from, to } = await ends();
    const [bytes, sink] = [LONG_BYTES, new Memory(LONG)];
    const blocked = Promise.withResolvers<void>();
    let asked = 0;
    const whole = source(bytes, LONG);
    const sent = send(from, { ...whole, read: (...a) => ((asked += LEAF_BYTES), whole.read(...a)) }, [
      [0, LONG],
    ]);
    sink.before = (write) => (write === 1 ? blocked.promise : undefined);
    const received = receive(to, sink, [[0, LONG]]);
    // The line stands still when the kernel of neither side takes any more.
    while (from.queuedBytes === 0) await Bun.sleep(1);
    for (let before = -1; before !== from.queuedBytes;) {
      before = from.queuedBytes;
      await Bun.sleep(20);
    }
    expect(asked).toBeLessThan(LONG);
    blocked.resolve();
    expect(await received.ended).toEqual({ name: "received" });
    expect(await sent.ended).toEqual({ name: "sent" });
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
  });
});

describe("what goes wrong", () => {
  test.each([1, 3])("a full disk is the sender's reason too, at write %d of 3", async (failing) => {
    const { from, to } = await ends();
    const size = 2 * LEAF_BYTES + 5;
    const sink = new Memory(size);
    sink.before = (write) => {
      if (write < failing) return;
      sink.isWriting = false;
      throw new SinkError("no_space");
    };
    const sent = send(from, source(randomBytes(size), size), [[0, size]]);
    const received = receive(to, sink, [[0, size]]);
    expect(await received.ended).toEqual({ name: "failed", error: new SinkError("no_space") });
    expect(await sent.ended).toEqual({ name: "told", code: "no_space" });
    expect(received.leaves.knownBytes(size)).toBe((failing - 1) * LEAF_BYTES);
    expect(received.moved()).toBe((failing - 1) * LEAF_BYTES);
  });

  test("a leaf that is not what was sent before is a changed source", async () => {
    const { from, to } = await ends();
    const size = 3 * LEAF_BYTES;
    const leaves = leavesOf("sent");
    leaves.set(1, 42n);
    const sent = send(from, source(randomBytes(size), size), [[0, size]], leaves);
    const received = receive(to, new Memory(size), [[0, size]]);
    expect(await sent.ended).toEqual({ name: "failed", error: new SourceError("changed") });
    expect(await received.ended).toEqual({ name: "broken" });
  });

  test("a source that ends before its size is a changed one", async () => {
    const { from, to } = await ends();
    const size = 3 * LEAF_BYTES;
    const sent = send(from, source(randomBytes(size - 1), size), [[0, size]]);
    const received = receive(to, new Memory(size), [[0, size]]);
    expect(await sent.ended).toEqual({ name: "failed", error: new SourceError("changed") });
    expect(await received.ended).toEqual({ name: "broken" });
  });

  test("a line that is cut ends both, and what is missing then comes on another", async () => {
    const [bytes, sink] = [LONG_BYTES, new Memory(LONG)];
    const [sentLeaves, receivedLeaves] = [leavesOf("sent"), leavesOf("received")];
    const first = await ends();
    sink.before = (write) => write === 5 && first.to.terminate("cut");
    const sent = send(first.from, source(bytes, bytes.length), [[0, LONG]], sentLeaves);
    const received = receive(first.to, sink, [[0, LONG]], receivedLeaves);
    expect(await received.ended).toEqual({ name: "broken" });
    expect(await sent.ended).toEqual({ name: "broken" });
    const known = receivedLeaves.knownBytes(LONG);
    expect(known).toBeGreaterThanOrEqual(5 * LEAF_BYTES);

    const second = await ends();
    const ranges = receivedLeaves.missing(LONG);
    const again = send(second.from, source(bytes, bytes.length), ranges, sentLeaves);
    const rest = receive(second.to, sink, ranges, receivedLeaves);
    expect(await rest.ended).toEqual({ name: "received" });
    expect(await again.ended).toEqual({ name: "sent" });
    expect(rest.moved()).toBe(LONG - known);
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
    expect(receivedLeaves.digest(LONG)).toBe(sentLeaves.digest(LONG) ?? "unknown");
  });

  test("of a sender that sends more than was asked for, the rest is not written", async () => {
    const { from, to } = await ends();
    const sink = new Memory(LEAF_BYTES);
    const received = receive(to, sink, [[0, 5]]);
    from.sendBytes(randomBytes(LEAF_BYTES));
    expect(await received.ended).toEqual({ name: "received" });
    expect(sink.bytes.subarray(5).every((byte) => byte === 0)).toBe(true);
  });

  test("a sender that ends too early is a broken line", async () => {
    const { from, to } = await ends();
    const received = receive(to, new Memory(LEAF_BYTES), [[0, 5]]);
    from.sendBytes(randomBytes(4));
    from.shutdown();
    expect(await received.ended).toEqual({ name: "broken" });
    expect(received.leaves.knownBytes(5)).toBe(0);
  });

  test("a receiver that says anything but an error is cut off", async () => {
    const { from, to } = await ends();
    to.sendBytes(Buffer.from("GET / HTTP/1.1\n"));
    expect(await send(from, source(LONG_BYTES, LONG), [[0, LONG]]).ended).toEqual({ name: "broken" });
  });
});
