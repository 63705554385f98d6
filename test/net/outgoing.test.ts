import { expect, test } from "bun:test";

import { Outgoing } from "../../src/net/outgoing.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";

test("whatever part a socket takes each time, the bytes leave once and in order", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const outgoing = new Outgoing();
  let expected = "";
  const written: Buffer[] = [];
  const take = () => {
    const buffer = outgoing.first();
    if (buffer === undefined) return false;
    const count = random.integer(buffer.length + 1);
    written.push(Buffer.from(buffer.subarray(0, count)));
    outgoing.taken(count);
    return true;
  };
  for (let round = 0; round < 2_000; round++) {
    const line = random.pick(["a", "ñ", "🕊️"]).repeat(1 + random.integer(300)) + "\n";
    expected += line;
    outgoing.add(line);
    if (random.integer(3) === 0) take();
  }
  for (let more = true; more;) more = take();
  expect(Buffer.concat(written).toString() === expected, `seed ${seed}`).toBe(true);
  expect(outgoing.length).toBe(0);
});

test("many short lines leave in one buffer", () => {
  const outgoing = new Outgoing();
  for (let n = 0; n < 1_000; n++) outgoing.add("line\n");
  expect(outgoing.first()?.length).toBe(5_000);
});

test("what is cleared is gone", () => {
  const outgoing = new Outgoing();
  outgoing.add("line\n");
  outgoing.first();
  outgoing.add("line\n");
  outgoing.clear();
  expect(outgoing.length).toBe(0);
  expect(outgoing.first()).toBeUndefined();
});
