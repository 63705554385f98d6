/**
 * A backup takes the place of a stopped server's database:
 *
 * 1. The database's lock is taken, so that no server starts meanwhile.
 * 2. The backup is copied beside the database and the copy checked, as a backup is.
 * 3. The old database gets a second name, `users.db.before-restore`, and so does its log, if one was left.
 * 4. The old log loses its own name: SQLite would replay it over the copy. Then the copy takes the database's.
 *
 * Whatever fails leaves the database as it was, and what is cut off before its end is undone before anybody
 * opens it (`database/cut-restore.ts`). The old one is not opened: it may be damaged, or have a log beside it
 * that is another database's.
 */
import { chownSync, existsSync, linkSync, realpathSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { backUp, isThere, sync, type Backup } from "./backup.ts";
import { cannotLock, cannotOpen, inUse } from "../database/database-errors.ts";
import { beforeRestore, isSameFile, LOGS, undoCutRestore } from "../database/cut-restore.ts";
import { DatabaseLock } from "../database/database-lock.ts";
import { ownerOf } from "../database/owner.ts";
import { StartError } from "../start-error.ts";

/** How long a server that is stopping is waited for, in ms. */
const PATIENCE = 1_000;

export type Restored = Backup & {
  /** The old database's new name; undefined where there was none. */
  readonly before: string | undefined;
};

/**
 * Puts a copy of the backup `file` where the database at `path` is or should be. `beforeSwap` is called when
 * all that can be checked has been: what it throws leaves everything as it was.
 * @throws StartError
 */
export async function restore(path: string, file: string, beforeSwap: () => void): Promise<Restored> {
  let real: string;
  let lock: DatabaseLock | undefined;
  try {
    real = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    throw cannotOpen(path, error);
  }
  try {
    lock = await DatabaseLock.acquire(real, PATIENCE);
  } catch (error) {
    throw cannotLock(path, `${real}.lock`, error);
  }
  if (lock === undefined) throw isRunning(path);
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
  for (const own of [next, `${next}.part`]) if (isSameFile(file, own)) throw isOurs(file);
  undoCutRestore(real);
  for (const suffix of ["", ...LOGS]) if (existsSync(before + suffix)) throw isThere(before + suffix);
  // Left by a restore that was cut off; the lock says that it is nobody's.
  for (const left of [next, `${next}.part`]) rmSync(left, { force: true });
  try {
    const copied = backUp(file, next);
    const owner = ownerOf(real) ?? ownerOf(dirname(real));
    if (owner !== undefined) chownSync(next, owner.uid, owner.gid);
    beforeSwap();
    const isReplaced = existsSync(real);
    for (const suffix of ["", ...LOGS]) {
      if (existsSync(real + suffix)) linkSync(real + suffix, before + suffix);
    }
    sync(dirname(real));
    for (const suffix of [...LOGS, "-shm"]) rmSync(real + suffix, { force: true });
    // First the log is gone from the disk, then there is something new that it could spoil.
    sync(dirname(real));
    renameSync(next, real);
    sync(dirname(real));
    return { ...copied, before: isReplaced ? before : undefined };
  } catch (error) {
    undoCutRestore(real);
    throw error;
  } finally {
    rmSync(next, { force: true });
  }
}

/** What restores make and remove is no place for a backup. */
function isOurs(file: string): StartError {
  return new StartError({
    es: `«${file}» es un nombre que las restauraciones usan y borran: llame a la copia de otro modo`,
    en: `“${file}” is a name that restores use and remove: call the backup something else`,
  });
}

function isRunning(path: string): StartError {
  const { es, en } = inUse(path).sentence;
  return new StartError(
    { es: `${es}: pare antes el servidor`, en: `${en}: stop the server first` },
    undefined,
    "in_use",
  );
}

function cannotRestore(path: string, error: unknown): StartError {
  const code = String((error as { code?: unknown } | null)?.code ?? error);
  return new StartError(
    {
      es: `No se puede restaurar la base de datos «${path}» (${code})`,
      en: `Cannot restore the database “${path}” (${code})`,
    },
    error,
  );
}
