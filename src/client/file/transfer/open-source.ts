/** Opens what is sent: a file, a folder or a pipe. */
import { stat } from "node:fs/promises";

import type { Transfer } from "../../profile/transfers.ts";
import { FileSource } from "../file-source.ts";
import { FolderSource, type LeftOut } from "../folder-source.ts";
import { PipeSource } from "../pipe-source.ts";
import { asSource, type Source } from "../source.ts";

/** What an offer tells of a source, and keeps of it. */
export type Offerable = Pick<Transfer, "size" | "entries" | "modified" | "stamp"> & {
  /** What of a folder is not sent. */
  readonly leftOut: LeftOut | undefined;
};

/** Looks at what is to be offered. @param path absolute. @throws SourceError */
export async function lookAtSource(path: string): Promise<Offerable> {
  const status = await asSource("no_such_file", () => stat(path));
  if (status.isDirectory()) {
    const source = await FolderSource.open(path);
    source.close();
    const { size, entries, leftOut, identity: stamp } = source;
    return { size, entries, leftOut, stamp, modified: isoTime(source.modified) };
  }
  if (status.isFIFO() || status.isSocket()) {
    (await PipeSource.open(path)).close();
    return { size: undefined, entries: undefined, leftOut: undefined, stamp: undefined, modified: undefined };
  }
  const source = await FileSource.open(path);
  source.close();
  const { size, identity: stamp } = source;
  return { size, entries: undefined, leftOut: undefined, stamp, modified: isoTime(source.modified) };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

/** Opens what was offered. @throws SourceError, also if it has changed since */
export function openSource({ path = "", stamp, size, entries }: Transfer): Promise<Source> {
  if (entries !== undefined) return FolderSource.open(path, stamp);
  return size === undefined ? PipeSource.open(path) : FileSource.open(path, stamp);
}
