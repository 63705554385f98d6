/** Why a database cannot be used, each reason as one sentence and a code. */
import { SQLiteError } from "bun:sqlite";

import { StartError } from "../start-error.ts";

/** UTF-16 units shown of what SQLite says is damaged. */
const MAX_DETAIL = 120;

/** Another program is using the database. */
export class InUseError extends StartError {}

/** An error that `isDamage` recognizes. @param found what SQLite's check of the pages says. */
export function damage(found: string): Error {
  return Object.assign(new Error(found), { code: "SQLITE_CORRUPT", found });
}

/** Whether an error says that the database is damaged. */
export function isDamage(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_CORRUPT");
}

/** Whether an error says that a disk is full. */
export function isDiskFull(error: unknown): boolean {
  return ["SQLITE_FULL", "ENOSPC"].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

function detailOf(error: unknown): string {
  const found = (error as { found?: unknown } | null)?.found;
  return typeof found === "string" ? found.replaceAll(/\s+/g, " ").slice(0, MAX_DETAIL) : codeOf(error);
}

/** A damaged database, on which a server cannot start. */
export function isDamagedAtStart(path: string, error: unknown): StartError {
  const what = detailOf(error);
  return new StartError(
    {
      es: `La base de datos «${path}» está dañada (${what}): restaure una copia con «admin restore»`,
      en: `The database “${path}” is damaged (${what}): restore a backup with “admin restore”`,
    },
    error,
    "damaged",
  );
}

/** The lock file cannot be opened, which says nothing of the database. */
export function cannotLock(path: string, lockPath: string, error: unknown): StartError {
  if (isDiskFull(error)) return cannotOpen(path, error);
  const code = codeOf(error);
  const detail = code === "" ? `: ${String(error)}` : ` (${code})`;
  return new StartError(
    {
      es: `No se puede abrir el archivo de bloqueo «${lockPath}»${detail}`,
      en: `Cannot open the lock file “${lockPath}”${detail}`,
    },
    error,
  );
}

/** A file that is not a database of this program. */
export function notOurs(path: string): StartError {
  return new StartError(
    {
      es: `«${path}» no es una base de datos de este programa`,
      en: `“${path}” is not a database of this program`,
    },
    undefined,
    "not_ours",
  );
}

/** A legacy database, which only the start of a server migrates. */
export function notMigrated(path: string): StartError {
  return new StartError(
    {
      es: `«${path}» es del programa antiguo: arranque antes el servidor una vez, que la convierte`,
      en: `“${path}” belongs to the old program: start the server once first, which converts it`,
    },
    undefined,
    "old_database",
  );
}

/** A database of a later version. */
export function tooNew(path: string): StartError {
  return new StartError(
    {
      es: `«${path}» es de una versión más nueva de este programa`,
      en: `“${path}” belongs to a newer version of this program`,
    },
    undefined,
    "newer_database",
  );
}

/** Another program is using the database. */
export function inUse(path: string, cause?: unknown): StartError {
  return new InUseError(
    {
      es: `Otro programa tiene ocupada la base de datos «${path}»`,
      en: `Another program is using the database “${path}”`,
    },
    cause,
    "in_use",
  );
}

/** What SQLite or the disk said of the database, as one sentence. */
export function cannotOpen(path: string, error: unknown): StartError {
  const code = codeOf(error);
  if (code === "SQLITE_NOTADB") return notOurs(path);
  if (isDiskFull(error)) {
    return new StartError(
      { es: `No queda sitio en el disco para «${path}»`, en: `No room on the disk for “${path}”` },
      error,
      "disk_full",
    );
  }
  if (isDamage(error)) {
    const what = detailOf(error);
    return new StartError(
      {
        es: `La base de datos «${path}» está dañada (${what})`,
        en: `The database “${path}” is damaged (${what})`,
      },
      error,
      "damaged",
    );
  }
  if (code.startsWith("SQLITE_BUSY") || code === "SQLITE_LOCKED") return inUse(path, error);
  const known = error instanceof SQLiteError || code !== "";
  const detail = known ? ` (${code})` : `: ${String(error)}`;
  return new StartError(
    {
      es: `No se puede abrir la base de datos «${path}»${detail}`,
      en: `Cannot open the database “${path}”${detail}`,
    },
    error,
  );
}
