import { createHash } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "bun:test";

import { LEAF_BYTES, leafHash, Leaves, MAX_RANGES } from "../../../src/client/file/leaves.ts";
import { folderForEachTest } from "../../integration/folder-for-each-test.ts";

let path: string;
const SIZE = 3 * LEAF_BYTES + 5;
let leaves: Leaves;

folderForEachTest((folder) => {
  path = join(folder, "1");
  leaves = new Leaves(path);
});
afterEach(() => leaves.close());

/** What is read from so many bytes, all different from leaf to leaf. */
function content(size: number): {
  bytes: Uint8Array;
  read: (at: number, into: Uint8Array) => Promise<number>;
} {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += LEAF_BYTES) bytes[at] = at / LEAF_BYTES + 1;
  const read = async (at: number, into: Uint8Array) => {
    const part = bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  };
  return { bytes, read };
}

function hashes(bytes: Uint8Array): bigint[] {
  const all: bigint[] = [];
  for (let at = 0; at < bytes.length; at += LEAF_BYTES)
    all.push(leafHash(bytes.subarray(at, at + LEAF_BYTES)));
  return all;
}

describe("what is missing", () => {
  test("is all of a file of which nothing is known, and nothing of an empty one", () => {
    expect(leaves.missing(SIZE)).toEqual([[0, SIZE]]);
    expect(leaves.missing(1)).toEqual([[0, 1]]);
    expect(leaves.missing(0)).toEqual([]);
    expect(leaves.knownBytes(SIZE)).toBe(0);
  });

  test("is what no known leaf covers, neighbours in one range, the last leaf to the end only", () => {
    leaves.set(1, 7n);
    expect(leaves.missing(SIZE)).toEqual([
      [0, LEAF_BYTES],
      [2 * LEAF_BYTES, SIZE],
    ]);
    expect(leaves.knownBytes(SIZE)).toBe(LEAF_BYTES);
    leaves.set(3, 7n);
    expect(leaves.knownBytes(SIZE)).toBe(LEAF_BYTES + 5);
    leaves.set(0, 7n);
    leaves.set(2, 7n);
    expect(leaves.missing(SIZE)).toEqual([]);
    expect(leaves.knownBytes(SIZE)).toBe(SIZE);
  });

  test("of a size that lies is told at once", async () => {
    const size = Number.MAX_SAFE_INTEGER;
    leaves.set(1, 7n);
    expect(leaves.missing(size)).toEqual([
      [0, LEAF_BYTES],
      [2 * LEAF_BYTES, size],
    ]);
    expect(leaves.knownBytes(size)).toBe(LEAF_BYTES);
    expect(leaves.digest(size)).toBeUndefined();
    await leaves.verify({ read: async () => 0 }, size);
    expect(leaves.missing(size)).toEqual([[0, size]]);
  });

  test(`is told in at most ${MAX_RANGES} ranges`, () => {
    for (let index = 1; index < 1_000; index += 2) leaves.set(index, 0n);
    const ranges = leaves.missing(1_000 * LEAF_BYTES);
    expect(ranges.length).toBe(MAX_RANGES);
    expect(ranges.at(-1)).toEqual([126 * LEAF_BYTES, 127 * LEAF_BYTES]);
  });
});

test("hashes are as they were kept when the file is opened again, also 0 and those far behind a gap", () => {
  leaves.set(0, 0n);
  leaves.set(20_000, 0xffff_ffff_ffff_fffen);
  leaves.close();
  leaves = new Leaves(path);
  expect(leaves.get(0)).toBe(0n);
  expect(leaves.get(1)).toBeUndefined();
  expect(leaves.get(20_000)).toBe(0xffff_ffff_ffff_fffen);
  expect(leaves.get(20_001)).toBeUndefined();
});

test("the file is its owner's alone, and an entry that was cut off in the middle is not known", () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  leaves.set(0, 1n);
  leaves.close();
  writeFileSync(path, Buffer.from([1, 0, 0]), { flag: "a" });
  leaves = new Leaves(path);
  expect(leaves.get(0)).toBe(1n);
  expect(leaves.get(1)).toBeUndefined();
});

test("the digest is SHA-256 over the big-endian hashes, once all are known", () => {
  const { bytes } = content(SIZE);
  const buffer = Buffer.alloc(4 * 8);
  for (const [index, hash] of hashes(bytes).entries()) {
    expect(leaves.digest(SIZE)).toBeUndefined();
    leaves.set(index, hash);
    buffer.writeBigUInt64BE(hash, index * 8);
  }
  expect(leaves.digest(SIZE)).toBe(createHash("sha256").update(buffer).digest("hex"));
  expect(leaves.digest(0)).toBe(createHash("sha256").digest("hex"));
});

test("verifying forgets the leaves that no longer match, and those of which the end is missing", async () => {
  const { bytes, read } = content(SIZE);
  for (const [index, hash] of hashes(bytes).entries()) if (index !== 2) leaves.set(index, hash);
  bytes[LEAF_BYTES + 77] = 1;
  await leaves.verify({ read: (at, into) => read(at, into.subarray(0, SIZE - 1 - at)) }, SIZE);
  expect(leaves.missing(SIZE)).toEqual([[LEAF_BYTES, SIZE]]);
  leaves.close();
  leaves = new Leaves(path);
  expect(leaves.missing(SIZE)).toEqual([[LEAF_BYTES, SIZE]]);
});

test("completing reads only what is not known", async () => {
  const { bytes, read } = content(SIZE);
  leaves.set(1, 42n);
  const offsets: number[] = [];
  await leaves.complete({ read: (at, into) => (offsets.push(at), read(at, into)) }, SIZE);
  expect(offsets).toEqual([0, 2 * LEAF_BYTES, 3 * LEAF_BYTES]);
  const expected = hashes(bytes);
  expected[1] = 42n;
  expect([0, 1, 2, 3].map((index) => leaves.get(index))).toEqual(expected);
});

test("a check that is under way fails when the file is closed", async () => {
  leaves.set(0, 1n);
  leaves.set(1, 1n);
  const { read } = content(SIZE);
  const verified = leaves.verify({ read: (at, into) => (leaves.close(), read(at, into)) }, SIZE);
  await expect(verified).rejects.toThrow("closed");
});
