/**
 * The server's one file: accounts, tokens and the authority (PROTOCOL 3 and 4). What is found there is
 * ours, a seed's (taken over before anything else), new, or refused in one sentence.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, existsSync, openSync, statSync } from "node:fs";

import type { Bilingual } from "../protocol/language.ts";
import { makePrivate, OTHER_TABLES, SCHEMA_VERSION, tableNames, USERS_COLUMNS } from "./schema.ts";
import { takeOverSeed, type TakeoverStep } from "./seed-takeover.ts";

/** `PRAGMA application_id`, "PALO": other programs count their versions too. */
const APPLICATION_ID = 0x50_41_4c_4f;
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

/**
 * Opens the database, making it (mode 0600) where there is none and taking over a seed's. `onStep` is
 * told of each step of a takeover as it is about to be taken.
 * @throws StartError for a file that cannot be opened or is not ours.
 */
export async function openDatabase(path: string, onStep?: (step: TakeoverStep) => void): Promise<Database> {
  let database: Database | undefined;
  try {
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
    // A device or a folder would be given our mode.
    if (!statSync(path).isFile()) throw notOurs(path);
    database = new Database(path, { create: true, readwrite: true, strict: true });
    await prepare(database, path, onStep);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StartError) throw error;
    throw cannotOpen(path, error);
  }
}

async function prepare(
  database: Database,
  path: string,
  onStep?: (step: TakeoverStep) => void,
): Promise<void> {
  database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  const version = readNumber(database, "user_version");
  const application = readNumber(database, "application_id");
  const tables = tableNames(database);
  if (version > SCHEMA_VERSION && application === APPLICATION_ID) throw tooNew(path);
  const ours = version === SCHEMA_VERSION && application === APPLICATION_ID;
  const empty = version === 0 && tables.size === 0;
  const ofSeed = version === 0 && tables.has("users");
  if (!ours && !empty && !ofSeed) throw notOurs(path);

  // SQLite makes its log with the mode that the file has.
  makePrivate(path);
  // Before the first change: what is overwritten must not stay readable, and a crash must lose nothing.
  database.run("PRAGMA secure_delete = ON");
  database.run("PRAGMA temp_store = MEMORY");
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA foreign_keys = ON");
  if (ofSeed) await takeOverSeed(database, path, onStep);
  if (!ours) {
    database.transaction(() => {
      if (ofSeed) database.run("DROP TABLE takeover_done");
      else database.run(`CREATE TABLE users ${USERS_COLUMNS}`);
      database.run(OTHER_TABLES);
      database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    })();
  }
}

function readNumber(database: Database, pragma: string): number {
  const row = database.query<{ [name: string]: number }, []>(`PRAGMA ${pragma}`).get();
  return row?.[pragma] ?? 0;
}

function notOurs(path: string): StartError {
  return new StartError({
    es: `«${path}» no es una base de datos de este programa`,
    en: `“${path}” is not a database of this program`,
  });
}

function tooNew(path: string): StartError {
  return new StartError({
    es: `«${path}» es de una versión más nueva de este programa`,
    en: `“${path}” belongs to a newer version of this program`,
  });
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
  if (code === "SQLITE_BUSY" || code === "SQLITE_LOCKED") {
    return new StartError(
      {
        es: `Otro programa tiene ocupada la base de datos «${path}»`,
        en: `Another program is using the database “${path}”`,
      },
      error,
    );
  }
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
