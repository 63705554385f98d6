/** Writes what still reads of a damaged profile to a file of its own, complete or not at all. */
import type { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { profileFile } from "./profile-folders.ts";
import { readableLines } from "./readable-messages.ts";

/** Bytes of an earlier rescue that are looked at in one go, to count its lines. */
const COUNTED_AT_ONCE = 1 << 20;

export type Rescue = {
  /** The file; undefined: no message could be read. */
  readonly rescued: string | undefined;
  /** Messages in it. */
  readonly count: number;
};

/**
 * Writes every message that can be read to `rescued-<UTC time>.jsonl` in the profile's folder. An earlier
 * rescue of the same file is named again instead, so that attempts to start do not fill the disk.
 * @param now ms since 1970
 * @throws SQLiteError and system errors for a disk that is full or not to be written
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
  const bytes = Buffer.alloc(COUNTED_AT_ONCE);
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
