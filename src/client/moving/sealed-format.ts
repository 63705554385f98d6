/**
 * The encrypted file of `profile export`, version 1. Numbers are big-endian. It begins with a header:
 *
 *     14 bytes  `paloma-profile`
 *      2 bytes  version: 1
 *      4 bytes  argon2id: memory in KiB
 *      4 bytes  argon2id: passes
 *      4 bytes  argon2id: lanes
 *     16 bytes  argon2id: salt
 *      8 bytes  length of the contents
 *     16 bytes  key check
 *     12 bytes  the first of the SHA-256 of all that stands before
 *
 * argon2id makes 48 bytes of the passphrase (UTF-8 of its NFC): the key, 32, and the key check, by which a wrong
 * passphrase is told from a changed file. The salt, and with it the key, is new in every file.
 *
 * The contents follow in chunks of 64 KiB, of which the last one may be shorter: each its AES-256-GCM ciphertext and the
 * tag of 16 bytes. The nonce is the chunk's number (11 bytes), and 1 in the last chunk, else 0 (the STREAM construction);
 * the additional data is the header. So no byte can be changed and no chunk moved, left out or added unnoticed, and
 * neither side holds more than a chunk.
 */
import { argon2, createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

import { normalForm } from "../../protocol/normal-form.ts";

const MAGIC = Buffer.from("paloma-profile");
const VERSION = 1;
const COST_AT = MAGIC.length + 2;
const SALT_AT = COST_AT + 3 * 4;
const LENGTH_AT = SALT_AT + 16;
const KEY_CHECK_AT = LENGTH_AT + 8;
const DIGEST_AT = KEY_CHECK_AT + 16;
/** Bytes of the header. */
export const HEADER_LENGTH = DIGEST_AT + 12;
/** Bytes of a chunk's contents, but for the last one. */
export const CHUNK = 64 * 1024;
const TAG = 16;
const KEY = 32;

/** What argon2id costs. `memory`: KiB */
export type Cost = { readonly memory: number; readonly passes: number; readonly lanes: number };
/** The second choice that RFC 9106 recommends: half a second in 64 MiB. */
export const COST: Cost = { memory: 64 * 1024, passes: 3, lanes: 4 };
/** A file that demands more is not opened: it could take all memory, or hours. */
const MAX_COST: Cost = { memory: 256 * 1024, passes: 16, lanes: 16 };

/** Why a file cannot be opened. `unreadable`: the cause is a system error. */
export class SealedFileError extends Error {
  readonly code: "unreadable" | "not_ours" | "newer" | "truncated" | "changed" | "wrong_passphrase";

  constructor(code: SealedFileError["code"], cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

export type Header = {
  readonly bytes: Buffer;
  readonly cost: Cost;
  /** Bytes of the contents, at least 1. */
  readonly length: number;
};

/** A header, and the key of the file. */
export type Sealed = { readonly header: Header; readonly key: Buffer };

/** The number of a file's last chunk; the first one has 0. */
export function lastChunk({ length }: Pick<Header, "length">): number {
  return Math.ceil(length / CHUNK) - 1;
}

/** Where a chunk begins in the file, and where it ends. */
export function chunkPlace(header: Pick<Header, "length">, index: number): { start: number; end: number } {
  const start = HEADER_LENGTH + index * (CHUNK + TAG);
  return { start, end: start + Math.min(CHUNK, header.length - index * CHUNK) + TAG };
}

function digestOf(header: Buffer): Buffer {
  const digest = createHash("sha256").update(header.subarray(0, DIGEST_AT)).digest();
  return digest.subarray(0, HEADER_LENGTH - DIGEST_AT);
}

/** The key, and the key check. */
async function derived(header: Buffer, cost: Cost, passphrase: string): Promise<[Buffer, Buffer]> {
  const { memory, passes, lanes: parallelism } = cost;
  const message = Buffer.from(normalForm(passphrase));
  const nonce = header.subarray(SALT_AT, LENGTH_AT);
  const tagLength = KEY + DIGEST_AT - KEY_CHECK_AT;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  argon2("argon2id", { message, nonce, parallelism, tagLength, memory, passes }, (error, made) => {
    if (error) reject(error);
    else resolve(made);
  });
  const made = await promise;
  return [made.subarray(0, KEY), made.subarray(KEY)];
}

/** The header of a new file, and its key. @param length bytes of the contents, at least 1 */
export async function newSealed(passphrase: string, length: number, cost: Cost): Promise<Sealed> {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  MAGIC.copy(bytes);
  bytes.writeUInt16BE(VERSION, MAGIC.length);
  bytes.writeUInt32BE(cost.memory, COST_AT);
  bytes.writeUInt32BE(cost.passes, COST_AT + 4);
  bytes.writeUInt32BE(cost.lanes, COST_AT + 8);
  randomBytes(LENGTH_AT - SALT_AT).copy(bytes, SALT_AT);
  bytes.writeBigUInt64BE(BigInt(length), LENGTH_AT);
  const [key, check] = await derived(bytes, cost, passphrase);
  check.copy(bytes, KEY_CHECK_AT);
  digestOf(bytes).copy(bytes, DIGEST_AT);
  return { header: { bytes, cost, length }, key };
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/**
 * Reads a header. @param bytes the first HEADER_LENGTH of the file, or all if it is shorter @param size of the file
 * @throws SealedFileError
 */
export function readHeader(bytes: Buffer, size: number): Header {
  const beginning = bytes.subarray(0, MAGIC.length);
  if (size === 0 || !beginning.equals(MAGIC.subarray(0, size))) throw new SealedFileError("not_ours");
  if (size < COST_AT) throw new SealedFileError("truncated");
  const version = bytes.readUInt16BE(MAGIC.length);
  if (version > VERSION) throw new SealedFileError("newer");
  if (size < HEADER_LENGTH) throw new SealedFileError("truncated");
  const memory = bytes.readUInt32BE(COST_AT);
  const passes = bytes.readUInt32BE(COST_AT + 4);
  const lanes = bytes.readUInt32BE(COST_AT + 8);
  const length = Number(bytes.readBigUInt64BE(LENGTH_AT));
  const isSound =
    version === VERSION &&
    digestOf(bytes).equals(bytes.subarray(DIGEST_AT)) &&
    isWithin(lanes, 1, MAX_COST.lanes) &&
    isWithin(passes, 1, MAX_COST.passes) &&
    // At least 8 KiB a lane (RFC 9106).
    isWithin(memory, 8 * lanes, MAX_COST.memory) &&
    length >= 1;
  const { end } = chunkPlace({ length }, lastChunk({ length }));
  if (!isSound || size > end) throw new SealedFileError("changed");
  if (size < end) throw new SealedFileError("truncated");
  return { bytes, cost: { memory, passes, lanes }, length };
}

/** The key of a file. @throws SealedFileError */
export async function withKey(header: Header, passphrase: string): Promise<Sealed> {
  const [key, check] = await derived(header.bytes, header.cost, passphrase);
  if (!check.equals(header.bytes.subarray(KEY_CHECK_AT, DIGEST_AT)))
    throw new SealedFileError("wrong_passphrase");
  return { header, key };
}

function nonceOf(header: Header, index: number): Buffer {
  const nonce = Buffer.alloc(12);
  // The numbers of chunks have at most six of the eleven bytes.
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = index === lastChunk(header) ? 1 : 0;
  return nonce;
}

/** A chunk as it stands in the file. */
export function sealChunk({ header, key }: Sealed, index: number, contents: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(header, index)).setAAD(header.bytes);
  return Buffer.concat([cipher.update(contents), cipher.final(), cipher.getAuthTag()]);
}

/** The contents of a chunk. @throws SealedFileError */
export function openChunk({ header, key }: Sealed, index: number, chunk: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(header, index), { authTagLength: TAG });
  decipher.setAAD(header.bytes).setAuthTag(chunk.subarray(-TAG));
  const contents = decipher.update(chunk.subarray(0, -TAG));
  try {
    return Buffer.concat([contents, decipher.final()]);
  } catch (error) {
    throw new SealedFileError("changed", error);
  }
}
