/**
 * The health of `profile.db` after an unclean end: SQLite outlives crashes, but a disk does not always
 * keep what it was given.
 *
 * 1. Everything is checked.
 * 2. Indexes and the words of the search are built anew from the messages, which are not touched.
 * 3. What is wrong with the messages cannot be mended: what still reads is written to a file of its own.
 */
import { Database } from "bun:sqlite";
import { existsSync, fsyncSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";

import { damageMark, profileFile } from "./folders.ts";
import { ProfileLock } from "./lock.ts";
import { rescueMessages, withFullLength } from "./rescue.ts";
import { PROFILE_SCHEMA } from "./schema.ts";
import { isUnreadable } from "./readable-messages.ts";
import { isFullDisk } from "./sqlite.ts";

/** Faults that one check lists: more than a file has pages that nothing refers to after a mending. */
const MAX_FAULTS = 1_000_000;
/** Bytes of a profile from which on its check is told of: it takes half a second or more. */
const LARGE = 16 * 1024 * 1024;
/** How long one step waits for another process's commit, in ms. */
const BUSY_TIMEOUT = 5_000;

/** Space that nothing refers to is no fault of what is stored. */
const ONLY_SPACE = /^(?:ok$|\*\*\* in database main \*\*\*$|Page \d+: never used$|Freelist: )/;

/** The tables below the full-text index. */
const WORD_TABLES = ["data", "idx", "docsize", "config"].map((name) => `message_words_${name}`);
/** Against the texts: broken words may still be words. */
const CHECK_WORDS = "INSERT INTO message_words(message_words, rank) VALUES ('integrity-check', 1)";
const CLEAR_WORDS = "INSERT INTO message_words(message_words) VALUES ('delete-all')";

/** Messages of this profile cannot be read any more. */
export class ProfileDamagedError extends Error {
  /** The database. */
  readonly file: string;
  /** Where the messages are that could still be read; undefined: none could. */
  readonly rescued: string | undefined;
  /** How many they are. */
  readonly count: number;
  /** The disk has no room for what still reads: nothing was saved yet. */
  readonly noRoom: boolean;

  constructor(file: string, rescued: string | undefined, count: number, noRoom = false) {
    super(`${file}: damaged, ${count} messages read`);
    this.file = file;
    this.rescued = rescued;
    this.count = count;
    this.noRoom = noRoom;
  }
}

/** `checking`: it takes some seconds. */
export type ProfileHealth = "checking" | "mended";

export type Taking = {
  readonly profile: { readonly folder: string; readonly username: string };
  /** What this process is. */
  readonly command: string;
  /** ms since 1970 */
  readonly now?: () => number;
  readonly onEvent: (event: { readonly name: "profileHealth"; readonly health: ProfileHealth }) => void;
};

/**
 * Takes the profile's lock, and checks the profile when whoever held it before did not end well.
 * @throws ProfileLockedError, and as `checkProfile`: then the next start checks it again
 */
export function takeProfile({ profile, command, now = Date.now, onEvent }: Taking): ProfileLock {
  const lock = ProfileLock.acquire(profile.folder, { pid: process.pid, command });
  try {
    const mark = damageMark(profile.folder);
    if (lock.followsUncleanEnd || existsSync(mark)) {
      const isLarge = statSync(profileFile(profile.folder)).size >= LARGE;
      if (isLarge) onEvent({ name: "profileHealth", health: "checking" });
      const health = checkProfile(profile.folder, profile.username, now());
      if (health === "mended") onEvent({ name: "profileHealth", health });
      rmSync(mark, { force: true });
    }
    return lock;
  } catch (error) {
    lock.abandon();
    throw error;
  }
}

/**
 * Checks the profile in `folder`, whose lock this process holds, and mends what can be mended. A million
 * messages take four to ten seconds.
 * @param now ms since 1970
 * @returns "mended": its indexes were not right, and no message is missing.
 * @throws ProfileDamagedError; StoreError when not even its tables can be found; SQLiteError and system
 * errors for a disk that is full or not to be written
 */
export function checkProfile(folder: string, username: string, now: number): "sound" | "mended" {
  const file = profileFile(folder);
  try {
    const faults = withDatabase(file, faultsOf);
    if (faults === "none") return "sound";
    if (mend(file)) return "mended";
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  throw rescueProfile(folder, username, now);
}

/**
 * Mends a profile that cannot even be opened, as far as that is possible.
 * @param now ms since 1970
 * @throws ProfileLockedError, and as `checkProfile`
 */
export function repairProfile(folder: string, now: number): void {
  const lock = ProfileLock.acquire(folder, { pid: process.pid, command: "check" });
  try {
    checkProfile(folder, "", now);
  } finally {
    // Whoever has it online next looks once more.
    lock.abandon();
  }
}

/**
 * Saves what still reads of a damaged profile, for whoever has to tell of it.
 * @param now ms since 1970
 * @throws SQLiteError and system errors for a disk that fails in another way
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
    // Not even which tables there are can be read.
    if (isUnreadable(error)) return new ProfileDamagedError(file, undefined, 0);
    throw error;
  }
}

function withDatabase<T>(file: string, use: (database: Database) => T): T {
  const database = new Database(file, { readwrite: true, strict: true });
  try {
    database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
    database.run("PRAGMA synchronous=FULL");
    database.run("PRAGMA secure_delete=ON");
    return use(database);
  } finally {
    database.close();
  }
}

/** Whether `work` meets no damage. @throws what is none */
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

/** Builds the indexes and the words anew, all or nothing; false: the damage is not in them alone. */
function mend(file: string): boolean {
  const first = withDatabase(file, rebuild);
  if (first === "done") return true;
  if (first === "damaged" || first.length === 0) return false;
  // A tree with a broken page cannot even be cleared, so its root is written over with an empty one.
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

/** Gives "done", "damaged" for what else is wrong, or the roots of the trees that cannot be cleared. */
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

/** Words of withdrawn messages may stand in pages of the trees that were given up. */
function freeSpace(database: Database): void {
  try {
    database.run("VACUUM");
  } catch (error) {
    // Without room for a copy of the file the pages stay, and are no fault.
    if ((error as { code?: unknown }).code !== "SQLITE_FULL") throw error;
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

/** What stands at these roots in a new profile. */
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

/** Writes these pages and gives what stood there. Nobody relies on them: they belong to broken trees. */
function exchangePages(file: string, pages: readonly Page[]): Page[] {
  // What waits in the log would be laid over them.
  withDatabase(file, (database) => {
    const state = database.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (state?.busy !== 0) throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  });
  // It stays open: closing it would end the locks that SQLite holds on this file for the whole process.
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
