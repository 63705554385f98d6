/** The tables of the server's database, how it is recognized, and the mode of its files. */
import type { Database } from "bun:sqlite";
import { chmodSync, existsSync } from "node:fs";

/** `PRAGMA application_id`, "PALO": other programs use `user_version` too. */
export const APPLICATION_ID = 0x50_41_4c_4f;
/** The same of a database whose rows were moved to PostgreSQL, "PALM": earlier versions take it for a foreign one. */
const MOVED_ID = 0x50_41_4c_4d;
/** The legacy columns, unchanged, followed by ours. */
export const USERS_COLUMNS = `(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT UNIQUE NOT NULL,
  password TEXT NOT NULL,
  email TEXT,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  fold TEXT UNIQUE NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0
)`;

const LEGACY_COLUMNS: ReadonlySet<string> = new Set(["id", "username", "password", "email", "created_at"]);

/** Everything beside `users`. Times are in ms since 1970. */
const VERSION_1 = `
CREATE TABLE tokens (
  hash BLOB PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  public_key BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  last_used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tokens_of_user ON tokens (user_id, last_used);
CREATE TABLE known_keys (
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  public_key BLOB NOT NULL,
  last_used INTEGER NOT NULL,
  PRIMARY KEY (user_id, public_key)
) WITHOUT ROWID;
CREATE TABLE deleted_names (fold TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE authority (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  certificate TEXT NOT NULL,
  private_key TEXT NOT NULL
);
`;

/** Revocations; `before` is in s since 1970. */
const VERSION_2 = `
CREATE TABLE revocations (
  label TEXT NOT NULL,
  before INTEGER NOT NULL,
  except_key TEXT,
  by_operator INTEGER NOT NULL,
  PRIMARY KEY (label, before)
) WITHOUT ROWID;
CREATE INDEX revocations_by_time ON revocations (before, label);
CREATE INDEX own_revocations ON revocations (before, label) WHERE by_operator = 0;
`;

/** One script for each version of the schema, which makes it from the version before; only added to. */
export const VERSIONS: readonly string[] = [VERSION_1, VERSION_2];
/** `PRAGMA user_version` of the newest schema; legacy databases have 0. */
export const SCHEMA_VERSION = VERSIONS.length;

/** Marks a database as moved: no server opens it any more. @param to where its rows are, as it is shown. */
export function markMoved(database: Database, to: string): void {
  database.run("CREATE TABLE moved (destination TEXT NOT NULL)");
  database.query("INSERT INTO moved VALUES (?)").run(to);
  database.run(`PRAGMA application_id = ${MOVED_ID}`);
}

/** Where the rows of a database are that was moved. */
export function movedTo(database: Database): string {
  return (
    database.query<{ destination: string }, []>("SELECT destination FROM moved").get()?.destination ?? ""
  );
}

/** Excludes the tables of SQLite itself; in a `LIKE` pattern `_` would stand for any character. */
const NOT_OF_SQLITE = "lower(substr(name, 1, 7)) <> 'sqlite_'";

/** `legacy` includes a database whose migration has begun: it has our `application_id` and no version yet. */
export type DatabaseKind = "empty" | "legacy" | "ours" | "newer" | "moved" | "foreign";

/** Finds out what kind of database this is, without changing it. */
export function recognize(database: Database): DatabaseKind {
  const version = readNumber(database, "user_version");
  const application = readNumber(database, "application_id");
  if (application === APPLICATION_ID) {
    if (version === 0) return "legacy";
    if (version > SCHEMA_VERSION) return "newer";
    return version > 0 ? "ours" : "foreign";
  }
  if (application === MOVED_ID) return "moved";
  if (application !== 0 || version !== 0) return "foreign";
  const objects = database
    .query<{ type: string; name: string }, []>(
      `SELECT type, name FROM sqlite_master WHERE type <> 'index' AND ${NOT_OF_SQLITE}`,
    )
    .all();
  if (objects.length === 0) return "empty";
  const [only] = objects;
  const isUsers = objects.length === 1 && only?.type === "table" && only.name === "users";
  return isUsers && isLegacyUsers(database) ? "legacy" : "foreign";
}

/** Whether `users` has the legacy columns and none that a migration would lose. */
function isLegacyUsers(database: Database): boolean {
  const columns = database
    .query<{ name: string; type: string; pk: number; hidden: number }, []>("PRAGMA table_xinfo(users)")
    .all();
  const names = columns.map((column) => column.name);
  const key = columns.filter((column) => column.pk > 0);
  return (
    ["id", "username", "password"].every((name) => names.includes(name)) &&
    columns.every(({ name, hidden }) => LEGACY_COLUMNS.has(name) && hidden === 0) &&
    key.length === 1 &&
    key[0]?.name === "id" &&
    key[0].type.toUpperCase() === "INTEGER" &&
    database.query("PRAGMA foreign_key_list(users)").all().length === 0
  );
}

/** The version of the schema of a database that is ours or is being made. */
export function schemaVersion(database: Database): number {
  return readNumber(database, "user_version");
}

function readNumber(database: Database, pragma: string): number {
  const row = database.query<{ [name: string]: number }, []>(`PRAGMA ${pragma}`).get();
  return row?.[pragma] ?? 0;
}

/** The names of all tables but those of SQLite itself. */
export function tableNames(database: Database): Set<string> {
  const rows = database
    .query<{ name: string }, []>(`SELECT name FROM sqlite_master WHERE type = 'table' AND ${NOT_OF_SQLITE}`)
    .all();
  return new Set(rows.map((row) => row.name));
}

/** Makes the file, and what SQLite has put beside it, readable by its owner only. */
export function makePrivate(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    if (existsSync(path + suffix)) chmodSync(path + suffix, 0o600);
  }
}
