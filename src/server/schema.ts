/** The tables of the server's database, and the files that they lie in. */
import type { Database } from "bun:sqlite";
import { chmodSync, existsSync } from "node:fs";

/** `PRAGMA user_version` of the schema below; the seed's databases have 0. */
export const SCHEMA_VERSION = 1;
/** The seed's columns first, as the seed has them; then ours. */
export const USERS_COLUMNS = `(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT UNIQUE NOT NULL,
  password TEXT NOT NULL,
  email TEXT,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  fold TEXT UNIQUE NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0
)`;

/** Everything beside `users`. Times are in ms since 1970. */
export const OTHER_TABLES = `
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

/** Names of all tables that SQLite itself did not make. */
export function tableNames(database: Database): Set<string> {
  const rows = database
    .query<{ name: string }, []>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all();
  return new Set(rows.map((row) => row.name));
}

/** Makes the file and what SQLite has put beside it readable by its owner alone. */
export function makePrivate(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    if (existsSync(path + suffix)) chmodSync(path + suffix, 0o600);
  }
}
