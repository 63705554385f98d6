/**
 * What is in a folder that is sent: its stream begins with the listing, one JSON line `[path, size, modified]` for each
 * file and each empty folder, whose path ends in `/`, and an empty line; then come the contents one after the other.
 */
import { safePart, numbered, twinKey } from "./safe-names.ts";
import { SinkError } from "./source.ts";

/** Files and empty folders. */
export const MAX_ENTRIES = 100_000;
/** Files and folders, those included that only stand in a path. */
export const MAX_NODES = 200_000;
export const MAX_LISTING_BYTES = 32 * 1024 * 1024;
/** Bytes of UTF-8 of one path. */
export const MAX_PATH_BYTES = 1_024;

/** The path of a folder that is empty itself. */
export const ROOT_PATH = "./";

const MODIFIED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
/** 9999-12-31T23:59:59.999Z */
const LAST_TIME = 253_402_300_799_999;

/** @param modified ms since 1970 */
export function listingLine(path: string, size: number, modified: number): string {
  const time = new Date(Math.min(Math.max(modified, 0), LAST_TIME));
  return `${JSON.stringify([path, size, time.toISOString()])}\n`;
}

/** Part of one file, as it stands in a stream. */
export type Piece = {
  /** Of the file. */
  readonly index: number;
  /** In the file. */
  readonly offset: number;
  /** In the range. */
  readonly at: number;
  readonly length: number;
};

/** Where the contents of files stand that follow each other. */
export class Contents {
  /** Of each file, and at last their end. */
  readonly #starts: number[] = [0];

  add(size: number): void {
    this.#starts.push(this.size + size);
  }

  get size(): number {
    return this.#starts.at(-1) as number;
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  sizeOf(index: number): number {
    return (this.#starts[index + 1] as number) - (this.#starts[index] as number);
  }

  /** The files that a range touches, without empty ones. */
  *pieces(from: number, length: number): Generator<Piece> {
    const end = Math.min(from + length, this.size);
    let offset = from;
    for (let index = this.#fileAt(from); offset < end; index++) {
      const start = this.#starts[index] as number;
      const until = Math.min(end, this.#starts[index + 1] as number);
      if (until > offset) yield { index, offset: offset - start, at: offset - from, length: until - offset };
      offset = until;
    }
  }

  /** The last file that begins at `offset` or before. */
  #fileAt(offset: number): number {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

type Folder = {
  /** Safe, from the received folder on, with `/` at its end; empty for that folder. */
  readonly path: string;
  /** By what the listing calls it. */
  readonly inside: Map<string, Folder | "file">;
  /** By the `twinKey` of each name that is given here: the number with which it may be given again. */
  readonly taken: Map<string, number>;
};

/** What is needed of a listing once all of it is there: without what only finds free names, which is most of it. */
export type Listed = Pick<ListedTree, "contents" | "paths" | "modified" | "folders" | "folderTimes">;

/** What a listing becomes on this disk: safe names, of which no two are the same to any disk. */
export class ListedTree {
  readonly contents = new Contents();
  /** Of the files, in order: where they are, from the received folder on. */
  readonly paths: string[] = [];
  /** Of the files, in order: ms since 1970. */
  readonly modified: number[] = [];
  /** All folders in the received one; a folder stands behind the one that it is in. */
  readonly folders: string[] = [];
  /** When the listed ones of them were modified, in ms since 1970. */
  readonly folderTimes = new Map<string, number>();
  #entries = 0;
  readonly #root: Folder = { path: "", inside: new Map(), taken: new Map() };
  readonly #listed = new Set<Folder>();

  get entries(): number {
    return this.#entries;
  }

  /** @param line without its line feed @throws SinkError `bad_listing` */
  add(line: string): void {
    const { path, size, modified } = entryOf(line);
    this.#entries++;
    if (this.#entries > MAX_ENTRIES) throw new SinkError("bad_listing");
    if (path === ROOT_PATH) return this.#addFolder(this.#root, size, modified);
    const parts = path.split("/");
    const name = parts.pop() as string;
    if (!parts.concat(name === "" ? [] : [name]).every(isPart)) throw new SinkError("bad_listing");
    const parent = parts.reduce((folder, part) => this.#folderIn(folder, part), this.#root);
    if (name === "") return this.#addFolder(parent, size, modified);
    if (parent.inside.has(name)) throw new SinkError("bad_listing");
    parent.inside.set(name, "file");
    this.paths.push(parent.path + this.#nameIn(parent, name));
    this.modified.push(modified);
    this.contents.add(size);
    if (!Number.isSafeInteger(this.contents.size)) throw new SinkError("bad_listing");
  }

  #addFolder(folder: Folder, size: number, modified: number): void {
    if (size !== 0 || this.#listed.has(folder)) throw new SinkError("bad_listing");
    this.#listed.add(folder);
    this.folderTimes.set(folder.path, modified);
  }

  #folderIn(parent: Folder, name: string): Folder {
    const known = parent.inside.get(name);
    if (known === "file") throw new SinkError("bad_listing");
    if (known !== undefined) return known;
    const path = `${parent.path}${this.#nameIn(parent, name)}/`;
    const folder: Folder = { path, inside: new Map(), taken: new Map() };
    parent.inside.set(name, folder);
    this.folders.push(path);
    return folder;
  }

  #nameIn(parent: Folder, name: string): string {
    if (this.paths.length + this.folders.length >= MAX_NODES) throw new SinkError("bad_listing");
    const safe = safePart(name);
    const key = twinKey(safe);
    for (let number = parent.taken.get(key) ?? 1; ; number++) {
      const free = numbered(safe, number);
      const freeKey = twinKey(free);
      if (number > 1 && parent.taken.has(freeKey)) continue;
      parent.taken.set(freeKey, 2).set(key, number + 1);
      return free;
    }
  }
}

/** No sender has a file of such a name. */
function isPart(part: string): boolean {
  return part !== "" && part !== "." && part !== "..";
}

type Entry = { readonly path: string; readonly size: number; readonly modified: number };

function entryOf(line: string): Entry {
  const [path, size, modified] = arrayOf(line);
  const time = typeof modified === "string" && MODIFIED.test(modified) ? Date.parse(modified) : Number.NaN;
  const isEntry =
    typeof path === "string" &&
    Buffer.byteLength(path) <= MAX_PATH_BYTES &&
    typeof size === "number" &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    !Number.isNaN(time);
  if (!isEntry) throw new SinkError("bad_listing");
  return { path, size, modified: Math.max(0, time) };
}

function arrayOf(line: string): readonly unknown[] {
  try {
    const entry: unknown = JSON.parse(line);
    return Array.isArray(entry) ? entry : [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}
