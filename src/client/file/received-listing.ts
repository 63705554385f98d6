import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { ListedTree, type Listed, MAX_LISTING_BYTES } from "./listing.ts";
import { closeLater, readFully, SinkError, writeFully } from "./source.ts";

/** Bytes that are looked through at once: more would make everything else of this process wait. */
const BLOCK = 16 * 1024;
/** While it is not complete. */
const UNFINISHED = "listing";
/** When it is: with its SHA-256, so that one that a disk has damaged is not taken for what was received. */
const COMPLETE = /^listing-([0-9a-f]{64})$/;

/** What the offer said of a folder. */
export type Offered = {
  /** Bytes of the listing and the contents. */
  readonly size: number;
  readonly entries: number;
};

/** The listing of a received folder, in the profile's folder. */
export class ReceivedListing {
  readonly #notes: string;
  readonly #offered: Offered;
  readonly #handle: FileHandle;
  /** Bytes that were received, and of these, how many have no end of the listing. */
  #received: number;
  #searched = 0;
  #tree: Listed | undefined;

  private constructor(notes: string, offered: Offered, handle: FileHandle, received: number) {
    this.#notes = notes;
    this.#offered = offered;
    this.#handle = handle;
    this.#received = received;
  }

  /** @throws SinkError, system errors */
  static async open(notes: string, offered: Offered): Promise<ReceivedListing> {
    await mkdir(notes, { recursive: true, mode: 0o700 });
    const complete = (await readdir(notes)).find((name) => COMPLETE.test(name));
    if (complete !== undefined) {
      const listing = await ReceivedListing.#of(notes, offered, complete, "r");
      if (`listing-${await listing.#sum()}` === complete) {
        listing.#tree = await listing.#parse();
        return listing;
      }
      listing.close();
      await rm(join(notes, complete));
    }
    return ReceivedListing.#of(notes, offered, UNFINISHED, "w+");
  }

  static async #of(notes: string, offered: Offered, name: string, flags: string): Promise<ReceivedListing> {
    const handle = await open(join(notes, name), flags, 0o600);
    return new ReceivedListing(notes, offered, handle, (await handle.stat()).size);
  }

  /** What it says, when it is complete. */
  get tree(): Listed | undefined {
    return this.#tree;
  }

  /** Bytes; while it is not complete, what may be part of it. */
  get size(): number {
    return this.#received;
  }

  /**
   * Takes the next bytes of a listing that is not complete, or again bytes that were taken.
   * @param bytes may go on behind its end
   * @throws SinkError, system errors
   */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset > this.#received) throw new SinkError("bad_listing");
    await writeFully(this.#handle, offset, bytes);
    this.#received = Math.max(this.#received, offset + bytes.length);
    this.#searched = Math.min(this.#searched, Math.max(0, offset - 1));
    const end = await this.#findEnd();
    if ((end ?? this.#received) > MAX_LISTING_BYTES) throw new SinkError("bad_listing");
    if (end === undefined) return;
    await this.#handle.truncate(end);
    this.#received = end;
    this.#tree = await this.#parse();
    await rename(join(this.#notes, UNFINISHED), join(this.#notes, `listing-${await this.#sum()}`));
  }

  /** @returns bytes read @throws system errors */
  async read(offset: number, into: Uint8Array): Promise<number> {
    return readFully(this.#handle, offset, into);
  }

  close(): void {
    closeLater(this.#handle);
  }

  /** @returns the bytes of the listing; undefined: its empty line has not come yet */
  async #findEnd(): Promise<number | undefined> {
    const block = Buffer.alloc(BLOCK);
    while (this.#searched < this.#received) {
      const count = await readFully(this.#handle, this.#searched, block);
      const at = block.subarray(0, count).indexOf("\n\n");
      if (at >= 0) return this.#searched + at + 2;
      if (this.#searched + count >= this.#received) return undefined;
      this.#searched += count - 1;
    }
    return undefined;
  }

  async #sum(): Promise<string> {
    const hash = createHash("sha256");
    for await (const block of this.#blocks()) hash.update(block);
    return hash.digest("hex");
  }

  /** @throws SinkError `bad_listing` */
  async #parse(): Promise<Listed> {
    const tree = new ListedTree();
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let rest = "";
    for await (const block of this.#blocks()) {
      const lines = (rest + textOf(decoder, block)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") tree.add(line);
    }
    const { size, entries } = this.#offered;
    const isOffered = tree.entries === entries && this.#received + tree.contents.size === size;
    if (!isOffered) throw new SinkError("bad_listing");
    const { contents, paths, modified, folders, folderTimes } = tree;
    return { contents, paths, modified, folders, folderTimes };
  }

  async *#blocks(): AsyncGenerator<Uint8Array> {
    const block = new Uint8Array(BLOCK);
    for (let offset = 0; offset < this.#received; offset += BLOCK) {
      const count = await readFully(this.#handle, offset, block);
      yield block.subarray(0, count);
    }
  }
}

function textOf(decoder: TextDecoder, block: Uint8Array): string {
  try {
    return decoder.decode(block, { stream: true });
  } catch (error) {
    throw new SinkError("bad_listing", error);
  }
}
