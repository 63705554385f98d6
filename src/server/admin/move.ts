/**
 * Moves everything that the file of a stopped server holds to an empty PostgreSQL database:
 *
 * 1. Take the file's lock, so that no server starts meanwhile.
 * 2. Read all texts. PostgreSQL takes neither NUL nor bytes that are not UTF-8: accounts that have them are named.
 * 3. In one transaction of PostgreSQL make the tables, copy all rows with their ids, and compare the counts.
 * 4. Mark the file as moved, so that no server opens it any more, and commit: first PostgreSQL, then the mark.
 *
 * If a step fails, the file is as it was, and the PostgreSQL database is empty.
 */
import type { Database } from "bun:sqlite";
import { SQL, type TransactionSQL } from "bun";

import { quotedText } from "../../protocol/quoted-text.ts";
import { cannotOpen, inUse } from "../database/database-errors.ts";
import { openOwnDatabase } from "../database/database.ts";
import { markMoved } from "../database/schema.ts";
import { shownServer } from "../place.ts";
import { StartError } from "../start-error.ts";
import { cannotUsePostgres } from "../store/open-postgres.ts";
import { prepareSchema } from "../store/postgres-schema.ts";

/** Rows of one statement. */
const BATCH = 1_000;
/** How long to wait for a server that is stopping, in ms. */
const PATIENCE = 1_000;
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Accounts that cannot be moved which are named; further ones are counted. */
const MAX_NAMED = 20;

/** How a table is read here and written there; texts are read as bytes, so that broken ones are noticed. */
type Table = { readonly name: string; readonly columns: readonly Column[] };
type Column = { readonly name: string; readonly kind: "number" | "bytes" | "text" | "boolean" };

const TABLES: readonly Table[] = [
  table("users", {
    id: "number",
    username: "text",
    password: "text",
    email: "text",
    created_at: "text",
    fold: "text",
    disabled: "boolean",
  }),
  table("tokens", {
    hash: "bytes",
    user_id: "number",
    public_key: "bytes",
    created_at: "number",
    last_used: "number",
  }),
  table("known_keys", { user_id: "number", public_key: "bytes", last_used: "number" }),
  table("deleted_names", { fold: "text", until: "number" }),
  table("authority", { certificate: "text", private_key: "text" }),
  table("revocations", { label: "text", before: "number", except_key: "text", by_operator: "boolean" }),
];

function table(name: string, columns: { readonly [name: string]: Column["kind"] }): Table {
  return { name, columns: Object.entries(columns).map(([column, kind]) => ({ name: column, kind })) };
}

export type Moved = { readonly users: number; readonly tokens: number; readonly revocations: number };

/**
 * @param to a `postgres://` URL
 * @param beforeMove called after all checks; if it throws, nothing is changed.
 * @throws StartError
 */
export async function move(path: string, to: string, beforeMove: () => void): Promise<Moved> {
  const database = await openOwnDatabase(path, PATIENCE).catch((error: unknown) => {
    throw error instanceof StartError && error.code === "in_use" ? serverRunning(path) : error;
  });
  const sql = new SQL(to, { max: 1, connectionTimeout: 10, connection: { application_name: "paloma-move" } });
  try {
    requireMovable(database, path);
    beforeMove();
    return await moveAll(database, path, sql, to);
  } finally {
    await sql.close({ timeout: 0 });
    database.close();
  }
}

async function moveAll(database: Database, path: string, sql: SQL, to: string): Promise<Moved> {
  const counts = new Map<string, number>();
  try {
    database.run("BEGIN IMMEDIATE");
    await sql.begin(async (transaction) => {
      await prepareSchema(transaction);
      await requireEmpty(transaction, to);
      for (const each of TABLES) counts.set(each.name, await copy(database, transaction, each));
      // Ids are never used again, those of deleted accounts neither.
      const last = database.query<{ seq: number }, []>(
        "SELECT seq FROM sqlite_sequence WHERE name = 'users'",
      );
      const seq = last.get()?.seq ?? 0;
      if (seq > 0) await transaction`SELECT setval(pg_get_serial_sequence('users', 'id'), ${seq})`;
      markMoved(database, shownServer(to));
    });
    database.run("COMMIT");
  } catch (error) {
    if (database.inTransaction) database.run("ROLLBACK");
    const isOwn = error instanceof Error && error.name === "SQLiteError";
    throw isOwn ? cannotOpen(path, error) : cannotUsePostgres(to, error);
  }
  const of = (name: string) => counts.get(name) ?? 0;
  return { users: of("users"), tokens: of("tokens"), revocations: of("revocations") };
}

