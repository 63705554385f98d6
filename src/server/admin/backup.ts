/**
 * A copy of the database while the server goes on, made by the operator's process:
 *
 * 1. `FILE.part` is made with mode 0600; one that is there is another backup's, or was cut off.
 * 2. SQLite writes one consistent state of the database into it (a reader of the log: nobody is kept waiting).
 * 3. It reaches the disk, is opened again and checked.
 * 4. It takes its name. Whatever fails before leaves nothing behind.
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
import { cannotOpen, isDiskFull, requireOurs } from "../database/database.ts";
import { recognize } from "../database/schema.ts";
import { StartError } from "../start-error.ts";

/** How long the copy waits for a server that is just putting its log into order, in ms. */
const BUSY_TIMEOUT = 10_000;

export type Backup = { readonly users: number; readonly tokens: number; readonly bytes: number };

/** How many accounts there are, and the last id given. */
type Extent = { readonly count: number; readonly last: number };

/**
 * Copies the database at `path` into `file`, which must not be there, and checks the copy.
 * @throws StartError; nothing is left behind then
 */
export function backUp(path: string, file: string): Backup {
  requireOurs(path);
  const part = `${file}.part`;
  requireNew(file);
  makeEmpty(part);
  try {
    const source = new Database(realpathSync(path), { create: false, readwrite: true, strict: true });
    let backup: Backup;
    try {
      source.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      const before = extentOf(source);
      source.run("VACUUM INTO ?", [part]);
      sync(part);
      backup = check(part, before, source);
    } finally {
      source.close();
    }
    if (existsSync(file)) throw isThere(file);
    renameSync(part, file);
    sync(dirname(file));
    return backup;
  } catch (error) {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(part + suffix, { force: true });
    throw error instanceof StartError ? error : failed(path, file, error);
  }
}

/** @throws StartError for a copy that is not whole */
function check(part: string, before: Extent, source: Database): Backup {
  const copy = new Database(part, { readonly: true, strict: true });
  try {
    const verdict = copy.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get();
    if (verdict?.integrity_check !== "ok") throw isDamaged(String(verdict?.integrity_check));
    if (recognize(copy) !== "ours") throw isDamaged("application_id");
    const authority = copy
      .query<{ certificate: string; private_key: string }, []>(
        "SELECT certificate, private_key FROM authority",
      )
      .get();
    if (authority !== null) loadAuthority(authority.certificate, authority.private_key);
    const copied = extentOf(copy);
    // Accounts come and go meanwhile, and ids are never given twice: whoever was there then and is there still
    // must be in the copy, and nobody who was neither there before nor has come since.
    const remaining = countTo(source, copied.last);
    if (copied.count < remaining || copied.count > before.count + Math.max(0, copied.last - before.last)) {
      throw isDamaged(`${copied.count} / ${remaining}`);
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
    closeSync(openSync(part, "wx", 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EEXIST") throw cannotWrite(part, error);
    throw new StartError(
      {
        es: `Ya existe «${part}»: hay otra copia en curso, o quedó de una interrumpida; en ese caso, bórrelo`,
        en: `“${part}” is there already: another backup is under way, or one that was cut off left it; then remove it`,
      },
      error,
    );
  }
}

/** What was written to a file, or the names in a folder, are on the disk. */
export function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** @throws StartError for a folder's name, and for a file that is there */
function requireNew(file: string): void {
  if (file.endsWith("/") || statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new StartError(
      {
        es: `«${file}» es una carpeta: dé el nombre de un archivo, como «${join(file, "copia.db")}»`,
        en: `“${file}” is a folder: name a file, as “${join(file, "copy.db")}”`,
      },
      undefined,
      "is_folder",
    );
  }
  if (existsSync(file)) throw isThere(file);
}

/** A name that is taken. */
export function isThere(file: string): StartError {
  return new StartError(
    { es: `Ya existe «${file}»; no se sobrescribe`, en: `“${file}” is there already and is not overwritten` },
    undefined,
    "file_exists",
  );
}

function isDamaged(detail: string): StartError {
  return new StartError(
    {
      es: `La copia no está completa (${detail}) y se ha borrado`,
      en: `The copy is not whole (${detail}) and was removed`,
    },
    undefined,
    "damaged",
  );
}

/** The disk of the copy may be full; what else SQLite says is of the database. */
function failed(path: string, file: string, error: unknown): StartError {
  if (isDiskFull(error)) return cannotOpen(file, error);
  return codeOf(error).startsWith("SQLITE") ? cannotOpen(path, error) : cannotWrite(file, error);
}

function cannotWrite(file: string, error: unknown): StartError {
  const code = codeOf(error);
  return new StartError(
    {
      es: `No se puede hacer la copia «${file}» (${code})`,
      en: `Cannot make the backup “${file}” (${code})`,
    },
    error,
  );
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? error);
}
