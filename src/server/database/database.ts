/**
 * The server's one file: accounts, tokens and the authority (PROTOCOL 3 and 4). An existing file is ours, empty, a
 * legacy database, which is migrated first, or refused.
 */
import type { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, realpathSync, statSync } from "node:fs";

import { StartError } from "../start-error.ts";
import { undoInterruptedRestore } from "./interrupted-restore.ts";
import {
  cannotLock,
  cannotOpen,
  damage,
  inUse,
  isDamage,
  damagedAtStart,
  moved,
  notMigrated,
  notOurs,
  tooNew,
} from "./database-errors.ts";
import { DatabaseLock } from "./database-lock.ts";
import { ExistingDatabase } from "./locked-database.ts";
import { migrate, type MigrationStep } from "./migration.ts";
import {
  APPLICATION_ID,
  makePrivate,
  movedTo,
  recognize,
  schemaVersion,
  SCHEMA_VERSION,
  USERS_COLUMNS,
  VERSIONS,
} from "./schema.ts";
import { quotedText } from "../../protocol/quoted-text.ts";

/** How long a write waits for another process that looks at the file, in ms. */
const BUSY_TIMEOUT = 2_000;

/** A database that no other server uses until it is closed. */
class OwnDatabase extends ExistingDatabase {
  readonly #lock: DatabaseLock;

  constructor(path: string, lock: DatabaseLock) {
    super(path, BUSY_TIMEOUT);
    this.#lock = lock;
  }

  override close(): void {
    super.close();
    this.#lock.release();
  }
}

type OpenOptions = {
  /** Called before each step of a migration. */
  readonly onStep?: ((step: MigrationStep) => void) | undefined;
  /** How long to wait for another server to end, in ms; `LOCK_PATIENCE` by default. */
  readonly patience?: number;
  /** Whether its pages are checked: 0.1 s for 100,000 accounts. */
  readonly isChecked?: boolean;
};

/**
 * Opens the database, which is made (mode 0600) or migrated if needed. Until it is closed, no other server can open it.
 * Its pages are checked, so that damage is found at the start and not at a login.
 * @param onStep called before each step of a migration.
 * @throws StartError for a file that cannot be opened, is not ours, or is in use by another server.
 */
export async function openDatabase(path: string, onStep?: (step: MigrationStep) => void): Promise<Database> {
  return open(path, { isChecked: true, onStep });
}

/**
 * As `openDatabase`, for a database that exists and is ours; does not make or migrate one, or check its pages.
 * @param patience how long to wait for another server to end, in ms.
 * @throws StartError; InUseError when another server has it.
 */
export async function openOwnDatabase(path: string, patience: number): Promise<Database> {
  requireOurs(path);
  return open(path, { patience });
}

/** @throws StartError unless the file exists and is a database of this program */
export function requireOurs(path: string): void {
  if (!existsSync(path)) {
    throw new StartError(
      {
        es: `No existe la base de datos «${quotedText(path)}»`,
        en: `There is no database “${quotedText(path)}”`,
      },
      undefined,
      "no_database",
    );
  }
  try {
    const real = realpathSync(path);
    if (!statSync(real).isFile()) throw notOurs(path);
    const kind = kindOfFile(real, path);
    if (kind === "empty") throw notOurs(path);
    if (kind === "legacy") throw notMigrated(path);
  } catch (error) {
    throw error instanceof StartError ? error : cannotOpen(path, error);
  }
}

async function open(path: string, { onStep, patience, isChecked = false }: OpenOptions): Promise<Database> {
  let lock: DatabaseLock | undefined;
  let database: OwnDatabase | undefined;
  try {
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
    // SQLite's files must stand beside the target of a link, and all names of the database must share one lock.
    const real = realpathSync(path);
    // The mode of a device or a folder must not be changed.
    if (!statSync(real).isFile()) throw notOurs(path);
    kindOfFile(real, path);
    lock = await acquireLock(path, real, patience);
    if (lock === undefined) throw inUse(path);
    undoInterruptedRestore(real);
    database = new OwnDatabase(real, lock);
    await prepare(database, real, onStep);
    if (isChecked) requireWhole(database);
    return database;
  } catch (error) {
    if (database === undefined) lock?.release();
    else database.close();
    if (error instanceof StartError) throw error;
    throw isChecked && isDamage(error) ? damagedAtStart(path, error) : cannotOpen(path, error);
  }
}

/**
 * Takes the lock of the database `path`, whose path without links is `real`.
 * @param patience how long to wait for another process that has it, in ms.
 * @returns undefined when it stays taken. @throws StartError when the lock file cannot be used.
 */
export async function acquireLock(
  path: string,
  real: string,
  patience?: number,
): Promise<DatabaseLock | undefined> {
  try {
    return await DatabaseLock.acquire(real, patience);
  } catch (error) {
    throw cannotLock(path, `${real}.lock`, error);
  }
}

/** Checks the pages. @throws an error that `isDamage` recognizes, with the first damage found */
function requireWhole(database: Database): void {
  const found = database.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
  if (found?.quick_check !== "ok") throw damage(String(found?.quick_check));
}

/** Looks at a file without changing it. @throws StartError unless it is empty, ours or legacy. */
function kindOfFile(real: string, path: string): "empty" | "legacy" | "ours" {
  const database = new ExistingDatabase(real, BUSY_TIMEOUT);
  try {
    return requireUsable(database, path);
  } finally {
    database.close();
  }
}

/** @throws StartError for a database of another program or of a later version, and for one that was moved. */
function requireUsable(database: Database, path: string): "empty" | "legacy" | "ours" {
  const kind = recognize(database);
  if (kind === "moved") throw moved(path, movedTo(database));
  if (kind === "newer") throw tooNew(path);
  if (kind === "foreign") throw notOurs(path);
  return kind;
}

async function prepare(
  database: Database,
  path: string,
  onStep?: (step: MigrationStep) => void,
): Promise<void> {
  // Again: another server may have migrated the file while we waited for its lock.
  const kind = requireUsable(database, path);

  // SQLite gives its log the mode of the file.
  makePrivate(path);
  // Before the first change: overwritten data must not stay readable, and a crash must not lose anything.
  database.run("PRAGMA secure_delete = ON");
  database.run("PRAGMA temp_store = MEMORY");
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA foreign_keys = ON");
  if (kind === "legacy") await migrate(database, path, onStep);
  const version = schemaVersion(database);
  if (version === SCHEMA_VERSION) return;
  database.transaction(() => {
    if (kind === "legacy") database.run("DROP TABLE takeover_done");
    if (kind === "empty") database.run(`CREATE TABLE users ${USERS_COLUMNS}`);
    for (const script of VERSIONS.slice(version)) database.run(script);
    database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  })();
}
