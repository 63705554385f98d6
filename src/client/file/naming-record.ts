/**
 * What a crash while a received file gets its name must not lose: under which name it may be found, and that this is the
 * file. It is kept in the profile's folder, where nobody else writes.
 */
import type { BigIntStats } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";

import { errorCode } from "../../net/error-code.ts";

export type NamingRecord = {
  readonly name: string;
  /** Number of the file or folder on its disk. */
  readonly inode: string;
};

export function isRecorded(record: NamingRecord, status: BigIntStats): boolean {
  return record.inode === String(status.ino);
}

/** It is on the disk when this is done. @param file of the record @throws system errors */
export async function writeRecord(file: string, record: NamingRecord): Promise<void> {
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify(record));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}

/** @returns undefined: nothing got a name yet @throws system errors */
export async function readRecord(file: string): Promise<NamingRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as NamingRecord;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
