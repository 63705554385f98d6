/** Writes and reads the encrypted file of `profile export` (`sealed-format.ts`), chunk by chunk. */
import type { FileHandle } from "node:fs/promises";

import {
  CHUNK,
  chunkPlace,
  COST,
  HEADER_LENGTH,
  lastChunk,
  newSealed,
  openChunk,
  readHeader,
  sealChunk,
  SealedFileError,
  type Header,
  type Sealed,
} from "./sealed-format.ts";

/** Chunks after which they are written to the disk, 16 MiB: also on a slow one, no wait is so long that a signal ends it. */
const SYNC_EVERY = 256;

/**
 * Encrypts the contents into an empty file.
 * @param length bytes of all parts together, at least 1
 * @throws system errors, and what `contents` throws
 */
export async function writeSealed(
  handle: FileHandle,
  passphrase: string,
  length: number,
  contents: AsyncIterable<Uint8Array>,
  cost = COST,
): Promise<void> {
  const sealed = await newSealed(passphrase, length, cost);
  await writeAt(handle, sealed.header.bytes, 0);
  let index = 0;
  let written = 0;
  for await (const chunk of inChunks(contents)) {
    await writeAt(handle, sealChunk(sealed, index, chunk), chunkPlace(sealed.header, index).start);
    written += chunk.length;
    if (++index % SYNC_EVERY === 0) await handle.datasync();
  }
  if (written !== length) throw new Error(`${written} bytes were read instead of ${length}`);
}

/** Reads the header of an encrypted file. @throws SealedFileError, system errors */
export async function openSealed(handle: FileHandle): Promise<Header> {
  const { size } = await handle.stat();
  return readHeader(await readAt(handle, 0, Math.min(size, HEADER_LENGTH)), size);
}

/**
 * The contents of an encrypted file, part by part. That nothing is missing is certain only after the last one.
 * @param sealed `withKey` gives it
 * @throws SealedFileError, system errors
 */
export async function* readSealed(handle: FileHandle, sealed: Sealed): AsyncGenerator<Buffer> {
  for (let index = 0; index <= lastChunk(sealed.header); index++) {
    const { start, end } = chunkPlace(sealed.header, index);
    yield openChunk(sealed, index, await readAt(handle, start, end));
  }
}

/** The same bytes in parts of CHUNK, of which only the last one may be shorter. Each is valid until the next. */
async function* inChunks(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(CHUNK);
  let used = 0;
  for await (const part of parts) {
    for (let taken = 0; taken < part.length;) {
      const some = part.subarray(taken, taken + CHUNK - used);
      chunk.set(some, used);
      taken += some.length;
      used += some.length;
      if (used < CHUNK) continue;
      yield chunk;
      used = 0;
    }
  }
  if (used > 0) yield chunk.subarray(0, used);
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
  }
}

async function readAt(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
    // It has become shorter meanwhile.
    if (bytesRead === 0) throw new SealedFileError("truncated");
    done += bytesRead;
  }
  return bytes;
}
