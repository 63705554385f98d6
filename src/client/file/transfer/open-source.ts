/** Opens what is sent. */
import { stat } from "node:fs/promises";

import { FileSource } from "../file-source.ts";
import { FolderSource, type LeftOut } from "../folder-source.ts";
import { PipeSource } from "../pipe-source.ts";
import { asSource, type Source } from "../source.ts";

export type OpenedSource = {
  readonly source: Source;
  /** Undefined: it is no folder. */
  readonly entries: number | undefined;
  /** ms since 1970; undefined: unknown. */
  readonly modified: number | undefined;
  /** To be kept with the offer; undefined: it cannot be opened again. */
  readonly stamp: string | undefined;
  /** What of a folder is not sent; undefined: nothing. */
  readonly leftOut: LeftOut | undefined;
};

/** @param stamp of the offer; undefined: it is being offered. @throws SourceError */
export async function openSource(path: string, stamp: string | undefined): Promise<OpenedSource> {
  const none = { entries: undefined, modified: undefined, stamp: undefined, leftOut: undefined };
  const status = await asSource(stamp === undefined ? "no_such_file" : "gone", () => stat(path));
  if (status.isFIFO() || status.isSocket()) return { ...none, source: await PipeSource.open(path) };
  if (status.isDirectory()) {
    const source = await FolderSource.open(path, stamp);
    const { entries, modified, identity, leftOut } = source;
    return { source, entries, modified, stamp: identity, leftOut: leftOut.count > 0 ? leftOut : undefined };
  }
  const source = await FileSource.open(path, stamp);
  return { ...none, source, modified: source.modified, stamp: source.identity };
}
