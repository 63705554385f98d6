/**
 * Opens the client's SQLite files: mode 0600, WAL, `synchronous=FULL`, and a schema whose version only
 * grows.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync } from "node:fs";

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

/** How long a connection waits for another's commit, in ms. */
const BUSY_TIMEOUT = 5_000;

/** Sets up a connection that writes: a commit survives a power cut, and deleted text is overwritten in the file. */
export function makeDurable(database: Database): void {
  database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
  database.run("PRAGMA synchronous=FULL");
  database.run("PRAGMA secure_delete=ON");
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
    database = new Database(file, { create: true, strict: true });
    makeDurable(database);
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
 * Opens a database for reading; nothing in it is changed.
 * @throws StoreError
 */
export function openReadOnly(file: string, schema: Schema): Database {
  let database: Database | undefined;
  try {
    database = new Database(file, { readonly: true, strict: true });
    // The last process that closes the file locks out even readers for a moment.
    database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
    if (pragma(database, "application_id") !== schema.applicationId) throw new StoreError("not_ours", file);
    if (pragma(database, "user_version") > schema.versions.length) throw new StoreError("newer", file);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof StoreError ? error : new StoreError("unreadable", file, error);
  }
}

function pragma(database: Database, name: string): number {
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
