/**
 * Opens the client's SQLite files: mode 0600, WAL, `synchronous=FULL`, and a schema whose version only
 * grows.
 */
import { pathToFileURL } from "bun";
import { constants, Database } from "bun:sqlite";
import { accessSync, closeSync, constants as fileModes, existsSync, openSync, statSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { closeToOthers } from "./folders.ts";

/** The file belongs to another program, is newer than this one, cannot be opened, is damaged, or has disappeared. */
export class StoreError extends Error {
  readonly code: "not_ours" | "newer" | "unreadable" | "damaged" | "lost";
  readonly file: string;

  constructor(code: StoreError["code"], file: string, cause?: unknown) {
    super(`${file}: ${code}`, { cause });
    this.code = code;
    this.file = file;
  }
}

/** Whether an error comes from the disk or the file and not from a bug: full, unreadable, locked. */
export function isStorageFailure(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error && /^(SQLITE_|E[A-Z]{3,})/.test(errorCode(error));
}

/**
 * Whether the file is damaged or is not a database. A row that claims to be larger than SQLite allows was never
 * stored, so it is damage too.
 */
export function isDamage(error: unknown): boolean {
  return isStorageFailure(error) && /^SQLITE_(?:CORRUPT|NOTADB|TOOBIG)/.test(error.code);
}

/** As `isDamage`, and every other error that damage can cause while reading; false for a full disk or a lock. */
export function isUnreadable(error: unknown): boolean {
  const unreadable =
    /^SQLITE_(?:CORRUPT|NOTADB|TOOBIG|CONSTRAINT|ERROR|IOERR_(?:SHORT_)?READ|IOERR_CORRUPTFS)/;
  return unreadable.test(errorCode(error));
}

/** The result of a read; undefined: it met damage. @throws any other error */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}

/** Whether the file is not a SQLite database. */
export function isNoDatabase(error: unknown): boolean {
  return isStorageFailure(error) && error.code.startsWith("SQLITE_NOTADB");
}

/** Whether the disk as a whole is full or fails, rather than this file. */
export function isFullDisk(error: unknown): boolean {
  return isStorageFailure(error) && /^(SQLITE_FULL|SQLITE_IOERR|ENOSPC|EDQUOT|EIO)/.test(error.code);
}

/** Whether a file cannot be opened for writing, but perhaps for reading: a full or read-only disk, no permission, a lock. */
export function isUnwritable(error: unknown): boolean {
  return error instanceof StoreError
    ? error.code === "unreadable"
    : isStorageFailure(error) && !isDamage(error);
}

/** How long a connection waits for another's commit, in ms. */
const BUSY_TIMEOUT = 5_000;

/** Sets up a connection that writes: a commit survives a power cut, and deleted text is overwritten in the file. */
export function makeDurable(database: Database): void {
  database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
  database.run("PRAGMA synchronous=FULL");
  database.run("PRAGMA secure_delete=ON");
}

/**
 * The result of `work`, during which this connection does not wait for other processes; undefined: one of them was in
 * its way.
 */
export function withoutWaiting<T>(database: Database, work: () => T): T | undefined {
  database.run("PRAGMA busy_timeout=0");
  try {
    return work();
  } catch (error) {
    if (!/^SQLITE_(?:BUSY|LOCKED)/.test(errorCode(error))) throw error;
    return undefined;
  } finally {
    database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
  }
}

/** Empties the write-ahead log, if no other process reads an older state or writes. @returns whether it is empty */
export function emptyLog(database: Database): boolean {
  return database.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy === 0;
}

export type Schema = {
  /** In the file's header, so that another program's database is recognized. */
  readonly applicationId: number;
  /** One script for each version; the first makes version 1. */
  readonly versions: readonly string[];
};

/**
 * Opens or makes a database and brings its schema up to date, each version in one transaction.
 * @throws StoreError; SQLiteError and system errors when the disk is full or fails.
 */
