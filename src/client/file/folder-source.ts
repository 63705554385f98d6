import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, lstat, open, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

import { identityOf } from "./file-source.ts";
import {
  Contents,
  listingLine,
  MAX_ENTRIES,
  MAX_LISTING_BYTES,
  MAX_NODES,
  MAX_PATH_BYTES,
  ROOT_PATH,
  type Piece,
} from "./listing.ts";
import { inParallel } from "./parallel.ts";
import { asSource, ifThere, readFully, SourceError, type Source } from "./source.ts";

/** Lines that are put together at once. */
const MAX_LINES = 500;
/** Everybody may read it. */
const READABLE = 0o444n;
/** Most paths that are named of what is left out. */
const MAX_NAMED = 100;

/** What of a folder is not sent: symbolic links, devices and the like, and names that are no text or far too long. */
export type LeftOut = {
  readonly count: number;
  /** The first of them, from the folder on. */
  readonly paths: readonly string[];
};

/** A folder that is sent: its listing, then the contents of its files. */
export class FolderSource implements Source {
  readonly size: number;
  /** Of the folder itself, ms since 1970. */
  readonly modified: number;
  /** Files and empty folders. */
  readonly entries: number;
  /** Undefined: nothing. */
  readonly leftOut: LeftOut | undefined;
  /** To be kept with the offer: tells after a restart whether anything in the folder has changed. */
  readonly identity: string;
  readonly #root: string;
  readonly #listing: Buffer;
  readonly #contents: Contents;
  /** Of the files, in order, from the folder on. */
  readonly #paths: readonly string[];
  /** Of the files, in order. */
  readonly #identities: readonly string[];

  private constructor(root: string, modified: number, scan: Scan) {
    const { contents, paths, identities, entries, leftOut } = scan;
    this.#root = root;
    this.#contents = contents;
    this.#paths = paths;
    this.#identities = identities;
    this.#listing = scan.listing();
    this.size = this.#listing.length + contents.size;
    this.modified = modified;
    this.entries = entries;
    this.leftOut = leftOut.count > 0 ? leftOut : undefined;
    this.identity = scan.identity();
  }

