import { rm, type FileHandle } from "node:fs/promises";

import { FreeSpace } from "../disk/free-space.ts";
import { isNoted, readNote, writeNote } from "./naming-note.ts";
import { safeName } from "./safe-names.ts";
import { asSink, closeLater, readFully, setModified, SinkError, writeFully, type Sink } from "./source.ts";
import { TargetFolder } from "./target-folder.ts";

/** What one received file or folder needs to know of its place; the same at each opening. */
export type Place = {
  /** As `TargetFolder.resolve` gave it when the offer was accepted. */
  readonly folder: string;
  /** Made up here for this transfer, never by its sender: letters and digits. It names what is not complete. */
  readonly key: string;
  /** As it was offered: any text. */
  readonly name: string;
  /**
   * A folder in the profile's folder for the sink's own use, which makes it. To be removed, with all that is in it, when
   * the transfer is known to be done.
   */
  readonly notes: string;
  /** As it was offered, ms since 1970; undefined: not told. */
  readonly modified: number | undefined;
};

/** A received file. */
export class FileSink implements Sink {
  readonly #place: Place;
  /** Bytes; undefined: as many as come. */
  readonly #size: number | undefined;
  readonly #folder: TargetFolder;
  readonly #space: FreeSpace;
  readonly #handle: FileHandle;

  private constructor(place: Place, size: number | undefined, folder: TargetFolder, handle: FileHandle) {
    this.#place = place;
    this.#size = size;
    this.#folder = folder;
    this.#space = new FreeSpace(place.folder);
    this.#handle = handle;
  }

  /**
   * Opens what is there of the file, or makes it.
   * @param size bytes; undefined: unknown
   * @throws SinkError
   */
  static async open(place: Place, size: number | undefined): Promise<FileSink> {
    const folder = await TargetFolder.open(place.folder);
    try {
      const temporary = temporaryName(place.key);
      const handle = (await openBegun(folder, temporary)) ?? (await folder.makeFile(temporary));
      return new FileSink(place, size, folder, handle);
    } catch (error) {
      folder.close();
      throw error;
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#size !== undefined && offset + bytes.length > this.#size) throw new SinkError("too_large");
    await asSink(async () => {
      this.#space.check();
      await writeFully(this.#handle, offset, bytes);
    });
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    return asSink(() => readFully(this.#handle, offset, into));
  }

  async finish(): Promise<string> {
    return asSink(async () => {
      const status = await this.#handle.stat({ bigint: true });
      if (this.#size !== undefined && status.size !== BigInt(this.#size)) throw new SinkError("damaged");
      await setModified(this.#handle, this.#place.modified);
      await this.#handle.sync();
      return giveItsName(this.#folder, this.#place, "file", temporaryName(this.#place.key), `${status.ino}`);
    });
  }

  async discard(): Promise<void> {
    await removeUnfinished(this.#folder, this.#place);
    this.close();
  }

  close(): void {
    closeLater(this.#handle);
    this.#folder.close();
  }
}

/** What is received has this name until it is complete. */
export function temporaryName(key: string): string {
  return `.paloma-${key}.part`;
}

/**
 * Gives what was received a name that is free.
 * @param from its path in the folder. @returns where it is found. @throws SinkError, system errors
 */
export async function giveItsName(
  folder: TargetFolder,
  { key, name, notes }: Place,
  kind: "file" | "folder",
  from: string,
  inode: string,
): Promise<string> {
  const note = (chosen: string) => writeNote(notes, { name: chosen, inode });
  const given = await folder.giveName(from, kind, safeName(name), note);
  if (kind === "folder") await folder.remove(temporaryName(key));
  await folder.sync();
  return folder.pathOf(given);
}

/** Nothing stays of what has no name yet. @throws SinkError */
export async function removeUnfinished(folder: TargetFolder, { key, notes }: Place): Promise<void> {
  await asSink(async () => {
    await folder.remove(temporaryName(key));
    await rm(notes, { recursive: true, force: true });
  });
}

/**
 * Where a received file or folder is that has its name; undefined: it has none yet. Nothing is written to it again: it was
 * complete, and a person may have changed it since.
 * @throws SinkError
 */
export async function namedPath({ folder, key, notes }: Place): Promise<string | undefined> {
  const note = await asSink(() => readNote(notes));
  if (note === undefined) return undefined;
  const target = await TargetFolder.open(folder);
  try {
    const status = await target.status(note.name);
    if (status === undefined || !isNoted(note, status)) return undefined;
    // Where both names are there, the second was not taken away yet.
    await target.remove(temporaryName(key));
    await target.sync();
    return await target.pathOf(note.name);
  } finally {
    target.close();
  }
}

/** What an earlier process has made, if nothing else leads to it. @throws SinkError */
async function openBegun(folder: TargetFolder, name: string): Promise<FileHandle | undefined> {
  const handle = await folder.openFile(name);
  if (handle === undefined) return undefined;
  const status = await handle.stat({ bigint: true });
  if (status.isFile() && status.nlink === 1n) return handle;
  await handle.close();
  return undefined;
}
