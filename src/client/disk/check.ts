/**
 * Checks `profile.db` when it was not shut down cleanly: SQLite survives crashes, but not every disk keeps what
 * was written to it.
 *
 * 1. Everything is checked.
 * 2. Indexes and the words of the search are rebuilt from the messages, which are not touched.
 * 3. Damaged messages cannot be repaired: those that can still be read are written to a file of their own.
 */
import { Database } from "bun:sqlite";
import { existsSync, fsyncSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { damageMark, profileFile } from "./folders.ts";
import { ProfileLock } from "./lock.ts";
import { rescueMessages, withFullLength } from "./rescue.ts";
import { PROFILE_SCHEMA } from "./schema.ts";
import { isFullDisk, isUnreadable, makeDurable } from "./sqlite.ts";

/** Most faults that one check lists: more than a repaired file has unused pages. */
const MAX_FAULTS = 1_000_000;
/** Size of a profile from which its check is announced, in bytes: it takes half a second or more. */
const LARGE = 16 * 1024 * 1024;

/** Unused space is no fault. */
const ONLY_SPACE = /^(?:ok$|\*\*\* in database main \*\*\*$|Page \d+: never used$|Freelist: )/;

/** The tables below the full-text index. */
const WORD_TABLES = ["data", "idx", "docsize", "config"].map((name) => `message_words_${name}`);
/** Compares the index with the texts: a damaged index may be consistent in itself. */
const CHECK_WORDS = "INSERT INTO message_words(message_words, rank) VALUES ('integrity-check', 1)";
const CLEAR_WORDS = "INSERT INTO message_words(message_words) VALUES ('delete-all')";

/** Messages of this profile can no longer be read. */
export class ProfileDamagedError extends Error {
  /** The database. */
  readonly file: string;
  /** The file of the messages that could still be read; undefined: none could. */
  readonly rescued: string | undefined;
  /** How many could be read. */
  readonly count: number;
  /** The disk has no room for the readable messages: nothing was saved yet. */
  readonly noRoom: boolean;

  constructor(file: string, rescued: string | undefined, count: number, noRoom = false) {
    super(`${file}: damaged, ${count} messages read`);
    this.file = file;
    this.rescued = rescued;
    this.count = count;
    this.noRoom = noRoom;
  }
}

/** `checking`: a check has begun that takes some seconds. `repaired`: indexes were rebuilt. */
export type ProfileHealth = "checking" | "repaired";

export type Taking = {
  readonly profile: { readonly folder: string; readonly username: string };
  /** The command that this process runs. */
  readonly command: string;
  /** ms since 1970 */
  readonly now?: () => number;
  readonly onEvent: (event: { readonly name: "profileHealth"; readonly health: ProfileHealth }) => void;
};

/**
 * Takes the profile's lock, and checks the profile if the last holder was not shut down cleanly.
 * @throws ProfileLockedError, and as `checkProfile`; the next start checks it again
 */
export function takeProfile({ profile, command, now = Date.now, onEvent }: Taking): ProfileLock {
  const lock = ProfileLock.acquire(profile.folder, { pid: process.pid, command });
  try {
    const mark = damageMark(profile.folder);
    if (lock.followsUncleanEnd || existsSync(mark)) {
      const isLarge = statSync(profileFile(profile.folder)).size >= LARGE;
      if (isLarge) onEvent({ name: "profileHealth", health: "checking" });
      const health = checkProfile(profile.folder, profile.username, now());
      if (health === "repaired") onEvent({ name: "profileHealth", health });
      rmSync(mark, { force: true });
    }
    return lock;
  } catch (error) {
    lock.abandon();
    throw error;
  }
}

/**
 * Checks the profile in `folder`, whose lock this process holds, and repairs what can be repaired. A million
 * messages take four to ten seconds.
 * @param now ms since 1970
 * @returns "repaired": indexes were rebuilt, and no message is missing.
 * @throws ProfileDamagedError; StoreError when not even its tables can be found; SQLiteError and system
 * errors when the disk is full or cannot be written
 */
export function checkProfile(folder: string, username: string, now: number): "sound" | "repaired" {
  const file = profileFile(folder);
  try {
    const faults = withDatabase(file, faultsOf);
    if (faults === "none") return "sound";
    if (repair(file)) return "repaired";
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  throw rescueProfile(folder, username, now);
}

/**
 * Repairs a profile that cannot be opened, as far as possible.
 * @param now ms since 1970
 * @throws ProfileLockedError, and as `checkProfile`
 */
export function repairProfile(folder: string, now: number): void {
  const lock = ProfileLock.acquire(folder, { pid: process.pid, command: "check" });
  try {
    checkProfile(folder, "", now);
  } finally {
    // The next holder checks it once more.
    lock.abandon();
  }
}

/**
 * Saves the readable messages of a damaged profile, and gives the error to throw.
 * @param now ms since 1970
 * @throws SQLiteError and system errors when the disk fails in another way
 */
export function rescueProfile(folder: string, username: string, now: number): ProfileDamagedError {
  const file = profileFile(folder);
  try {
    const { rescued, count } = withFullLength(file, (whole) =>
      withDatabase(whole, (database) => rescueMessages(database, folder, username, now)),
    );
    return new ProfileDamagedError(file, rescued, count);
  } catch (error) {
    if (isFullDisk(error)) return new ProfileDamagedError(file, undefined, 0, true);
    // Not even the list of tables can be read.
    if (isUnreadable(error)) return new ProfileDamagedError(file, undefined, 0);
    throw error;
  }
}

function withDatabase<T>(file: string, use: (database: Database) => T): T {
  const database = new Database(file, { readwrite: true, strict: true });
  try {
    makeDurable(database);
    return use(database);
  } finally {
    database.close();
  }
}

/** Whether `work` meets no damage. @throws any other error */
function runs(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return false;
  }
}

function faultsOf(database: Database): "none" | "some" {
  let faults = 0;
  const isChecked = runs(() => {
    const check = database.prepare<{ integrity_check: string }, []>(`PRAGMA integrity_check(${MAX_FAULTS})`);
    for (const { integrity_check } of check.all()) {
      faults += integrity_check.split("\n").filter((line) => !ONLY_SPACE.test(line)).length;
    }
    check.finalize();
    database.run(CHECK_WORDS);
  });
  return isChecked && faults === 0 ? "none" : "some";
}

type Root = { readonly name: string; readonly page: number };

/** Rebuilds the indexes and the words, all or nothing; false: other data is damaged too. */
function repair(file: string): boolean {
  const first = withDatabase(file, rebuild);
  if (first === "done") return true;
  if (first === "damaged" || first.length === 0) return false;
  // A tree with a damaged page cannot be cleared by SQLite, so its root is overwritten with an empty one.
  const pages = emptyPages(file, first);
  if (pages === undefined) return false;
  const before = exchangePages(file, pages);
  let isDone = false;
  try {
    isDone = withDatabase(file, rebuild) === "done";
    if (isDone) withDatabase(file, freeSpace);
    return isDone;
  } finally {
    if (!isDone) exchangePages(file, before);
  }
}

/** Gives "done", "damaged" when other data is damaged too, or the roots of the trees that cannot be cleared. */
function rebuild(database: Database): "done" | "damaged" | Root[] {
  const roots = database
    .query<Root & { type: string }, []>(
      "SELECT name, type, rootpage AS page FROM sqlite_schema WHERE rootpage > 0",
    )
    .all();
  const isReadable = roots
    .filter(({ name, type }) => type === "table" && !WORD_TABLES.includes(name))
    .every(({ name }) => runs(() => readWhole(database, name)));
  if (!isReadable) return "damaged";
  database.run("BEGIN IMMEDIATE");
  try {
    const stubborn = roots.filter(
      ({ name, type }) => type === "index" && !runs(() => database.run(`REINDEX "${name}"`)),
    );
    const areWordsCleared = runs(() => {
      database.run(CLEAR_WORDS);
      database.run("UPDATE search_progress SET seq = 0");
    });
    if (!areWordsCleared) stubborn.push(...roots.filter(({ name }) => WORD_TABLES.includes(name)));
    if (stubborn.length > 0) return stubborn;
    if (faultsOf(database) === "some") return "damaged";
    database.run("COMMIT");
  } finally {
    if (database.inTransaction) database.run("ROLLBACK");
  }
  return "done";
}

/** The abandoned pages of the old trees may hold words of withdrawn messages. */
function freeSpace(database: Database): void {
  try {
    database.run("VACUUM");
  } catch (error) {
    // Without room for a copy of the file the pages stay, which is no fault.
    if (errorCode(error) !== "SQLITE_FULL") throw error;
  }
}

function readWhole(database: Database, table: string): void {
  const rows = database.prepare(`SELECT * FROM "${table}" NOT INDEXED`);
  try {
    for (const row of rows.iterate()) if (row === null) break;
  } finally {
    rows.finalize();
  }
}

type Page = { readonly offset: number; readonly bytes: Uint8Array };

/** The pages of these roots in a new profile. */
function emptyPages(file: string, roots: readonly Root[]): Page[] | undefined {
  const fresh = new Database(":memory:");
  for (const script of PROFILE_SCHEMA.versions) fresh.run(script);
  const bytes = fresh.serialize();
  const sizeOf = (database: Database) =>
    database.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;
  const size = sizeOf(fresh);
  if (withDatabase(file, sizeOf) !== size) return undefined;
  const places = new Map(
    fresh
      .query<Root, []>("SELECT name, rootpage AS page FROM sqlite_schema")
      .all()
      .map(({ name, page }) => [name, page]),
  );
  const pages: Page[] = [];
  for (const { name, page } of roots) {
    const place = places.get(name);
    if (place === undefined) return undefined;
    pages.push({ offset: (page - 1) * size, bytes: bytes.slice((place - 1) * size, place * size) });
  }
  fresh.close();
  return pages;
}

/** Writes these pages and gives the old ones. They belong to damaged trees only. */
function exchangePages(file: string, pages: readonly Page[]): Page[] {
  // Otherwise the log would overwrite them.
  withDatabase(file, (database) => {
    const state = database.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (state?.busy !== 0) throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  });
  // It stays open: closing it would release the locks of this process on the file.
  const descriptor = openSync(file, "r+");
  const before = pages.map(({ offset, bytes }) => {
    const page = new Uint8Array(bytes.length);
    readSync(descriptor, page, 0, page.length, offset);
    writeSync(descriptor, bytes, 0, bytes.length, offset);
    return { offset, bytes: page };
  });
  fsyncSync(descriptor);
  return before;
}
