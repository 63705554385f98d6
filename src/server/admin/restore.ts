/**
 * Replaces the database of a stopped server by a backup:
 *
 * 1. Take the database's lock, so that no server starts meanwhile.
 * 2. Copy the backup beside the database, and check the copy, as for a backup.
 * 3. Give the old database a second name, `users.db.before-restore`, and the same to SQLite's log beside it.
 * 4. Remove the old log's first name: SQLite would replay it over the copy. Rename the copy to the database.
 *
 * If a step fails, the database is as it was before. An interrupted restore is undone before the database is opened
 * again (`database/interrupted-restore.ts`). The old database is not opened: it may be damaged, or the log beside it
 * may belong to another one.
 */
import { chownSync, existsSync, linkSync, realpathSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { errorCode } from "../../net/error-code.ts";
import { backUp, fileExists, sync, type Backup } from "./backup.ts";
import { cannotOpen, inUse } from "../database/database-errors.ts";
import { beforeRestore, isSameFile, LOGS, undoInterruptedRestore } from "../database/interrupted-restore.ts";
import { acquireLock } from "../database/database.ts";
import { ownerFor } from "../database/owner.ts";
import { StartError } from "../start-error.ts";
import { quotedText } from "../../protocol/quoted-text.ts";

/** How long to wait for a server that is stopping, in ms. */
const PATIENCE = 1_000;

export type Restored = Backup & {
  /** The new name of the old database; undefined if there was none. */
  readonly before: string | undefined;
};

/**
 * Puts a copy of the backup `file` in the place of the database at `path`, which need not exist.
 * @param beforeSwap called after all checks; if it throws, nothing is changed.
 * @throws StartError
 */
export async function restore(path: string, file: string, beforeSwap: () => void): Promise<Restored> {
  let real: string;
  try {
    real = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    throw cannotOpen(path, error);
  }
  const lock = await acquireLock(path, real, PATIENCE);
  if (lock === undefined) throw serverRunning(path);
  try {
    return swap(real, file, beforeSwap);
  } catch (error) {
    throw error instanceof StartError ? error : cannotRestore(path, error);
  } finally {
    lock.release();
  }
}

function swap(real: string, file: string, beforeSwap: () => void): Restored {
  const next = `${real}.restoring`;
  const before = beforeRestore(real);
  for (const own of [next, `${next}.part`]) if (isSameFile(file, own)) throw reservedName(file);
  undoInterruptedRestore(real);
  for (const suffix of ["", ...LOGS]) if (existsSync(before + suffix)) throw fileExists(before + suffix);
  // An interrupted restore has left them: we hold the lock, so no other restore runs.
  for (const left of [next, `${next}.part`]) rmSync(left, { force: true });
  try {
    const copied = backUp(file, next);
    const owner = ownerFor(real);
    if (owner !== undefined) chownSync(next, owner.uid, owner.gid);
    beforeSwap();
    const isReplaced = existsSync(real);
    for (const suffix of ["", ...LOGS]) {
      if (existsSync(real + suffix)) linkSync(real + suffix, before + suffix);
    }
    sync(dirname(real));
    for (const suffix of [...LOGS, "-shm"]) rmSync(real + suffix, { force: true });
    // The log must be gone from the disk before the new database appears, which it would corrupt.
    sync(dirname(real));
    renameSync(next, real);
    sync(dirname(real));
    return { ...copied, before: isReplaced ? before : undefined };
  } catch (error) {
    undoInterruptedRestore(real);
    throw error;
  } finally {
    rmSync(next, { force: true });
  }
}

function reservedName(file: string): StartError {
  return new StartError({
    es: `«${quotedText(file)}» es un nombre que «restore» usa y borra: dé otro nombre a la copia`,
    en: `“${quotedText(file)}” is a name that “restore” uses and removes: give the backup another name`,
  });
}

function serverRunning(path: string): StartError {
  const { es, en } = inUse(path).sentence;
  return new StartError(
    { es: `${es}: pare antes el servidor`, en: `${en}: stop the server first` },
    undefined,
    "in_use",
  );
}

function cannotRestore(path: string, error: unknown): StartError {
  const code = errorCode(error);
  return new StartError(
    {
      es: `No se puede restaurar la base de datos «${quotedText(path)}» (${code})`,
      en: `Cannot restore the database “${quotedText(path)}” (${code})`,
    },
    error,
  );
}
