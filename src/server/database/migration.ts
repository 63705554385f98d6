/**
 * The migration of a legacy `users.db`, which stores passwords in plain text (PROTOCOL 4). After a crash the next start
 * continues with the step that was interrupted:
 *
 * 1. `users_taken` (our columns) and `users_refused` are made beside the legacy `users`; our `application_id`,
 *    still without a version, marks that a migration was begun.
 * 2. Rows are hashed and written there, some in one transaction. An id in one of the two tables marks its row as
 *    done.
 * 3. In one transaction `users` is dropped and `users_taken` takes its name; the table `takeover_done` marks that.
 * 4. The old journal is removed, VACUUM rewrites the file, the log is truncated, the mode becomes 0600.
 * 5. In one transaction the caller makes our other tables, drops `takeover_done` and sets `user_version`: from then
 *    on this is our database.
 *
 * The names of these tables must stay: a migration may have been begun by an earlier version.
 */
import type { Database } from "bun:sqlite";
import { existsSync, unlinkSync } from "node:fs";
import { availableParallelism } from "node:os";

import { RENDEZVOUS_COMMON_NAME } from "../../identity/certificate.ts";
import { fold, isOldNameAcceptable } from "../../identity/names.ts";
import { hasLongMarkRun, normalForm } from "../../protocol/normal-form.ts";
import { hashPassword } from "./password-hash.ts";
import { APPLICATION_ID, makePrivate, tableNames, USERS_COLUMNS } from "./schema.ts";

export type MigrationStep =
  | { readonly name: "begin" }
  | { readonly name: "hash"; readonly done: number; readonly total: number }
  | { readonly name: "swap" }
  | { readonly name: "clean" }
  | { readonly name: "vacuum" }
  | { readonly name: "truncate" }
  | { readonly name: "finish" };

/** Rows hashed and committed together; after a crash at most these are hashed again. */
const BATCH = 32;

/** The name in the server's own certificate, which no user may have. */
const SERVER_FOLD = fold(RENDEZVOUS_COMMON_NAME);

type LegacyRow = { id: number; username: unknown; password: unknown; email: unknown; created_at: unknown };

/** Migrates the rows of the legacy `users`. The database is in WAL mode with secure_delete on. */
export async function migrate(
  database: Database,
  path: string,
  onStep: (step: MigrationStep) => void = () => undefined,
): Promise<void> {
  if (!tableNames(database).has("takeover_done")) {
    onStep({ name: "begin" });
    database.transaction(() => {
      database.run(`CREATE TABLE IF NOT EXISTS users_taken ${USERS_COLUMNS}`);
      database.run(`CREATE TABLE IF NOT EXISTS users_refused
        (id INTEGER PRIMARY KEY, username TEXT, password TEXT NOT NULL, email TEXT, created_at TIMESTAMP)`);
      database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    })();
    await hashRows(database, onStep);
    onStep({ name: "swap" });
    database.transaction(() => {
      database.run("DROP TABLE users");
      database.run("ALTER TABLE users_taken RENAME TO users");
      database.run("CREATE TABLE takeover_done (id INTEGER PRIMARY KEY)");
    })();
  }
  onStep({ name: "clean" });
  // A journal left by PERSIST mode or a crash holds old pages with passwords.
  if (existsSync(`${path}-journal`)) unlinkSync(`${path}-journal`);
  onStep({ name: "vacuum" });
  database.run("VACUUM");
  onStep({ name: "truncate" });
  truncateLog(database);
  makePrivate(path);
  onStep({ name: "finish" });
}

/** Names that could not be kept (their rows are in `users_refused`), in the order of their ids. */
export function refusedNames(database: Database): string[] {
  if (!tableNames(database).has("users_refused")) return [];
  const rows = database
    .query<{ username: string | null }, []>("SELECT username FROM users_refused ORDER BY id")
    .all();
  return rows.map((row) => row.username ?? "");
}

async function hashRows(database: Database, onStep: (step: MigrationStep) => void): Promise<void> {
  const columns = new Set(
    database
      .query<{ name: string }, []>("PRAGMA table_info(users)")
      .all()
      .map((column) => column.name),
  );
  const optional = (column: string) => (columns.has(column) ? column : `NULL AS ${column}`);
  const rows = database
    .query<LegacyRow, []>(
      `SELECT id, username, password, ${optional("email")}, ${optional("created_at")} FROM users ORDER BY id`,
    )
    .all();
  const marked = new Set(
    database
      .query<{ id: number }, []>("SELECT id FROM users_taken UNION ALL SELECT id FROM users_refused")
      .all()
      .map((row) => row.id),
  );
  const take = database.query(
    "INSERT INTO users_taken (id, username, password, email, created_at, fold) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const refuse = database.query(
    "INSERT INTO users_refused (id, username, password, email, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  const folds = new Set<string>();
  const waiting: { row: LegacyRow; username: string; fold: string | undefined }[] = [];
  for (const row of rows) {
    const stored = asText(row.username);
    const username = normalForm(stored);
    const folded = isOldNameAcceptable(username) && !hasLongMarkRun(stored) ? fold(username) : undefined;
    const isKept = folded !== undefined && folded !== SERVER_FOLD && !folds.has(folded);
    if (isKept) folds.add(folded);
    if (!marked.has(row.id)) waiting.push({ row, username, fold: isKept ? folded : undefined });
  }
  for (let start = 0; start < waiting.length; start += BATCH) {
    onStep({ name: "hash", done: rows.length - waiting.length + start, total: rows.length });
    const batch = waiting.slice(start, start + BATCH);
    const hashes = await hashAll(batch.map(({ row }) => normalForm(asText(row.password))));
    database.transaction(() => {
      batch.forEach(({ row, username, fold: folded }, index) => {
        const hash = hashes[index] as string;
        const email = row.email === null ? null : asText(row.email);
        const made = row.created_at === null ? null : asText(row.created_at);
        if (folded === undefined) refuse.run(row.id, username, hash, email, made);
        else take.run(row.id, username, hash, email, made, folded);
      });
    })();
  }
}

/** Uses every core: no client is served yet. */
async function hashAll(passwords: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  const width = availableParallelism();
  for (let start = 0; start < passwords.length; start += width) {
    hashes.push(...(await Promise.all(passwords.slice(start, start + width).map(hashPassword))));
  }
  return hashes;
}

function asText(value: unknown): string {
  if (typeof value === "string") return value.toWellFormed();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  return value === null || value === undefined ? "" : String(value);
}

function truncateLog(database: Database): void {
  const result = database.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get();
  if (result?.busy !== 0) throw Object.assign(new Error("the log is in use"), { code: "SQLITE_BUSY" });
}
