/**
 * Whether the path of an open file still leads to it. SQLite goes on writing to a file that was deleted, moved or
 * replaced, and nobody finds there what it has written.
 */
import { statSync } from "node:fs";

/** How long the result of a check holds, in ms. */
const CHECK_INTERVAL = 1_000;

/** The file was deleted, moved or replaced while it was open; `code` is SQLite's for that. */
export class FileMovedError extends Error {
  readonly code = "SQLITE_READONLY_DBMOVED";
  readonly file: string;

  constructor(file: string) {
    super(`${file} was deleted, moved or replaced while it was in use`);
    this.file = file;
  }
}

/** Device and inode; undefined: there is no file. */
type Identity = { readonly dev: bigint; readonly ino: bigint } | undefined;

function identityOf(path: string): Identity {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

export class OpenFile {
  readonly #path: string;
  readonly #monotonic: () => number;
  readonly #opened: Identity;
  #last: { readonly at: number; readonly isMoved: boolean };

  /**
   * @param path of a file that was opened just now
   * @param monotonic ms, never set back
   * @throws system errors
   */
  constructor(path: string, monotonic = () => performance.now()) {
    this.#path = path;
    this.#monotonic = monotonic;
    this.#opened = identityOf(path);
    this.#last = { at: monotonic(), isMoved: this.#opened === undefined };
  }

  /**
   * To be called before anybody is told that something is stored; asks the disk at most once a second.
   * @throws FileMovedError; system errors when the disk cannot be asked
   */
  check(): void {
    const now = this.#monotonic();
    if (now - this.#last.at >= CHECK_INTERVAL) {
      const found = identityOf(this.#path);
      const isSame = found?.dev === this.#opened?.dev && found?.ino === this.#opened?.ino;
      this.#last = { at: now, isMoved: found === undefined || !isSame };
    }
    if (this.#last.isMoved) throw new FileMovedError(this.#path);
  }
}
