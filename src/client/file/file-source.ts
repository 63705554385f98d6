import { constants, type BigIntStats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";

import { asSource, closeLater, readFully, SourceError, type Source } from "./source.ts";

/** A file that is sent. */
export class FileSource implements Source {
  readonly size: number;
  /** As of the offer, ms since 1970. */
  readonly modified: number;
  /** To be kept with the offer: tells after a restart whether it is the same file, unchanged. */
  readonly identity: string;
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle, status: BigIntStats) {
    this.#path = path;
    this.#handle = handle;
    this.size = Number(status.size);
    this.modified = Number(status.mtimeMs);
    this.identity = identityOf(status);
  }

  /**
   * @param path absolute; a symbolic link is followed
   * @param offered the identity that the file had when it was offered
   * @throws SourceError
   */
  static async open(path: string, offered?: string): Promise<FileSource> {
    const missing = offered === undefined ? "no_such_file" : "gone";
    // Opening a named pipe would wait for its writer.
    const handle = await asSource(missing, () => open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    try {
      const status = await asSource(missing, () => handle.stat({ bigint: true }));
      if (!status.isFile() || (status.size === 0n && (await hasHiddenBytes(handle))))
        throw new SourceError("not_a_file");
      const source = new FileSource(path, handle, status);
      if (offered !== undefined && source.identity !== offered) throw new SourceError("changed");
      return source;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    const wanted = Math.max(0, Math.min(into.length, this.size - offset));
    const count = await asSource("gone", () => readFully(this.#handle, offset, into.subarray(0, wanted)));
    if (count < wanted) throw new SourceError("changed");
    return count;
  }

  async check(): Promise<void> {
    // The open file, and what has its name now: editors replace a file instead of changing it.
    for (const look of [
      () => this.#handle.stat({ bigint: true }),
      () => stat(this.#path, { bigint: true }),
    ]) {
      if (identityOf(await asSource("gone", look)) !== this.identity) throw new SourceError("changed");
    }
  }

  close(): void {
    closeLater(this.#handle);
  }
}

/** Whether it is one of those files of the system whose size is 0 although they yield bytes. @throws SourceError */
function hasHiddenBytes(handle: FileHandle): Promise<boolean> {
  return asSource("not_readable", async () => {
    const read = await readFully(handle, 0, new Uint8Array(1));
    // One that has just grown has a size.
    return read > 0 && (await handle.stat()).size === 0;
  });
}

/** Without the number of the device, which a restart may change. */
export function identityOf(status: BigIntStats): string {
  return `${status.ino}:${status.size}:${status.mtimeNs}`;
}
