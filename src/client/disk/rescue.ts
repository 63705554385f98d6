/** Writes the readable messages of a damaged profile to a separate file, which is complete or does not exist. */
import type { Database } from "bun:sqlite";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { profileFile } from "./folders.ts";
import { readableLines } from "./readable-messages.ts";

/** Longest file that is made from the length in a header, in bytes: a damaged header may name any length. */
const MAX_PADDED = 64 * 2 ** 30;
/** Bytes of an earlier rescue that are read at once to count its lines. */
const COUNT_BUFFER = 1 << 20;

type Rescue = {
  /** The file; undefined: no message was readable. */
  readonly rescued: string | undefined;
  /** Messages in it. */
  readonly count: number;
};

/**
 * Writes every readable message to `rescued-<UTC time>.jsonl` in the profile's folder. If the profile has not
 * changed since an earlier rescue, that one is returned, so that repeated starts do not fill the disk.
 * @param now ms since 1970
 * @throws SQLiteError and system errors when the disk is full or cannot be written
 */
export function rescueMessages(database: Database, folder: string, username: string, now: number): Rescue {
  for (const name of filesLike(folder, /^rescued-.*\.jsonl\.part$/)) rmSync(name);
  const earlier = earlierRescue(folder);
  if (earlier !== undefined) return { rescued: earlier, count: countLines(earlier) };
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(":", "-");
  let file = join(folder, `rescued-${time}Z.jsonl`);
  for (let next = 2; existsSync(file); next++) file = join(folder, `rescued-${time}Z-${next}.jsonl`);
  const part = `${file}.part`;
  const descriptor = openSync(part, "wx", 0o600);
  let count = 0;
  try {
    for (const lines of readableLines(database, username)) {
      count += lines.length;
      writeAll(descriptor, Buffer.from(lines.join("")));
    }
    fsyncSync(descriptor);
  } catch (error) {
    closeSync(descriptor);
    rmSync(part);
    throw error;
  }
  closeSync(descriptor);
  if (count === 0) {
    rmSync(part);
    return { rescued: undefined, count };
  }
  renameSync(part, file);
  return { rescued: file, count };
}

/** Offsets of the page size and the page count in a database header (SQLite file format, 1.3). */
const PAGE_SIZE_AT = 16;
const PAGE_COUNT_AT = 28;
const HEADER_LENGTH = 100;

/**
 * Runs `use` with a file that SQLite can open: a truncated file is copied, and the copy is padded with zeros.
 * @throws system errors when the disk has no room for the copy
 */
export function withFullLength<T>(file: string, use: (file: string) => T): T {
  const header = Buffer.alloc(HEADER_LENGTH);
  const descriptor = openSync(file, "r");
  readSync(descriptor, header, 0, HEADER_LENGTH, 0);
  closeSync(descriptor);
  const length = header.readUInt16BE(PAGE_SIZE_AT) * header.readUInt32BE(PAGE_COUNT_AT);
  const isCut = header.toString("latin1", 0, 15) === "SQLite format 3" && statSync(file).size < length;
  if (!isCut || length > MAX_PADDED) return use(file);
  const copy = `${file}.whole`;
  const parts = ["", "-wal", "-shm"];
  try {
    copyFileSync(file, copy);
    truncateSync(copy, length);
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
    return use(copy);
  } finally {
    for (const part of parts) rmSync(`${copy}${part}`, { force: true });
  }
}

function filesLike(folder: string, name: RegExp): string[] {
  return readdirSync(folder)
    .filter((each) => name.test(each))
    .sort()
    .map((each) => join(folder, each));
}

function earlierRescue(folder: string): string | undefined {
  const file = profileFile(folder);
  const log = `${file}-wal`;
  const changed = [file, ...(existsSync(log) && statSync(log).size > 0 ? [log] : [])].map(
    (each) => statSync(each).mtimeMs,
  );
  return filesLike(folder, /^rescued-.*\.jsonl$/).findLast(
    (each) => statSync(each).mtimeMs >= Math.max(...changed),
  );
}

function countLines(file: string): number {
  const descriptor = openSync(file, "r");
  const bytes = Buffer.alloc(COUNT_BUFFER);
  let count = 0;
  try {
    for (let read = 1; read > 0;) {
      read = readSync(descriptor, bytes, 0, bytes.length, null);
      for (let at = bytes.indexOf(10); at >= 0 && at < read; at = bytes.indexOf(10, at + 1)) count++;
    }
  } finally {
    closeSync(descriptor);
  }
  return count;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}