  /**
   * Looks through the whole folder.
   * @param path absolute; a symbolic link is followed, those in it are left out
   * @param offered the identity that the folder had when it was offered
   * @throws SourceError
   */
  static async open(path: string, offered?: string): Promise<FolderSource> {
    return asSource(offered === undefined ? "no_such_file" : "gone", async () => {
      const root = await realpath(path);
      const status = await stat(root);
      const modified = Math.floor(status.mtimeMs);
      if (!status.isDirectory()) throw new SourceError("not_a_file");
      const scan = new Scan(root);
      await scan.folder("", modified);
      const source = new FolderSource(root, modified, scan);
      if (offered !== undefined && source.identity !== offered) throw new SourceError("changed");
      return source;
    });
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    const listed = this.#listing.copy(into, 0, Math.min(offset, this.#listing.length));
    const rest = into.subarray(listed);
    const from = offset + listed - this.#listing.length;
    let count = 0;
    await inParallel(this.#contents.pieces(from, rest.length), async (piece) => {
      await this.#readPiece(piece, rest.subarray(piece.at, piece.at + piece.length));
      count += piece.length;
    });
    return listed + count;
  }

  /** Whether it is the same file, `check` finds. */
  async #readPiece(piece: Piece, into: Uint8Array): Promise<void> {
    await asSource("changed", async () => {
      const path = `${this.#root}/${this.#paths[piece.index]}`;
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        if ((await readFully(handle, piece.offset, into)) < into.length) throw new SourceError("changed");
      } finally {
        await handle.close();
      }
    });
  }

  /** Looks at every file again; what is new in the folder is no matter. */
  async check(): Promise<void> {
    await asSource("gone", () => stat(this.#root));
    await asSource("changed", () =>
      inParallel(this.#paths.entries(), async ([index, path]) => {
        const status = await lstat(`${this.#root}/${path}`, { bigint: true });
        if (identityOf(status) !== this.#identities[index]) throw new SourceError("changed");
      }),
    );
  }

  /** Nothing is kept open. */
  close(): void {}
}

/** What is known of one name in a folder. */
type Found =
  | { readonly kind: "folder"; readonly modified: number }
  | { readonly kind: "file"; readonly size: number; readonly modified: number; readonly identity: string }
  | { readonly kind: "left_out" };

/** One look through a folder, in an order that is always the same. */
class Scan {
  readonly contents = new Contents();
  /** Of the files, in order. */
  readonly paths: string[] = [];
  readonly identities: string[] = [];
  entries = 0;
  readonly leftOut = { count: 0, paths: [] as string[] };
  readonly #root: string;
  readonly #hash = createHash("sha256");
  /** The listing up to here, but for its last lines. */
  readonly #blocks: Buffer[] = [];
  #lines = "";
  #listed = 0;
  #nodes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** @param path from the root on, with `/` at its end; empty: the root. @param modified of the folder */
  async folder(path: string, modified: number): Promise<void> {
    const names = (await readdir(join(this.#root, path))).sort();
    if (names.length > MAX_NODES) throw new SourceError("too_many_entries");
    const found = new Map<string, Found>();
    await inParallel(names, async (name) => {
      found.set(name, await this.#look(path + name));
    });
    const before = this.#nodes;
    for (const [index, name] of names.entries()) {
      // Everything else of this process has its turn.
      if (index % MAX_LINES === MAX_LINES - 1) await new Promise(setImmediate);
      const entry = found.get(name) ?? { kind: "left_out" };
      if (entry.kind === "left_out") this.#leaveOut(path + name);
      else if (++this.#nodes > MAX_NODES) throw new SourceError("too_many_entries");
      else if (entry.kind === "folder") await this.folder(`${path}${name}/`, entry.modified);
      else this.#file(path + name, entry);
    }
    if (this.#nodes === before) this.#list(path === "" ? ROOT_PATH : path, 0, modified);
  }

  async #look(path: string): Promise<Found> {
    const where = join(this.#root, path);
    const status = await ifThere(() => lstat(where, { bigint: true }));
    const isKind = status?.isFile() === true || status?.isDirectory() === true;
    // Of a name that is no text the path leads nowhere.
    if (status === undefined || !isKind || Buffer.byteLength(path) >= MAX_PATH_BYTES)
      return { kind: "left_out" };
    const modified = Number(status.mtimeMs);
    if (status.isDirectory()) return { kind: "folder", modified };
    // Better now than in the middle.
    if ((status.mode & READABLE) !== READABLE) await access(where, constants.R_OK);
    return { kind: "file", size: Number(status.size), modified, identity: identityOf(status) };
  }

  #file(path: string, { size, modified, identity }: Extract<Found, { kind: "file" }>): void {
    this.paths.push(path);
    this.identities.push(identity);
    this.contents.add(size);
    this.#hash.update(`${identity}\n`);
    this.#list(path, size, modified);
  }

  #list(path: string, size: number, modified: number): void {
    this.#lines += listingLine(path, size, modified);
    if (++this.entries > MAX_ENTRIES) throw new SourceError("too_many_entries");
    if (this.entries % MAX_LINES === 0) this.#addBlock();
  }

  #addBlock(): void {
    const block = Buffer.from(this.#lines);
    this.#hash.update(block);
    this.#blocks.push(block);
    this.#listed += block.length;
    if (this.#listed > MAX_LISTING_BYTES) throw new SourceError("too_many_entries");
    this.#lines = "";
  }

  /** Of everything, with the empty line at its end. */
  listing(): Buffer {
    this.#lines += "\n";
    this.#addBlock();
    return Buffer.concat(this.#blocks);
  }

  /** To be asked for after the listing. */
  identity(): string {
    return this.#hash.digest("hex");
  }

  #leaveOut(path: string): void {
    this.leftOut.count++;
    if (this.leftOut.paths.length < MAX_NAMED) this.leftOut.paths.push(path);
  }
}
