/**
 * What a crash while a received file gets its name must not lose: under which name it may be found, and that this is the
 * file. It is kept in the profile's folder, where nobody else writes.
 */
import type { BigIntStats } from "node:fs";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import { ifThere } from "./source.ts";
import { syncNames } from "./target-folder.ts";

export type NamingNote = {
  readonly name: string;
  /** Number of the file or folder on its disk. */
  readonly inode: string;
};

const FILE = "name";

export function isNoted(note: NamingNote, status: BigIntStats): boolean {
  return note.inode === String(status.ino);
}

/** It is on the disk when this is done. @param notes the folder of `Place` @throws system errors */
export async function writeNote(notes: string, note: NamingNote): Promise<void> {
  await mkdir(notes, { recursive: true, mode: 0o700 });
  const unfinished = join(notes, `${FILE}.new`);
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify(note));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, join(notes, FILE));
  const folder = await open(notes, "r");
  await syncNames(folder).finally(() => folder.close());
}

/** @returns undefined: nothing got a name yet @throws system errors */
export async function readNote(notes: string): Promise<NamingNote | undefined> {
  const text = await ifThere(() => readFile(join(notes, FILE), "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as NamingNote);
}
