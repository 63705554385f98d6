/** The errors of a database: one sentence and a code for each. */
import { errorCode } from "../../net/error-code.ts";
import { StartError } from "../start-error.ts";
import { isLocked } from "./locked-database.ts";
import { quotedText } from "../../protocol/quoted-text.ts";

/** UTF-16 units shown of SQLite's report of the damage. */
const MAX_DETAIL = 120;

/** Another program is using the database. */
export class InUseError extends StartError {}

/** An error that `isDamage` recognizes. @param found what SQLite's check of the pages reported. */
export function damage(found: string): Error {
  return Object.assign(new Error(found), { code: "SQLITE_CORRUPT", found });
}

/** Whether an error says that the database is damaged. */
export function isDamage(error: unknown): boolean {
  return errorCode(error).startsWith("SQLITE_CORRUPT");
}

/** Whether an error says that a disk is full. */
export function isDiskFull(error: unknown): boolean {
  return ["SQLITE_FULL", "ENOSPC"].includes(errorCode(error));
}

function detailOf(error: unknown): string {
  const found = (error as { found?: unknown } | null)?.found;
  return typeof found === "string" ? found.replaceAll(/\s+/g, " ").slice(0, MAX_DETAIL) : errorCode(error);
}

/** The server cannot start because its database is damaged. */
export function damagedAtStart(path: string, error: unknown): StartError {
  const { es, en } = cannotOpen(path, error).sentence;
  return new StartError(
    {
      es: `${es}: restaure una copia con «admin restore»`,
      en: `${en}: restore a backup with “admin restore”`,
    },
    error,
    "damaged",
  );
}

/** The lock file cannot be opened; the database itself may be sound. */
export function cannotLock(path: string, lockPath: string, error: unknown): StartError {
  if (isDiskFull(error)) return cannotOpen(path, error);
  const code = errorCode(error);
  return new StartError(
    {
      es: `No se puede abrir el archivo de bloqueo «${quotedText(lockPath)}» (${code})`,
      en: `Cannot open the lock file “${quotedText(lockPath)}” (${code})`,
    },
    error,
  );
}

/** A file that is not a database of this program. */
export function notOurs(path: string): StartError {
  return new StartError(
    {
      es: `«${quotedText(path)}» no es una base de datos de este programa`,
      en: `“${quotedText(path)}” is not a database of this program`,
    },
    undefined,
    "not_ours",
  );
}

/** A legacy database, which only the start of a server migrates. */
export function notMigrated(path: string): StartError {
  return new StartError(
    {
      es: `«${quotedText(path)}» es del programa antiguo: arranque antes el servidor una vez, que la convierte`,
      en: `“${quotedText(path)}” belongs to the old program: start the server once first, which converts it`,
    },
    undefined,
    "old_database",
  );
}

/** A database whose rows were moved to another server. @param to as it is shown. */
export function moved(path: string, to: string): StartError {
  return new StartError(
    {
      es: `«${quotedText(path)}» se trasladó a «${quotedText(to)}»: dé esa dirección con --db`,
      en: `“${quotedText(path)}” was moved to “${quotedText(to)}”: give that address with --db`,
    },
    undefined,
    "moved_database",
  );
}

/** A database of a later version. */
export function tooNew(path: string): StartError {
  return new StartError(
    {
      es: `«${quotedText(path)}» es de una versión más nueva de este programa`,
      en: `“${quotedText(path)}” belongs to a newer version of this program`,
    },
    undefined,
    "newer_database",
  );
}

/** Another program is using the database. */
export function inUse(path: string, cause?: unknown): StartError {
  return new InUseError(
    {
      es: `Otro programa tiene ocupada la base de datos «${quotedText(path)}»`,
      en: `Another program is using the database “${quotedText(path)}”`,
    },
    cause,
    "in_use",
  );
}

/** The sentence for an error of SQLite or of the disk. */
export function cannotOpen(path: string, error: unknown): StartError {
  const code = errorCode(error);
  if (code === "SQLITE_NOTADB") return notOurs(path);
  if (isDiskFull(error)) {
    return new StartError(
      {
        es: `No queda sitio en el disco para «${quotedText(path)}»`,
        en: `No room on the disk for “${quotedText(path)}”`,
      },
      error,
      "disk_full",
    );
  }
  if (isDamage(error)) {
    const what = detailOf(error);
    return new StartError(
      {
        es: `La base de datos «${quotedText(path)}» está dañada (${what})`,
        en: `The database “${quotedText(path)}” is damaged (${what})`,
      },
      error,
      "damaged",
    );
  }
  if (isLocked(error)) return inUse(path, error);
  return new StartError(
    {
      es: `No se puede abrir la base de datos «${quotedText(path)}» (${code})`,
      en: `Cannot open the database “${quotedText(path)}” (${code})`,
    },
    error,
  );
}