export function openStore(file: string, schema: Schema): Database {
  let database: Database | undefined;
  try {
    // An existing file is not opened here: closing it would release this process's locks on it.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    closeToOthers(file);
    // SQLite would open a file that it may not write, and fail at the first write only.
    accessSync(file, fileModes.W_OK);
    database = new Database(file, { create: true, strict: true });
    makeDurable(database);
    // Only an empty file takes it, see `vacuum.ts`; in another one it would write.
    if (statSync(file).size === 0) database.run("PRAGMA auto_vacuum=INCREMENTAL");
    // First of all, because the file may belong to another program.
    bringUpToDate(database, file, schema);
    database.run("PRAGMA journal_mode=WAL");
    database.run("PRAGMA foreign_keys=ON");
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreError || isFullDisk(error)) throw error;
    throw new StoreError(isDamage(error) ? "damaged" : "unreadable", file, error);
  }
}

/**
 * Opens a database for reading, also where nothing can be written; nothing in it is changed. Its schema may be of any
 * version up to the newest.
 * @throws StoreError
 */
export function openReadOnly(file: string, schema: Schema): Database {
  try {
    return openChecked(() => new Database(file, { readonly: true, strict: true }), file, schema);
  } catch (error) {
    if (!isUnwritable(error)) throw error;
    return openChecked(() => openWithoutIndex(file), file, schema);
  }
}

/**
 * Opens a database for reading where SQLite cannot make the file with the index of the write-ahead log: the disk is
 * full or read-only, or the folder may not be written. There are no locks, but who writes has made that file.
 */
function openWithoutIndex(file: string): Database {
  const open = (how: string) =>
    new Database(
      `${pathToFileURL(file).href}?${how}`,
      constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
    );
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log === undefined || log.size === 0) return open("immutable=1");
  // With an exclusive lock, which is none in this VFS, the index is in memory.
  const database = open("vfs=unix-none");
  database.run("PRAGMA locking_mode=EXCLUSIVE");
  return database;
}

function openChecked(open: () => Database, file: string, schema: Schema): Database {
  let database: Database | undefined;
  try {
    database = open();
    // The last process that closes the file locks out even readers for a moment.
    database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
    if (pragma(database, "application_id") !== schema.applicationId) throw new StoreError("not_ours", file);
    if (pragma(database, "user_version") > schema.versions.length) throw new StoreError("newer", file);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(isDamage(error) ? "damaged" : "unreadable", file, error);
  }
}

/** The format of a database without a write-ahead log, in the bytes 18 and 19 of its header. */
const NO_LOG = 1;
const FORMATS_START = 18;
const FORMATS_END = 20;

/**
 * A copy of a database in memory, brought up to date: what must be written before it can be read is written into it,
 * and goes with it. It takes about twice the size of the file for a moment.
 * @throws SQLiteError
 */
export function copyInMemory(database: Database, file: string, schema: Schema): Database {
  const bytes = database.serialize();
  bytes.fill(NO_LOG, FORMATS_START, FORMATS_END);
  const copy = Database.deserialize(bytes, { strict: true });
  bringUpToDate(copy, file, schema);
  return copy;
}

/** Whether the schema of an open database is of the newest version. */
export function isUpToDate(database: Database, schema: Schema): boolean {
  return pragma(database, "user_version") === schema.versions.length;
}

/** The value of a pragma that is a number. */
export function pragma(database: Database, name: string): number {
  const row = database.query<{ [name: string]: number }, []>(`PRAGMA ${name}`).get();
  return row?.[name] ?? 0;
}

function bringUpToDate(database: Database, file: string, schema: Schema): void {
  const migrate = database.transaction(() => {
    const version = pragma(database, "user_version");
    const applicationId = pragma(database, "application_id");
    const empty = pragma(database, "schema_version") === 0;
    if (!empty && applicationId !== schema.applicationId) throw new StoreError("not_ours", file);
    if (version > schema.versions.length) throw new StoreError("newer", file);
    if (version === schema.versions.length) return;
    database.run(`PRAGMA application_id=${schema.applicationId}`);
    for (const script of schema.versions.slice(version)) database.run(script);
    database.run(`PRAGMA user_version=${schema.versions.length}`);
  });
  if (
    pragma(database, "user_version") === schema.versions.length &&
    pragma(database, "application_id") === schema.applicationId
  )
    return;
  migrate.immediate();
}
