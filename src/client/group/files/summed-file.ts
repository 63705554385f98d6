/** What a file on this disk is: as its author names it in a group, or as it is given on. */
import { stat } from "node:fs/promises";

import { FileSource } from "../../file/file-source.ts";
import { asSource, SourceError } from "../../file/source.ts";
import { TransferError } from "../../file/transfer/transfer-error.ts";
import { sha256Of } from "../../file/transfer/work.ts";

export type SummedFile = {
  /** Of the whole, in hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** As of `FileSource.identity`. */
  readonly stamp: string;
};

/**
 * @param path absolute
 * @param known what it was before: it is not read again if it is still that
 * @throws TransferError
 */
export async function summedFile(path: string, known?: SummedFile): Promise<SummedFile> {
  try {
    const status = await asSource("no_such_file", () => stat(path));
    if (status.isDirectory()) throw new TransferError("folder_in_group");
    const source = await FileSource.open(path);
    try {
      if (known?.stamp === source.identity) return known;
      const sha256 = await sha256Of(source, source.size);
      await source.check();
      return { sha256, size: source.size, stamp: source.identity };
    } finally {
      source.close();
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { code } = error;
    throw new TransferError(code === "changed" || code === "gone" ? "not_readable" : code);
  }
}
