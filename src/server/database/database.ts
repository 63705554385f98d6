/**
 * The server's one file: accounts, tokens and the authority (PROTOCOL 3 and 4). What is found there is
 * ours, a seed's (taken over before anything else), new, or refused in one sentence.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, existsSync, openSync, realpathSync, statSync } from "node:fs";

import type { Bilingual } from "../../protocol/language.ts";
import { DatabaseLock } from "./database-lock.ts";
import {
  APPLICATION_ID,
  makePrivate,
  OTHER_TABLES,
  recognize,
  SCHEMA_VERSION,
  USERS_COLUMNS,
  type DatabaseKind,
} from "./schema.ts";
import { takeOverSeed, type TakeoverStep } from "./seed-takeover.ts";

/** How long a write waits for another process that looks at the file, in ms. */
const BUSY_TIMEOUT = 2_000;

/** The server cannot start, for a reason that one sentence tells. */
export class StartError extends Error {
  readonly sentence: Bilingual;

  constructor(sentence: Bilingual, cause?: unknown) {
    super(sentence.en, { cause });
    this.sentence = sentence;
  }
}

/** A database that no other server uses until it is closed. */
class OwnDatabase extends Database {
  readonly #lock: DatabaseLock;

  constructor(path: string, lock: DatabaseLock) {
    super(path, { create: false, readwrite: true, strict: true });
    this.#lock = lock;
  }

  override close(): void {
    super.close();
    this.#lock.release();
  }
}

/** Another program has the database. */
export class InUseError extends StartError {}

type OpenOptions = {
  /** Told of each step of a takeover as it is about to be taken. */
  readonly onStep?: (step: TakeoverStep) => void;
  /** How long to wait for another server to end, in ms; a few seconds where it is absent. */
  readonly patience?: number;
};

/**
 * Opens the database, making it (mode 0600) where there is none and taking over a seed's. `onStep` is
 * told of each step of a takeover as it is about to be taken. Until it is closed, no other server can
 * open it.
 * @throws StartError for a file that cannot be opened, is not ours, or is another server's now.
 */
export async function openDatabase(path: string, onStep?: (step: TakeoverStep) => void): Promise<Database> {
  return open(path, onStep === undefined ? {} : { onStep });
}

/**
 * As `openDatabase`, for one that is there and ours: nothing is made or taken over.
 * @param patience how long to wait for who has it, in ms.
 * @throws StartError, of it InUseError when another server has it.
 */
export async function openOwnDatabase(path: string, patience: number): Promise<Database> {
  requireOurs(path);
  return open(path, { patience });
}

/** @throws StartError when there is no file, or it is not a database of this program. */
export function requireOurs(path: string): void {
  if (!existsSync(path)) {
    throw new StartError({
      es: `No existe la base de datos «${path}»`,
      en: `There is no database “${path}”`,
    });
  }
  try {
    const real = realpathSync(path);
    if (!statSync(real).isFile()) throw notOurs(path);
    const kind = refuseOthers(real, path);
    if (kind === "empty") throw notOurs(path);
    if (kind === "seed") throw ofOldProgram(path);
  } catch (error) {
    throw error instanceof StartError ? error : cannotOpen(path, error);
  }
}

async function open(path: string, { onStep, patience }: OpenOptions): Promise<Database> {
  let lock: DatabaseLock | undefined;
  let database: OwnDatabase | undefined;
  try {
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
    // What SQLite puts beside a link's target must be found there, and one lock must serve all its names.
    const real = realpathSync(path);
    // A device or a folder would be given our mode.
    if (!statSync(real).isFile()) throw notOurs(path);
    refuseOthers(real, path);
    lock = await DatabaseLock.acquire(real, patience);
    if (lock === undefined) throw inUse(path);
    database = new OwnDatabase(real, lock);
    await prepare(database, real, onStep);
    return database;
  } catch (error) {
    if (database === undefined) lock?.release();
    else database.close();
    if (error instanceof StartError) throw error;
    throw cannotOpen(path, error);
  }
}

/** @throws StartError for what is neither empty, nor ours, nor a seed's; nothing of it is changed. */
function refuseOthers(real: string, path: string): DatabaseKind {
  const database = new Database(real, { create: false, readwrite: true, strict: true });
  try {
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    const kind = recognize(database);
    if (kind === "newer") throw tooNew(path);
    if (kind === "foreign") throw notOurs(path);
    return kind;
  } finally {
    database.close();
  }
}

/** The kind is asked again: another server may have taken the file over while we waited for its lock. */
async function prepare(
  database: Database,
  path: string,
  onStep?: (step: TakeoverStep) => void,
): Promise<void> {
  database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  const kind = recognize(database);
  if (kind === "newer") throw tooNew(path);
  if (kind === "foreign") throw notOurs(path);
  const ofSeed = kind === "seed";

  // SQLite makes its log with the mode that the file has.
  makePrivate(path);
  // Before the first change: what is overwritten must not stay readable, and a crash must lose nothing.
  database.run("PRAGMA secure_delete = ON");
  database.run("PRAGMA temp_store = MEMORY");
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA foreign_keys = ON");
  if (ofSeed) await takeOverSeed(database, path, onStep);
  if (kind === "ours") return;
  database.transaction(() => {
    if (ofSeed) database.run("DROP TABLE takeover_done");
    else database.run(`CREATE TABLE users ${USERS_COLUMNS}`);
    database.run(OTHER_TABLES);
    database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  })();
}

function notOurs(path: string): StartError {
  return new StartError({
    es: `«${path}» no es una base de datos de este programa`,
    en: `“${path}” is not a database of this program`,
  });
}

function ofOldProgram(path: string): StartError {
  return new StartError({
    es: `«${path}» es del programa antiguo: arranque antes el servidor una vez, que la convierte`,
    en: `“${path}” belongs to the old program: start the server once first, which converts it`,
  });
}

function tooNew(path: string): StartError {
  return new StartError({
    es: `«${path}» es de una versión más nueva de este programa`,
    en: `“${path}” belongs to a newer version of this program`,
  });
}

function inUse(path: string, cause?: unknown): StartError {
  return new InUseError(
    {
      es: `Otro programa tiene ocupada la base de datos «${path}»`,
      en: `Another program is using the database “${path}”`,
    },
    cause,
  );
}

/** What SQLite or the disk said of the database, as a sentence. */
export function cannotOpen(path: string, error: unknown): StartError {
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  if (code === "SQLITE_NOTADB") return notOurs(path);
  if (code === "SQLITE_FULL" || code === "ENOSPC") {
    return new StartError(
      { es: `No queda sitio en el disco para «${path}»`, en: `No room on the disk for “${path}”` },
      error,
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
