/**
 * Wipes what deleted, withdrawn and edited texts have left in the profile's files. A commit overwrites them in the
 * tables and in the index of words; older pages stay in the write-ahead log, and SQLite leaves copies of rows in unused
 * parts of pages when it moves them, which only rewriting the file removes.
 *
 * A deletion and the need for a wipe are stored in one commit, so an interrupted wipe is made up for later.
 */
import type { Database } from "bun:sqlite";

import { emptyLog, pragma, withoutWaiting } from "../disk/sqlite.ts";
import { rewrite } from "../disk/vacuum.ts";

/** Pages given back to the disk in one step, which takes a few ms. */
const RETURNED_PAGES = 128;
/** Size up to which the file is rewritten beside other work, in bytes: that takes about 10 ms for each MiB. */
const SMALL = 3 * 1024 * 1024;

export class TextWipe {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether a text was deleted since the last wipe, by any process. @throws SQLiteError */
  get isDue(): boolean {
    return this.#deletionsAfter("covered") !== undefined;
  }

  /**
   * Does the next small part of a wipe, and waits for no other process.
   * @returns "more": to be called again; "blocked": another process reads or writes, so to be called again later;
   * "done": no wipe is due
   * @throws SQLiteError when the disk is full or fails; then it can be called again later
   */
  step(): "more" | "blocked" | "done" {
    return withoutWaiting(this.#database, () => this.#step()) ?? "blocked";
  }

  #step(): "more" | "blocked" | "done" {
    const deletions = this.#deletionsAfter("covered");
    if (deletions === undefined) return "done";
    if (this.#returnPages()) return "more";
    if (!emptyLog(this.#database)) return "blocked";
    // Another process may have ended a wipe of later deletions.
    this.#database.run("UPDATE wipes SET covered = max(covered, ?)", [deletions]);
    return "more";
  }

  /**
   * Rewrites a small file of which texts were deleted since the last time, in at most about 30 ms. A larger one is
   * rewritten before an account goes online (`takeProfile`).
   * @throws SQLiteError when the disk fails
   */
  rewriteSmall(): void {
    const size = pragma(this.#database, "page_count") * pragma(this.#database, "page_size");
    if (size <= SMALL && this.#deletionsAfter("rewritten") !== undefined) rewrite(this.#database);
  }

  #deletionsAfter(count: "covered" | "rewritten"): number | undefined {
    const due = this.#database.query<{ deletions: number }, []>(
      `SELECT deletions FROM wipes WHERE deletions > ${count}`,
    );
    return due.get()?.deletions;
  }

  /** @returns whether any page was given back; false too in a file that was never rewritten, `vacuum.ts` */
  #returnPages(): boolean {
    const before = pragma(this.#database, "freelist_count");
    // `run` would give back one page only.
    if (before > 0) this.#database.query(`PRAGMA incremental_vacuum(${RETURNED_PAGES})`).all();
    return pragma(this.#database, "freelist_count") < before;
  }
}
