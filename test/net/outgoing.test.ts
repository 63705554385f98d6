import { describe, expect, test } from "bun:test";

import { Outgoing, QUEUE_LIMIT } from "../../src/net/outgoing.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";

/** A socket that takes as much of each write as `takes` says; everything by default. */
class Socket {
  readonly written: Buffer[] = [];
  takes: (length: number) => number = (length) => length;

  write(bytes: Uint8Array): number {
    const count = this.takes(bytes.length);
    if (count > 0) this.written.push(Buffer.from(bytes.subarray(0, count)));
    return count;
  }

  get text(): string {
    return Buffer.concat(this.written).toString();
  }
}

test("bytes leave once and in order, however much the socket takes each time", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const outgoing = new Outgoing();
  const socket = new Socket();
  socket.takes = (length) => random.integer(length + 1);
  let expected = "";
  let taken = 0;
  for (let round = 0; round < 2_000; round++) {
    const line = random.pick(["a", "ñ", "🕊️"]).repeat(1 + random.integer(300)) + "\n";
    expected += line;
    outgoing.add(line);
    if (random.integer(3) === 0) taken += outgoing.writeTo(socket);
  }
  while (outgoing.length > 0) taken += outgoing.writeTo(socket);
  expect(socket.text === expected, `seed ${seed}`).toBe(true);
  expect(taken).toBe(Buffer.byteLength(expected));
});

test("many short lines leave in one buffer", () => {
  const outgoing = new Outgoing();
  const socket = new Socket();
  for (let n = 0; n < 1_000; n++) outgoing.add("line\n");
  outgoing.writeTo(socket);
  expect(socket.written.map(({ length }) => length)).toEqual([5_000]);
});

test("a cleared queue is empty", () => {
  const outgoing = new Outgoing();
  const socket = new Socket();
  outgoing.add("line\n");
  socket.takes = () => 1;
  outgoing.writeTo(socket);
  outgoing.add("line\n");
  outgoing.clear();
  expect(outgoing.length).toBe(0);
  expect(outgoing.hasDrained()).toBe(false);
  outgoing.writeTo(socket);
  expect(socket.text).toBe("l");
});

describe("bytes that a socket does not take at once", () => {
  test("drains once, when the last byte is taken", () => {
    const outgoing = new Outgoing();
    const socket = new Socket();
    outgoing.add("line\n");
    socket.takes = () => 2;
    outgoing.writeTo(socket);
    expect(outgoing.hasDrained()).toBe(false);
    socket.takes = (length) => length;
    outgoing.writeTo(socket);
    expect([outgoing.hasDrained(), outgoing.hasDrained()]).toEqual([true, false]);
    outgoing.add("line\n");
    outgoing.writeTo(socket);
    expect(outgoing.hasDrained()).toBe(false);
  });

  test("overflows once until it has drained", () => {
    const outgoing = new Outgoing();
    const socket = new Socket();
    socket.takes = () => 0;
    const fill = () => {
      outgoing.add("x".repeat(QUEUE_LIMIT + 1));
      outgoing.writeTo(socket);
      return [outgoing.overflows(), outgoing.overflows()];
    };
    expect(fill()).toEqual([true, false]);
    expect(fill()).toEqual([false, false]);
    socket.takes = (length) => length;
    outgoing.writeTo(socket);
    expect(outgoing.hasDrained()).toBe(true);
    socket.takes = () => 0;
    expect(fill()).toEqual([true, false]);
  });

  test("stays queued when the socket is gone", () => {
    const outgoing = new Outgoing();
    const socket = new Socket();
    outgoing.add("line\n");
    socket.takes = () => -1;
    expect(outgoing.writeTo(socket)).toBe(0);
    expect(outgoing.length).toBe(5);
    expect(outgoing.hasDrained()).toBe(false);
  });
});
