/**
 * The server's one file: accounts, tokens and the authority (PROTOCOL 3 and 4). What is found there is
 * ours, a seed's (taken over before anything else), new, or refused in one sentence.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, realpathSync, statSync } from "node:fs";

import { undoCutRestore } from "./cut-restore.ts";
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
import { takeOverSeed, type TakeoverStep } from "./migration.ts";
import {
  cannotLock,
  cannotOpen,
  inUse,
  isDamagedAtStart,
  damage,
  isDamage,
  notOurs,
  ofOldProgram,
  tooNew,
} from "./database-errors.ts";
import { StartError } from "../start-error.ts";

export { cannotOpen, InUseError, isDiskFull } from "./database-errors.ts";

/** How long a write waits for another process that looks at the file, in ms. */
const BUSY_TIMEOUT = 2_000;

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

type OpenOptions = {
  /** Told of each step of a takeover as it is about to be taken. */
  readonly onStep?: (step: TakeoverStep) => void;
  /** How long to wait for another server to end, in ms; a few seconds where it is absent. */
  readonly patience?: number;
  /** Whether its pages are looked at: 0.1 s for 100,000 accounts. */
  readonly isChecked?: boolean;
};

/**
 * Opens the database, making it (mode 0600) where there is none and taking over a seed's. `onStep` is
 * told of each step of a takeover as it is about to be taken. Until it is closed, no other server can
 * open it. Its pages are looked at: damage is told now, and not to somebody who logs in.
 * @throws StartError for a file that cannot be opened, is not ours, or is another server's now.
 */
export async function openDatabase(path: string, onStep?: (step: TakeoverStep) => void): Promise<Database> {
  return open(path, { isChecked: true, ...(onStep === undefined ? {} : { onStep }) });
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
    throw new StartError(
      { es: `No existe la base de datos «${path}»`, en: `There is no database “${path}”` },
      undefined,
      "no_database",
    );
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

async function open(path: string, { onStep, patience, isChecked = false }: OpenOptions): Promise<Database> {
  let lock: DatabaseLock | undefined;
  let database: OwnDatabase | undefined;
  try {
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
    // What SQLite puts beside a link's target must be found there, and one lock must serve all its names.
    const real = realpathSync(path);
    // A device or a folder would be given our mode.
    if (!statSync(real).isFile()) throw notOurs(path);
    refuseOthers(real, path);
    lock = await acquireLock(path, real, patience);
    if (lock === undefined) throw inUse(path);
    undoCutRestore(real);
    database = new OwnDatabase(real, lock);
    await prepare(database, real, onStep);
    if (isChecked) requireWhole(database);
    return database;
  } catch (error) {
    if (database === undefined) lock?.release();
    else database.close();
    if (error instanceof StartError) throw error;
    throw isChecked && isDamage(error) ? isDamagedAtStart(path, error) : cannotOpen(path, error);
  }
}

/** @throws StartError for a lock that cannot be tried at all */
async function acquireLock(
  path: string,
  real: string,
  patience: number | undefined,
): Promise<DatabaseLock | undefined> {
  try {
    return await DatabaseLock.acquire(real, patience);
  } catch (error) {
    throw cannotLock(path, `${real}.lock`, error);
  }
}

/** @throws an error that `isDamage` knows, with what SQLite found first as its code */
function requireWhole(database: Database): void {
  const found = database.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
  if (found?.quick_check !== "ok") throw damage(String(found?.quick_check));
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
