import { constants } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";

import { errorCode } from "../../net/error-code.ts";
import { FreeSpace } from "../disk/free-space.ts";
import { giveItsName, removeUnfinished, temporaryName, type Place } from "./file-sink.ts";
import type { Listed, Piece } from "./listing.ts";
import { inParallel } from "./parallel.ts";
import { ReceivedListing, type Offered } from "./received-listing.ts";
import { asSink, ifThere, readFully, setModified, SinkError, writeFully, type Sink } from "./source.ts";
import { syncNames, TargetFolder } from "./target-folder.ts";

/** In the temporary folder, which nobody else may enter: what gets the name at the end. */
const TREE = "tree";

const { O_RDONLY, O_WRONLY, O_CREAT, O_DIRECTORY, O_NOFOLLOW } = constants;
const FOR_WRITING = O_WRONLY | O_CREAT;

/** A received folder. Its files are written to the disk one by one when they are complete. */
export class FolderSink implements Sink {
  readonly #place: Place;
  readonly #size: number;
  readonly #folder: TargetFolder;
  readonly #space: FreeSpace;
  readonly #listing: ReceivedListing;
  readonly #tree: TargetFolder;
  /** Of the files, in order, 1: it is complete and on the disk, with its time. */
  #synced = new Uint8Array();

  private constructor(
    place: Place,
    size: number,
    folder: TargetFolder,
    listing: ReceivedListing,
    tree: TargetFolder,
  ) {
    this.#place = place;
    this.#size = size;
    this.#folder = folder;
    this.#space = new FreeSpace(place.folder);
    this.#listing = listing;
    this.#tree = tree;
  }

