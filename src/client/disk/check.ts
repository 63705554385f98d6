/**
 * Checks `profile.db` if it was not shut down cleanly: SQLite survives crashes, but some disks lose data that was
 * written to them.
 *
 * 1. Everything is checked.
 * 2. Damaged indexes and search words are rebuilt from the messages, which are not changed.
 * 3. Damaged messages cannot be repaired: the readable ones are written to a separate file.
 */
import { Database } from "bun:sqlite";
import { existsSync, fsyncSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";

import { damageMark, profileFile } from "./folders.ts";
import { ProfileLock } from "./lock.ts";
import { rescueMessages, withFullLength } from "./rescue.ts";
import { CLEAR_WORDS, PROFILE_SCHEMA } from "./schema.ts";
import { emptyLog, isFullDisk, isUnreadable, makeDurable, unlessDamaged } from "./sqlite.ts";
import { needsRewriting, rewrite } from "./vacuum.ts";

/** Most faults that one check lists: more than a repaired file has unused pages, which are listed too. */
const MAX_FAULTS = 1_000_000;
/** Size from which a check or a rewriting is announced, in bytes: it takes a quarter of a second or more. */
const LARGE = 16 * 1024 * 1024;

/** Lines of a check that report no fault: unused space is harmless. */
const HARMLESS = /^(?:ok$|\*\*\* in database main \*\*\*$|Page \d+: never used$|Freelist: )/;
/** A page that a repair has left unused. It is in nobody's list, so it can be given back only by rewriting the file. */
const UNUSED = /: never used$/;

/** The tables that store the full-text index, and what it was made from. */
const WORD_TABLES = ["data", "idx", "docsize", "config"]
  .map((name) => `message_words_${name}`)
  .concat("folded_texts", "changed_texts");
/** Compares the index with the texts: a damaged index may be consistent on its own. */
const CHECK_WORDS = "INSERT INTO message_words(message_words, rank) VALUES ('integrity-check', 1)";

/** Messages of this profile are damaged. */
export class ProfileDamagedError extends Error {
  /** The database. */
  readonly file: string;
  /** The file with the readable messages; undefined: no message was readable, or nothing was saved. */
  readonly rescued: string | undefined;
  /** How many messages were readable. */
  readonly count: number;
  /** The disk has no room for the readable messages, so they were not saved. */
  readonly noRoom: boolean;

  constructor(file: string, rescued: string | undefined, count: number, noRoom = false) {
    super(`${file}: damaged, ${count} messages read`);
    this.file = file;
    this.rescued = rescued;
    this.count = count;
    this.noRoom = noRoom;
  }
}

/**
 * `checking`: a check has begun that may take seconds. `repaired`: indexes were rebuilt. `rewriting`: the
 * file is being rewritten, which may take seconds.
 */
export type ProfileHealth = "checking" | "repaired" | "rewriting";

type TakeOptions = {
  readonly profile: { readonly folder: string; readonly username: string };
  /** The command that this process runs, for `LockOwner`. */
  readonly command: string;
  /** ms since 1970 */
  readonly now?: () => number;
  readonly onEvent: (event: { readonly name: "profileHealth"; readonly health: ProfileHealth }) => void;
};

/**
 * Takes the profile's lock, checks the profile if the last holder was not shut down cleanly, and rewrites the file if
 * texts were deleted.
 * @throws ProfileLockedError, and as `checkProfile`; then the next start checks it again
 */
export function takeProfile({ profile, command, now = Date.now, onEvent }: TakeOptions): ProfileLock {
  const lock = ProfileLock.acquire(profile.folder, { pid: process.pid, command });
  const tell = (health: ProfileHealth) => onEvent({ name: "profileHealth", health });
  try {
    const mark = damageMark(profile.folder);
    const file = profileFile(profile.folder);
    const isLarge = statSync(file).size >= LARGE;
    if (lock.followsUncleanEnd || existsSync(mark)) {
      if (isLarge) tell("checking");
      const health = checkProfile(profile.folder, profile.username, now());
      if (health === "repaired") tell(health);
      // After a failed sync a part of the log may be in the system's memory only, and no later sync would write it.
      if (!existsSync(mark) || withDatabase(file, emptyLog)) rmSync(mark, { force: true });
    }
    // Now, before this process talks to anybody, because it can take seconds. If it meets damage, nothing is changed:
    // whoever reads there reports it.
    if (unlessDamaged(() => withDatabase(file, needsRewriting)) === true) {
      if (isLarge) tell("rewriting");
      unlessDamaged(() => withDatabase(file, rewrite));
    }
    return lock;
  } catch (error) {
    lock.abandon();
    throw error;
  }
}

/**
 * Checks the profile in `folder`, whose lock this process holds, and repairs it if only indexes are damaged. A
 * million messages take four to ten seconds.
 * @param now ms since 1970
 * @returns "repaired": indexes were rebuilt, and no message is missing
 * @throws ProfileDamagedError; SQLiteError and system errors when the disk is full or cannot be written
 */
export function checkProfile(folder: string, username: string, now: number): "sound" | "repaired" {
  const file = profileFile(folder);
  try {
    const lines = withDatabase(file, checkLines);
    if (lines?.every((line) => HARMLESS.test(line)) === true) {
      if (lines.some((line) => UNUSED.test(line))) withDatabase(file, rewrite);
      return "sound";
    }
    if (repair(file)) return "repaired";
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  throw rescueProfile(folder, username, now);
}

/**
 * As `checkProfile`, for a profile that cannot be opened.
 * @param now ms since 1970
 * @throws ProfileLockedError, and as `checkProfile`
 */
export function repairProfile(folder: string, now: number): void {
  const lock = ProfileLock.acquire(folder, { pid: process.pid, command: "check" });
  try {
    checkProfile(folder, "", now);
  } finally {
    // The next holder checks the profile again.
    lock.abandon();
  }
}

/**
 * Saves the readable messages of a damaged profile.
 * @param now ms since 1970
 * @returns the error for the caller to throw
 * @throws SQLiteError and system errors when the disk fails
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
    // The list of tables is not readable.
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
  return unlessDamaged(() => [work()]) !== undefined;
}

/** What a check of everything reports; undefined: it met damage. */
function checkLines(database: Database): string[] | undefined {
  return unlessDamaged(() => {
    const check = database.prepare<{ integrity_check: string }, []>(`PRAGMA integrity_check(${MAX_FAULTS})`);
    const lines = check.all().flatMap(({ integrity_check }) => integrity_check.split("\n"));
    check.finalize();
    database.run(CHECK_WORDS);
    return lines;
  });
}

function isSound(database: Database): boolean {
  return checkLines(database)?.every((line) => HARMLESS.test(line)) === true;
}

type Root = { readonly name: string; readonly page: number };

/** Rebuilds the indexes and the search words in one transaction; false: other data is damaged too. */
function repair(file: string): boolean {
  const first = withDatabase(file, rebuild);
  if (first === "done") return true;
  if (first === "damaged" || first.length === 0) return false;
  // SQLite cannot clear a tree with a damaged page, so its root page is overwritten with an empty one.
  const pages = emptyPages(file, first);
  if (pages === undefined) return false;
  const before = exchangePages(file, pages);
  let isDone = false;
  try {
    isDone = withDatabase(file, rebuild) === "done";
    // The unused pages of the old trees may contain words of withdrawn messages.
    if (isDone) withDatabase(file, rewrite);
    return isDone;
  } finally {
    if (!isDone) exchangePages(file, before);
  }
}

/** @returns "done"; "damaged": other data is damaged too; or the roots of the trees that SQLite cannot clear */
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
    const uncleared = roots.filter(
      ({ name, type }) => type === "index" && !runs(() => database.run(`REINDEX "${name}"`)),
    );
    const areWordsCleared = runs(() => CLEAR_WORDS.forEach((sql) => database.run(sql)));
    if (!areWordsCleared) uncleared.push(...roots.filter(({ name }) => WORD_TABLES.includes(name)));
    if (uncleared.length > 0) return uncleared;
    if (!isSound(database)) return "damaged";
    database.run("COMMIT");
  } finally {
    if (database.inTransaction) database.run("ROLLBACK");
  }
  return "done";
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

/** The root pages of these trees in a new profile; undefined: the file has other pages than a new one. */
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

/** Writes these pages, which belong to damaged trees only. @returns the old ones */
function exchangePages(file: string, pages: readonly Page[]): Page[] {
  // Otherwise the write-ahead log would overwrite the pages later.
  withDatabase(file, (database) => {
    if (!emptyLog(database)) throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  });
  // The descriptor stays open: closing it would release this process's locks on the file.
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
