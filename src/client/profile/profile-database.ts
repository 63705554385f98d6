/** Opens `profile.db`, for writing or for reading. */
import type { Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";

import { rescueProfile } from "../disk/check.ts";
import { lockFile, profileFile } from "../disk/folders.ts";
import { PROFILE_SCHEMA } from "../disk/schema.ts";
import {
  copyInMemory,
  isNoDatabase,
  isUpToDate,
  openReadOnly,
  openStore,
  StoreError,
} from "../disk/sqlite.ts";

/** Smallest size of a database, in bytes. */
const SMALLEST = 512;

/** Whether `folder` contains a profile. @throws StoreError if there was one that has disappeared */
export function hasProfile(folder: string): boolean {
  const file = profileFile(folder);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= SMALLEST) return true;
  if (existsSync(lockFile(folder))) throw new StoreError("lost", file);
  return false;
}

/**
 * Opens the database of the profile in `folder`, or makes it. A database that has disappeared is not made again,
 * because the account would silently get a new key.
 */
export function openDatabase(folder: string): Database {
  const file = profileFile(folder);
  hasProfile(folder);
  try {
    return openStore(file, PROFILE_SCHEMA);
  } catch (error) {
    const isCut = error instanceof StoreError && error.code === "damaged" && !isNoDatabase(error.cause);
    // Messages may be readable even if the schema is not.
    throw isCut ? rescueProfile(folder, "", Date.now()) : error;
  }
}

/**
 * Opens the database of the profile in `folder` for reading; a write throws an SQLiteError. One of an older version is
 * brought up to date in memory.
 * @throws StoreError, SQLiteError
 */
export function readDatabase(folder: string): Database {
  const file = profileFile(folder);
  const database = openReadOnly(file, PROFILE_SCHEMA);
  if (isUpToDate(database, PROFILE_SCHEMA)) return database;
  try {
    const copy = copyInMemory(database, file, PROFILE_SCHEMA);
    // Otherwise a write would seem to succeed.
    copy.run("PRAGMA query_only=ON");
    return copy;
  } finally {
    database.close();
  }
}
