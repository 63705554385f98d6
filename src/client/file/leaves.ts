/**
 * The hashes of a transfer's leaves, in a file of its own on each side (PROTOCOL 6): XXH3 of every MiB that was sent, or
 * written. They find what a crash or a disk has damaged, and which ranges are still missing; the digest over all of
 * them is compared at the end. Only a byte for each leaf is kept in memory.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** Bytes of a leaf; the last one may be shorter. */
export const LEAF_BYTES = 1024 * 1024;
/** Ranges that are asked for on one stream; what is missing beyond them is asked for on the next one. */
export const MAX_RANGES = 64;

/** In the file: 1 for a hash that is known, and the hash, big-endian. */
const ENTRY_BYTES = 9;
const HASH_BYTES = 8;
/** Entries that are read at once. */
const BLOCK = 8_192;
const KNOWN = 1;

/** From a leaf's first byte to before a leaf's first byte, or the end; null: to the end, wherever that is. */
export type Range = readonly [from: number, to: number | null];

/** A source or a sink, of which bytes are read. */
export interface Readable {
  /** Fills `into` from `offset` unless the end comes before. @returns bytes read */
  read(offset: number, into: Uint8Array): Promise<number>;
}

/** How many leaves so many bytes have. */
export function leafCount(size: number): number {
  return Math.ceil(size / LEAF_BYTES);
}

export function leafHash(bytes: Uint8Array): bigint {
  return Bun.hash.xxHash3(bytes);
}

export class Leaves {
  #descriptor: number | undefined;
  /** A byte for each leaf: whether its hash is in the file. */
  #known = new Uint8Array(BLOCK);
  readonly #entry = Buffer.alloc(ENTRY_BYTES);

  /** Opens the file, or creates it empty. @throws what `openSync` and `readSync` throw */
  constructor(path: string) {
    // No link is followed, and only its owner reads it: hashes tell which known file it is.
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    this.#descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    const entries = Math.floor(fstatSync(this.#descriptor).size / ENTRY_BYTES);
    for (const [first, block] of this.#blocks(entries)) {
      for (let at = 0; at < block.length; at += ENTRY_BYTES) {
        if (block[at] === KNOWN) this.#mark(first + at / ENTRY_BYTES, KNOWN);
      }
    }
  }

  /** The hash of a leaf, where it is known. */
  get(index: number): bigint | undefined {
    if (!this.#isKnown(index)) return undefined;
    readSync(this.#opened, this.#entry, 0, ENTRY_BYTES, index * ENTRY_BYTES);
    return this.#entry.readBigUInt64BE(1);
  }

  /** Keeps the hash of a leaf. @throws what `writeSync` throws */
  set(index: number, hash: bigint): void {
    this.#entry[0] = KNOWN;
    this.#entry.writeBigUInt64BE(hash, 1);
    writeSync(this.#opened, this.#entry, 0, ENTRY_BYTES, index * ENTRY_BYTES);
    this.#mark(index, KNOWN);
  }

  /** Bytes of `size` whose leaves are known. */
  knownBytes(size: number): number {
    let bytes = 0;
    for (let index = 0; index < this.#end(size); index++) {
      if (this.#isKnown(index)) bytes += Math.min(LEAF_BYTES, size - index * LEAF_BYTES);
    }
    return bytes;
  }

  /** The first `MAX_RANGES` ranges of `size` bytes whose leaves are not known; none: all are. */
  missing(size: number): Range[] {
    const ranges: Range[] = [];
    const add = (from: number, to: number) => {
      if (from < to) ranges.push([from, to]);
    };
    let from = 0;
    for (let index = 0; index < this.#end(size) && ranges.length < MAX_RANGES; index++) {
      if (!this.#isKnown(index)) continue;
      add(from, index * LEAF_BYTES);
      from = (index + 1) * LEAF_BYTES;
    }
    if (ranges.length < MAX_RANGES) add(from, size);
    return ranges;
  }

  /** SHA-256 over the hashes of all leaves, in hexadecimal; undefined while one is not known. */
  digest(size: number): string | undefined {
    const hash = createHash("sha256");
    const count = leafCount(size);
    if (this.#known.length < count || this.#known.subarray(0, count).includes(0)) return undefined;
    for (const [, block] of this.#blocks(count)) {
      for (let at = 1; at < block.length; at += ENTRY_BYTES) hash.update(block.subarray(at, at + HASH_BYTES));
    }
    return hash.digest("hex");
  }

  /** Reads every known leaf again, and forgets those that no longer match. @throws what `read` throws */
  async verify(sink: Readable, size: number): Promise<void> {
    const hashes = this.#hashes(sink, size, this.#end(size), (index) => this.#isKnown(index));
    for await (const [index, hash] of hashes) {
      if (hash === this.get(index)) continue;
      this.#entry.fill(0);
      writeSync(this.#opened, this.#entry, 0, ENTRY_BYTES, index * ENTRY_BYTES);
      this.#mark(index, 0);
    }
  }

  /** Reads every leaf that is not known. @throws what `read` throws */
  async complete(source: Readable, size: number): Promise<void> {
    const hashes = this.#hashes(source, size, leafCount(size), (index) => !this.#isKnown(index));
    for await (const [index, hash] of hashes) this.set(index, hash);
  }

  /** Whatever of `verify` and `complete` is under way fails. */
  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  get #opened(): number {
    if (this.#descriptor === undefined) throw new Error("the leaves are closed");
    return this.#descriptor;
  }

  /** Behind the last leaf of so many bytes that may be known: of a size that lies there are billions. */
  #end(size: number): number {
    return Math.min(leafCount(size), this.#known.length);
  }

  #isKnown(index: number): boolean {
    return this.#known[index] === KNOWN;
  }

  #mark(index: number, value: number): void {
    if (index >= this.#known.length) {
      const grown = new Uint8Array(2 * (index + 1));
      grown.set(this.#known);
      this.#known = grown;
    }
    this.#known[index] = value;
  }

  /** The entries of the file, in blocks, each with the index of its first; a block is valid until the next one. */
  *#blocks(entries: number): Generator<[first: number, block: Buffer]> {
    const block = Buffer.alloc(Math.min(entries, BLOCK) * ENTRY_BYTES);
    for (let first = 0; first < entries; first += BLOCK) {
      const length = Math.min(entries - first, BLOCK) * ENTRY_BYTES;
      const read = readSync(this.#opened, block, 0, length, first * ENTRY_BYTES);
      yield [first, block.subarray(0, read)];
    }
  }

  async *#hashes(
    from: Readable,
    size: number,
    end: number,
    wants: (index: number) => boolean,
  ): AsyncGenerator<[index: number, hash: bigint]> {
    const leaf = new Uint8Array(Math.min(size, LEAF_BYTES));
    for (let index = 0; index < end; index++) {
      if (!wants(index)) continue;
      const offset = index * LEAF_BYTES;
      const read = await from.read(offset, leaf.subarray(0, Math.min(LEAF_BYTES, size - offset)));
      yield [index, leafHash(leaf.subarray(0, read))];
    }
  }
}