  /** Opens what is there of the folder, or makes it. @throws SinkError */
  static async open(place: Place, offered: Offered): Promise<FolderSink> {
    const folder = await TargetFolder.open(place.folder);
    let listing: ReceivedListing | undefined;
    try {
      return await asSink(async () => {
        listing = await ReceivedListing.open(place.notes, offered);
        const tree = await openTree(folder, temporaryName(place.key), listing.tree !== undefined);
        const sink = new FolderSink(place, offered.size, folder, listing, tree);
        await sink.#makeFolders().catch((error: unknown) => {
          tree.close();
          throw error;
        });
        return sink;
      });
    } catch (error) {
      listing?.close();
      folder.close();
      throw error;
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset + bytes.length > this.#size) throw new SinkError("too_large");
    await asSink(async () => {
      this.#space.check();
      if (this.#listing.tree === undefined) {
        await this.#listing.write(offset, bytes);
        await this.#makeFolders();
      } else if (offset < this.#listing.size) {
        await this.#compare(offset, bytes);
      }
      const { tree, size } = this.#listing;
      if (tree === undefined) return;
      const contents = bytes.subarray(Math.max(0, size - offset));
      const from = Math.max(0, offset - size);
      await this.#tree.within(".", (root) =>
        inParallel(tree.contents.pieces(from, contents.length), (piece) =>
          this.#writePiece(root, tree, piece, contents.subarray(piece.at, piece.at + piece.length)),
        ),
      );
    });
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    return asSink(async () => {
      const { tree, size } = this.#listing;
      const listed = offset < size ? await this.#listing.read(offset, into) : 0;
      if (tree === undefined) return listed;
      const contents = into.subarray(listed);
      const from = offset + listed - size;
      let end = Math.min(contents.length, Math.max(0, tree.contents.size - from));
      await this.#tree.within(".", (root) =>
        inParallel(tree.contents.pieces(from, contents.length), async (piece) => {
          const part = contents.subarray(piece.at, piece.at + piece.length);
          const count = await readPiece(`${root}/${tree.paths[piece.index]}`, piece.offset, part);
          if (count < part.length) end = Math.min(end, piece.at + count);
        }),
      );
      return listed + end;
    });
  }

  async finish(): Promise<string> {
    return asSink(async () => {
      const { tree } = this.#listing;
      if (tree === undefined) throw new SinkError("bad_listing");
      const inode = await this.#tree.within(".", (root) => this.#completeTree(root, tree));
      const from = `${temporaryName(this.#place.key)}/${TREE}`;
      return giveItsName(this.#folder, this.#place, "folder", from, inode);
    });
  }

  async discard(): Promise<void> {
    await removeUnfinished(this.#folder, this.#place);
    this.close();
  }

  close(): void {
    this.#listing.close();
    this.#tree.close();
    this.#folder.close();
  }

  /** When the listing is complete. */
  async #makeFolders(): Promise<void> {
    const { tree } = this.#listing;
    if (tree === undefined) return;
    this.#synced = new Uint8Array(tree.paths.length);
    await this.#tree.within(".", async (root) => {
      // Each one stands behind the one that it is in.
      for (const path of tree.folders) await makeFolder(`${root}/${path}`, 0o777);
    });
  }

  /** The sender may not send another listing than before. */
  async #compare(offset: number, bytes: Uint8Array): Promise<void> {
    const before = Buffer.alloc(Math.min(bytes.length, this.#listing.size - offset));
    await this.#listing.read(offset, before);
    if (!before.equals(bytes.subarray(0, before.length))) throw new SinkError("bad_listing");
  }

  async #writePiece(root: string, tree: Listed, { index, offset }: Piece, bytes: Uint8Array): Promise<void> {
    await withOpen(`${root}/${tree.paths[index]}`, FOR_WRITING, async (handle) => {
      this.#synced[index] = 0;
      await writeFully(handle, offset, bytes);
      if (offset + bytes.length >= tree.contents.sizeOf(index)) await this.#sync(handle, tree, index);
    });
  }

  /** A file is complete. */
  async #sync(handle: FileHandle, tree: Listed, index: number): Promise<void> {
    await setModified(handle, tree.modified[index]);
    await handle.sync();
    this.#synced[index] = 1;
  }

  *#unsynced(): Generator<number> {
    for (const [index, synced] of this.#synced.entries()) if (synced === 0) yield index;
  }

  /** Makes empty files, and writes to the disk what is not there yet. @returns the inode of the folder */
  async #completeTree(root: string, tree: Listed): Promise<string> {
    await inParallel(this.#unsynced(), (index) =>
      withOpen(`${root}/${tree.paths[index]}`, FOR_WRITING, async (handle) => {
        const { size } = await handle.stat();
        if (size !== tree.contents.sizeOf(index)) throw new SinkError("damaged");
        await this.#sync(handle, tree, index);
      }),
    );
    // The root follows last, and has a link in its path.
    await inParallel(tree.folders, (path) => completeFolder(`${root}/${path}`, tree.folderTimes.get(path)));
    return completeFolder(`${root}/.`, tree.folderTimes.get("") ?? this.#place.modified);
  }
}

/** Opens something for `use`. No symbolic link is followed. @throws system errors, and what `use` throws */
async function withOpen<T>(path: string, flags: number, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags | O_NOFOLLOW, 0o666);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

function completeFolder(path: string, modified: number | undefined): Promise<string> {
  return withOpen(path, O_RDONLY | O_DIRECTORY, async (handle) => {
    await setModified(handle, modified);
    await syncNames(handle);
    return `${(await handle.stat({ bigint: true })).ino}`;
  });
}

/** One that is there stays. @throws system errors */
async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** @returns bytes read; none where there is no such file */
async function readPiece(path: string, offset: number, into: Uint8Array): Promise<number> {
  const read = () => withOpen(path, O_RDONLY, (handle) => readFully(handle, offset, into));
  return (await ifThere(read)) ?? 0;
}

/** @param isKept false: what is there belongs to no listing, and goes */
async function openTree(folder: TargetFolder, temporary: string, isKept: boolean): Promise<TargetFolder> {
  if (!isKept) await folder.remove(temporary);
  await folder.within(temporary, (path) => makeFolder(path, 0o700));
  const outer = await folder.openFolder(temporary);
  try {
    await outer?.within(TREE, (path) => makeFolder(path, 0o777));
    const tree = await outer?.openFolder(TREE);
    if (tree === undefined) throw new SinkError("unwritable");
    return tree;
  } finally {
    outer?.close();
  }
}
