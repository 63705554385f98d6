import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openSealed, readSealed, writeSealed } from "../../../src/client/moving/sealed-file.ts";
import { CHUNK, HEADER_LENGTH, SealedFileError, withKey } from "../../../src/client/moving/sealed-format.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const PASSPHRASE = "correct horse battery";
/** The cheapest that argon2id allows. */
const CHEAP = { memory: 8, passes: 1, lanes: 1 };
/** A file of version 1. */
const GOLDEN =
  "cGFsb21hLXByb2ZpbGUAAQAAAEAAAAACAAAAAkNw4Oc7T4LZy7kS9tMo2GMAAAAAAAAAHs0AQspDSZxnJ/QBM2aRTy7U" +
  "J9kky/jPirfy5KcMW2x/3wFJqdhgLXbR11SMFJMXn8qF/ABVtjionCvNXnRBuO9ysxZ4noizNlNo";
const DIGEST_LENGTH = 12;
const TAG = 16;

const folder = mkdtempSync(join(tmpdir(), "paloma-sealed-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function* inParts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

function contentsOf(length: number): Buffer<ArrayBuffer> {
  return Buffer.alloc(length, "0123456789abcdef-");
}

async function sealed(contents: Buffer, passphrase = PASSPHRASE, part = 10_007): Promise<Buffer> {
  const handle = await open(join(folder, "written"), "w+");
  try {
    await writeSealed(handle, passphrase, contents.length, inParts(contents, part), CHEAP);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The contents, or the code of the error, and how many bytes came before it. */
async function opened(file: Uint8Array, passphrase = PASSPHRASE) {
  const path = join(folder, "read");
  await Bun.write(path, file);
  const handle = await open(path, "r");
  const parts: Buffer[] = [];
  try {
    const opening = await withKey(await openSealed(handle), passphrase);
    for await (const part of readSealed(handle, opening)) parts.push(part);
    return Buffer.concat(parts);
  } catch (error) {
    if (!(error instanceof SealedFileError)) throw error;
    return error.code;
  } finally {
    await handle.close();
  }
}

/** A file with a header that somebody has changed who knows the format, and not the passphrase. */
function withHeader(file: Buffer, change: (header: Buffer) => void): Buffer {
  const changed = Buffer.from(file);
  change(changed);
  const end = HEADER_LENGTH - DIGEST_LENGTH;
  createHash("sha256").update(changed.subarray(0, end)).digest().copy(changed, end, 0, DIGEST_LENGTH);
  return changed;
}

describe("an encrypted file", () => {
  test.each([1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])(
    "of %d bytes is read as it was written, whatever the parts",
    async (length) => {
      const contents = contentsOf(length);
      for (const part of [length, 10_007, CHUNK]) {
        const file = await sealed(contents, PASSPHRASE, part);
        expect(file.length).toBe(HEADER_LENGTH + length + Math.ceil(length / CHUNK) * TAG);
        expect(contents.equals((await opened(file)) as Buffer)).toBe(true);
      }
    },
  );

  test("shows nothing of its contents, and is another one each time", async () => {
    const contents = contentsOf(100);
    const [one, other] = [await sealed(contents), await sealed(contents)];
    expect(one.includes(contents.subarray(0, 16))).toBe(false);
    expect(one.subarray(HEADER_LENGTH).equals(other.subarray(HEADER_LENGTH))).toBe(false);
  });

  test("opens with its passphrase alone, however the keyboard composes it", async () => {
    const file = await sealed(contentsOf(100), "año nuevo en Málaga".normalize("NFD"));
    expect(await opened(file, "año nuevo en Málaga")).toEqual(contentsOf(100));
    expect(await opened(file, "ano nuevo en Malaga")).toBe("wrong_passphrase");
    expect(await opened(file, "")).toBe("wrong_passphrase");
  });

  test("of version 1 is read by every later program", async () => {
    expect(String(await opened(Buffer.from(GOLDEN, "base64")))).toBe("what a file of version 1 holds");
  });

  test("whose length was not what was said is not written to its end", async () => {
    const handle = await open(join(folder, "wrong"), "w+");
    for (const length of [99, 101]) {
      const written = writeSealed(handle, PASSPHRASE, length, inParts(contentsOf(100), 7), CHEAP);
      expect(written).rejects.toThrow("100 bytes were read");
      await written.catch(() => undefined);
    }
    await handle.close();
  });
});

describe("a file that was changed", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const contents = contentsOf(2 * CHUNK + 1_000);

  test("is never read to its end, whichever byte it is", async () => {
    const file = await sealed(contents);
    const places = [
      ...Array(HEADER_LENGTH).keys(),
      ...Array.from({ length: 200 }, () => HEADER_LENGTH + random.integer(file.length - HEADER_LENGTH)),
    ];
    for (const place of places) {
      const changed = Buffer.from(file);
      changed[place] = (changed[place] as number) ^ (1 << random.integer(8));
      const result = await opened(changed);
      // The name of the format, then its version: there was none before.
      const expected =
        place < 14 ? "not_ours" : place < 16 && changed.readUInt16BE(14) > 1 ? "newer" : "changed";
      expect([seed, place, result]).toEqual([seed, place, expected]);
    }
  });

  test("by cutting off its end is called so", async () => {
    const file = await sealed(contents);
    const chunk = CHUNK + TAG;
    const ends = [
      1,
      13,
      14,
      15,
      16,
      HEADER_LENGTH - 1,
      HEADER_LENGTH,
      HEADER_LENGTH + chunk,
      file.length - 1,
    ];
    for (const end of [...ends, ...Array.from({ length: 20 }, () => 1 + random.integer(file.length - 1))])
      expect([seed, end, await opened(file.subarray(0, end))]).toEqual([seed, end, "truncated"]);
    for (const nothing of ["", "hello", "SQLite format 3\0", "paloma-database", "\0".repeat(1_000)])
      expect(await opened(Buffer.from(nothing))).toBe("not_ours");
    expect(await opened(Buffer.concat([file, Buffer.alloc(1)]))).toBe("changed");
    expect(await opened(Buffer.concat([file, file.subarray(HEADER_LENGTH)]))).toBe("changed");
  });

  test("by moving, repeating or leaving out chunks, also with a length that fits, is not read to its end", async () => {
    const whole = contentsOf(3 * CHUNK);
    const file = await sealed(whole);
    const chunk = (index: number) =>
      file.subarray(HEADER_LENGTH + index * (CHUNK + TAG), HEADER_LENGTH + (index + 1) * (CHUNK + TAG));
    const made = (...indexes: number[]) =>
      withHeader(Buffer.concat([file.subarray(0, HEADER_LENGTH), ...indexes.map(chunk)]), (header) =>
        header.writeBigUInt64BE(BigInt(indexes.length * CHUNK), 44),
      );
    expect(await opened(made(0, 1, 2))).toEqual(whole);
    for (const order of [[0, 1], [0], [1, 0, 2], [0, 2, 1], [0, 1, 1], [0, 1, 2, 2], [2]])
      expect([order, await opened(made(...order))]).toEqual([order, "changed"]);
    // A chunk of another file with the same passphrase.
    const other = await sealed(whole);
    const mixed = Buffer.from(file);
    other.copy(mixed, HEADER_LENGTH, HEADER_LENGTH, HEADER_LENGTH + CHUNK + TAG);
    expect(await opened(mixed)).toBe("changed");
  });

  test.each([
    ["1 GiB of memory", 16, 1 << 20],
    ["all memory", 16, 0xffff_ffff],
    ["no memory", 16, 0],
    ["no pass", 20, 0],
    ["passes for years", 20, 0xffff_ffff],
    ["no lane", 24, 0],
    ["more lanes than memory", 24, 2],
    ["countless lanes", 24, 0xffff_ffff],
  ])("to demand %s is not tried", async (_demand, place, value) => {
    const file = withHeader(await sealed(contents), (header) => header.writeUInt32BE(value, place));
    expect(await opened(file)).toBe("changed");
  });

  test("to have a length that no file has is called cut, and one of a later version newer", async () => {
    const file = await sealed(contents);
    const long = withHeader(file, (header) => header.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 44));
    expect(await opened(long)).toBe("truncated");
    const empty = withHeader(file, (header) => header.writeBigUInt64BE(0n, 44));
    expect(await opened(empty)).toBe("changed");
    const later = Buffer.from(file);
    later.writeUInt16BE(2, 14);
    expect(await opened(later)).toBe("newer");
  });
});
