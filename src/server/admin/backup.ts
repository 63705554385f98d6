/**
 * A backup, made by the operator's process while the server runs:
 *
 * 1. It makes `FILE.part` with mode 0600. One that exists belongs to another backup, or to an interrupted one.
 * 2. SQLite writes one consistent state of the database into it, as a reader that does not block the server.
 * 3. It syncs the copy to the disk, opens it again and checks it.
 * 4. It renames the copy to `FILE`. If any step fails, nothing is left behind.
 */
import { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { loadAuthority } from "../../identity/certificate.ts";
import { errorCode } from "../../net/error-code.ts";
import { cannotOpen, isDiskFull } from "../database/database-errors.ts";
import { requireOurs } from "../database/database.ts";
import { ExistingDatabase } from "../database/locked-database.ts";
import { makeFile } from "../database/owner.ts";
import { recognize } from "../database/schema.ts";
import { StartError } from "../start-error.ts";
import { quotedText } from "../../protocol/quoted-text.ts";

/** How long the copy waits while the server checkpoints or recovers its log, in ms. */
const BUSY_TIMEOUT = 10_000;

export type Backup = { readonly users: number; readonly tokens: number; readonly bytes: number };

/** How many accounts there are, and the highest id. */
type Extent = { readonly count: number; readonly last: number };

/**
 * Copies the database at `path` into `file`, which must not exist, and checks the copy.
 * @throws StartError, and leaves nothing behind then
 */
export function backUp(path: string, file: string): Backup {
  requireOurs(path);
  const part = `${file}.part`;
  requireNew(file);
  makeEmpty(part);
  try {
    const source = new ExistingDatabase(realpathSync(path), BUSY_TIMEOUT);
    let backup: Backup;
    try {
      const before = extentOf(source);
      source.run("VACUUM INTO ?", [part]);
      sync(part);
      backup = check(part, before, source);
    } finally {
      source.close();
    }
    if (existsSync(file)) throw fileExists(file);
    renameSync(part, file);
    sync(dirname(file));
    return backup;
  } catch (error) {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(part + suffix, { force: true });
    throw error instanceof StartError ? error : failed(path, file, error);
  }
}

/** @throws StartError for an incomplete copy */
function check(part: string, before: Extent, source: Database): Backup {
  const copy = new Database(part, { readonly: true, strict: true });
  try {
    const verdict = copy.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get();
    if (verdict?.integrity_check !== "ok") throw incompleteCopy(String(verdict?.integrity_check));
    if (recognize(copy) !== "ours") throw incompleteCopy("application_id");
    const authority = copy
      .query<{ certificate: string; private_key: string }, []>(
        "SELECT certificate, private_key FROM authority",
      )
      .get();
    if (authority !== null) loadAuthority(authority.certificate, authority.private_key);
    const copied = extentOf(copy);
    // Accounts may be added and deleted while the copy is made; ids are never reused. So the copy must hold at least the
    // accounts up to its highest id that still exist, and at most the earlier ones and one for each new id.
    const remaining = countTo(source, copied.last);
    if (copied.count < remaining || copied.count > before.count + Math.max(0, copied.last - before.last)) {
      throw incompleteCopy(`${copied.count} / ${remaining}`);
    }
    const tokens = copy.query<{ count: number }, []>("SELECT count(*) AS count FROM tokens").get();
    return { users: copied.count, tokens: tokens?.count ?? 0, bytes: statSync(part).size };
  } finally {
    copy.close();
  }
}

function extentOf(database: Database): Extent {
  const row = database
    .query<Extent, []>("SELECT count(*) AS count, coalesce(max(id), 0) AS last FROM users")
    .get();
  return row ?? { count: 0, last: 0 };
}

function countTo(database: Database, last: number): number {
  const row = database
    .query<{ count: number }, [number]>("SELECT count(*) AS count FROM users WHERE id <= ?")
    .get(last);
  return row?.count ?? 0;
}

/** @throws StartError */
function makeEmpty(part: string): void {
  try {
    makeFile(part);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw cannotWrite(part, error);
    throw new StartError(
      {
        es: `Ya existe «${quotedText(part)}»: hay otra copia en curso o quedó de una interrumpida; en ese caso, bórrelo`,
        en: `“${quotedText(part)}” already exists: another backup is running, or an interrupted one left it; in that case, remove it`,
      },
      error,
    );
  }
}

/** Syncs a file, or the names in a folder, to the disk. */
export function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** @throws StartError for the name of a folder, or of a file that exists */
function requireNew(file: string): void {
  if (file.endsWith("/") || statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new StartError(
      {
        es: `«${quotedText(file)}» es una carpeta: dé el nombre de un archivo, como «${quotedText(join(file, "copia.db"))}»`,
        en: `“${quotedText(file)}” is a folder: give the name of a file, such as “${quotedText(join(file, "copy.db"))}”`,
      },
      undefined,
      "is_folder",
    );
  }
  if (existsSync(file)) throw fileExists(file);
}

export function fileExists(file: string): StartError {
  return new StartError(
    {
      es: `Ya existe «${quotedText(file)}»; no se sobrescribe`,
      en: `“${quotedText(file)}” already exists and is not overwritten`,
    },
    undefined,
    "file_exists",
  );
}

function incompleteCopy(detail: string): StartError {
  return new StartError(
    {
      es: `La copia está incompleta (${detail}) y se ha borrado`,
      en: `The copy is incomplete (${detail}) and was removed`,
    },
    undefined,
    "damaged",
  );
}

/** A full disk concerns the copy; any other error of SQLite concerns the database. */
function failed(path: string, file: string, error: unknown): StartError {
  if (isDiskFull(error)) return cannotOpen(file, error);
  return errorCode(error).startsWith("SQLITE") ? cannotOpen(path, error) : cannotWrite(file, error);
}

function cannotWrite(file: string, error: unknown): StartError {
  const code = errorCode(error);
  return new StartError(
    {
      es: `No se puede hacer la copia «${quotedText(file)}» (${code})`,
      en: `Cannot make the backup “${quotedText(file)}” (${code})`,
    },
    error,
  );
}
