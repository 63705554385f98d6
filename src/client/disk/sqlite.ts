/**
 * Opening the client's SQLite files: mode 0600, WAL, `synchronous=FULL`, and a schema with a version
 * that only grows.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync } from "node:fs";

import { closeToOthers } from "./folders.ts";

/**
 * A file that is not ours, is newer than this program, cannot be opened, is no readable database any more,
 * or is gone although there was one.
 */
export class StoreError extends Error {
  readonly code: "not_ours" | "newer" | "unreadable" | "damaged" | "lost";
  readonly file: string;

  constructor(code: StoreError["code"], file: string, cause?: unknown) {
    super(`${file}: ${code}`, { cause });
    this.code = code;
    this.file = file;
  }
}

/** Whether the disk, and not a fault of ours, kept something from being stored: full, unreadable, locked. */
export function isStorageFailure(error: unknown): error is Error & { code: string } {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof Error && typeof code === "string" && /^(SQLITE_|E[A-Z]{3,})/.test(code);
}

/**
 * Whether a file contradicts itself, or is no database: what the disk gives back is not what it was given.
 * A row said to be larger than SQLite stores any was never stored.
 */
export function isDamage(error: unknown): boolean {
  return isStorageFailure(error) && /^SQLITE_(?:CORRUPT|NOTADB|TOOBIG)/.test(error.code);
}

/** Whether a file is nothing that SQLite knows. */
export function isNoDatabase(error: unknown): boolean {
  return isStorageFailure(error) && error.code.startsWith("SQLITE_NOTADB");
}

/** Whether it is the disk as a whole that takes nothing more, and not this file. */
export function isFullDisk(error: unknown): boolean {
  return isStorageFailure(error) && /^(SQLITE_FULL|SQLITE_IOERR|ENOSPC|EDQUOT|EIO)/.test(error.code);
}

/** How long one process waits for another's commit, in ms. */
const BUSY_TIMEOUT = 5_000;

export type Schema = {
  /** Stands in the file's header, so that another program's database is never taken for ours. */
  readonly applicationId: number;
  /** One script for each version, the first makes version 1. */
  readonly versions: readonly string[];
};

/**
 * Opens or makes a database and brings its schema up to date, each version in one transaction.
 * @throws StoreError; SQLiteError and system errors of a disk that is full or fails.
 */
export function openStore(file: string, schema: Schema): Database {
  let database: Database | undefined;
  try {
    // A file that is there is not opened: its closing would end every lock that this process has on it.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    closeToOthers(file);
    database = new Database(file, { create: true, strict: true });
    database.run(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
    // Read first: nothing may be written to a file that is not ours.
    bringUpToDate(database, file, schema);
    database.run("PRAGMA journal_mode=WAL");
    database.run("PRAGMA synchronous=FULL");
    database.run("PRAGMA foreign_keys=ON");
    // What is deleted or withdrawn is gone from the file too.
    database.run("PRAGMA secure_delete=ON");
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreError || isFullDisk(error)) throw error;
    throw new StoreError(isDamage(error) ? "damaged" : "unreadable", file, error);
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
