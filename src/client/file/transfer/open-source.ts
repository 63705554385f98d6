/** Opens what is sent. */
import { FileSource } from "../file-source.ts";
import type { Source } from "../source.ts";

export type OpenedSource = {
  readonly source: Source;
  /** Undefined: it is no folder. */
  readonly entries: number | undefined;
  /** ms since 1970; undefined: unknown. */
  readonly modified: number | undefined;
  /** To be kept with the offer; undefined: it cannot be opened again. */
  readonly stamp: string | undefined;
};

/** @param stamp of the offer; undefined: it is being offered. @throws SourceError */
export async function openSource(path: string, stamp: string | undefined): Promise<OpenedSource> {
  const source = await FileSource.open(path, stamp);
  return { source, entries: undefined, modified: source.modified, stamp: source.identity };
}