/** @returns how many rows there are */
async function copy(database: Database, sql: TransactionSQL, { name, columns }: Table): Promise<number> {
  const rows = database.query<{ [column: string]: unknown }, []>(`SELECT ${selected(columns)} FROM ${name}`);
  let batch: { [column: string]: unknown }[] = [];
  let read = 0;
  const write = async () => {
    if (batch.length > 0) await sql`INSERT INTO ${sql(name)} ${sql(batch)}`;
    batch = [];
  };
  for (const row of rows.iterate()) {
    batch.push(Object.fromEntries(columns.map((column) => [column.name, written(column, row[column.name])])));
    read++;
    if (batch.length === BATCH) await write();
  }
  await write();
  const [found] = await sql`SELECT count(*) AS count FROM ${sql(name)}`;
  const there = Number((found as { count: string }).count);
  if (there !== read) throw new Error(`${name}: ${there} / ${read}`);
  return read;
}

function selected(columns: readonly Column[]): string {
  // An old database may hold numbers and bytes in the columns of texts.
  return columns
    .map(({ name, kind }) => (kind === "text" ? `CAST(${name} AS BLOB) AS ${name}` : name))
    .join(", ");
}

function written({ kind }: Column, value: unknown): unknown {
  if (value === null) return null;
  switch (kind) {
    case "text":
      return textOf(value);
    case "bytes":
      return Buffer.from(value as Uint8Array);
    case "boolean":
      return value !== 0;
    case "number":
      return value;
    default:
      return kind satisfies never;
  }
}

/** @throws TypeError for bytes that are not UTF-8 */
function textOf(value: unknown): string {
  return UTF_8.decode(value as Uint8Array);
}

/** @throws StartError that names the accounts whose texts PostgreSQL does not take */
function requireMovable(database: Database, path: string): void {
  const wrong: string[] = [];
  for (const { name, columns } of TABLES) {
    const texts = columns.filter(({ kind }) => kind === "text");
    if (texts.length === 0) continue;
    const shown = name === "users" ? "username" : texts[0]?.name;
    const rows = database.query<{ [column: string]: Uint8Array | null }, []>(
      `SELECT ${selected(texts)} FROM ${name}`,
    );
    for (const row of rows.iterate()) {
      const isWrong = texts.some((column) => !isMovable(row[column.name] ?? null));
      if (isWrong) wrong.push(Buffer.from(row[shown ?? ""] ?? "").toString());
    }
  }
  if (wrong.length === 0) return;
  const named = wrong
    .slice(0, MAX_NAMED)
    .map((each) => quotedText(each))
    .join(", ");
  const further = wrong.length - MAX_NAMED;
  const [es, en] = further > 0 ? [` y ${further} más`, ` and ${further} more`] : ["", ""];
  throw new StartError(
    {
      es: `En «${quotedText(path)}» hay textos con NUL o que no son UTF-8, que PostgreSQL no admite: ${named}${es}`,
      en: `“${quotedText(path)}” has texts with NUL, or that are not UTF-8, which PostgreSQL does not take: ${named}${en}`,
    },
    undefined,
    "not_movable",
  );
}

function isMovable(value: Uint8Array | null): boolean {
  if (value === null) return true;
  if (value.includes(0)) return false;
  try {
    textOf(value);
    return true;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return false;
  }
}

/** @throws StartError */
async function requireEmpty(sql: TransactionSQL, to: string): Promise<void> {
  for (const { name } of TABLES) {
    const found: unknown[] = await sql`SELECT 1 FROM ${sql(name)} LIMIT 1`;
    if (found.length === 0) continue;
    const shown = shownServer(to);
    throw new StartError(
      {
        es: `«${quotedText(shown)}» no está vacía: dé una base de datos vacía`,
        en: `“${quotedText(shown)}” is not empty: give an empty database`,
      },
      undefined,
      "not_empty",
    );
  }
}

function serverRunning(path: string): StartError {
  const { es, en } = inUse(path).sentence;
  return new StartError(
    { es: `${es}: pare antes el servidor`, en: `${en}: stop the server first` },
    undefined,
    "in_use",
  );
}
