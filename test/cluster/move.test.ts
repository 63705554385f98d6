/** `admin move`: a stopped server's file goes to PostgreSQL, whole or not at all. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { move } from "../../src/server/admin/move.ts";
import { openDatabase } from "../../src/server/database/database.ts";
import { PostgresStore } from "../../src/server/store/postgres-store.ts";
import { newToken } from "../../src/server/store/session-token.ts";
import { SqliteStore } from "../../src/server/store/sqlite-store.ts";
import { cleanupsForEachTest } from "../integration/cleanups-for-each-test.ts";
import { admin } from "../integration/server-admin-process.ts";
import { skipped, startPostgres, whyNoPostgres } from "./engines.ts";

const noPostgres = whyNoPostgres();
const cleanups = cleanupsForEachTest();
const KEY = Buffer.alloc(44, 7);
const now = Date.now;
const nothing = () => undefined;

describe.skipIf(noPostgres !== undefined)(`admin move${skipped(noPostgres)}`, () => {
  let engine: Awaited<ReturnType<typeof startPostgres>>;
  let to: string;
  let sql: InstanceType<typeof Bun.SQL>;
  let folder: string;
  let db: string;

  beforeAll(async () => {
    engine = await startPostgres();
    to = engine.url("postgres");
    sql = new Bun.SQL(to, { max: 1 });
  });
  afterAll(async () => {
    await sql.close();
    await engine.remove();
  });
  beforeEach(async () => {
    await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    folder = mkdtempSync(join(tmpdir(), "paloma-move-"));
    db = join(folder, "users.db");
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  });

  /** A file with people, tokens, a deleted name and revocations. */
  async function make(): Promise<{ store: SqliteStore; hash: string }> {
    const store = new SqliteStore(await openDatabase(db), { now });
    for (const username of ["Ana", "borrada", "ÁNGEL", "disabled", "última"]) {
      await store.add({ username, password: `hash of ${username}`, email: `${username}@example.org` });
    }
    const { hash } = newToken();
    await store.issue({ id: 1, password: "hash of Ana" }, hash, KEY);
    await store.delete(2, undefined, { name: "operator" });
    await store.delete(5, undefined, { name: "deletion" });
    await store.setDisabled(4, true);
    return { store, hash };
  }

  test("keeps ids, tokens, keys, revocations, deleted names and the authority, and leaves the file unusable", async () => {
    const { store, hash } = await make();
    const before = { page: await store.page("", 10), revocations: await store.revocations() };
    await store.close();
    expect(await move(db, to, nothing)).toEqual({ users: 3, tokens: 1, revocations: 3 });
    const moved = await PostgresStore.open(to, { now });
    cleanups.push(() => moved.close());
    expect(moved.authority).toEqual(store.authority);
    expect({ page: await moved.page("", 10), revocations: await moved.revocations() }).toEqual(before);
    expect(await moved.use(hash, KEY)).toMatchObject({ id: 1, username: "Ana", password: "hash of Ana" });
    expect((await moved.account("ana", KEY))?.isKnown).toBe(true);
    expect(await moved.isTaken("borrada")).toBe(true);
    // Ids of deleted accounts are not used again.
    await moved.add({ username: "nueva", password: "h", email: "" });
    expect((await moved.account("nueva"))?.account.id).toBe(6);

    await expect(openDatabase(db)).rejects.toMatchObject({ code: "moved_database" });
    await expect(move(db, to, nothing)).rejects.toMatchObject({ code: "moved_database" });
    const { code, stderr } = await admin(db, "users", "--lang", "en");
    expect([code, stderr]).toEqual([
      1,
      `“${db}” was moved to “${to.replace("paloma@", "")}”: give that address with --db\n`,
    ]);
  });

  test("copies more rows than one statement takes", async () => {
    const store = new SqliteStore(await openDatabase(db), { now });
    const database = new Database(db);
    database.run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
      INSERT INTO users (username, password, email, fold) SELECT 'u' || i, 'h', NULL, 'u' || i FROM n`);
    database.close();
    await store.close();
    expect(await move(db, to, nothing)).toMatchObject({ users: 2_500 });
    const [found] = await sql`SELECT count(*)::int AS count, max(id)::int AS last FROM users`;
    expect(found).toMatchObject({ count: 2_500, last: 2_500 });
  });

  test("is refused, and changes nothing, for a server that runs, and a database that is not empty", async () => {
    const { store } = await make();
    await expect(move(db, to, nothing)).rejects.toMatchObject({ code: "in_use" });
    await store.close();
    const other = await PostgresStore.open(to, { now });
    await other.add({ username: "someone", password: "h", email: "" });
    await other.close();
    await expect(move(db, to, nothing)).rejects.toMatchObject({ code: "not_empty" });
    expect([...(await sql`SELECT username FROM users`)]).toEqual([{ username: "someone" }]);
    (await openDatabase(db)).close();
  });

  test("names accounts whose texts PostgreSQL does not take, and moves none", async () => {
    const { store } = await make();
    await store.close();
    const database = new Database(db);
    database.run("UPDATE users SET email = 'a' || char(0) || 'b' WHERE id = 1");
    database.run("UPDATE users SET created_at = CAST(X'41FF' AS TEXT) WHERE id = 3");
    database.close();
    const refusal = expect(move(db, to, nothing)).rejects;
    await refusal.toMatchObject({ code: "not_movable", message: expect.stringMatching(/: Ana, ÁNGEL$/) });
    expect(await sql`SELECT relname FROM pg_class WHERE relname = 'users'`).toHaveLength(0);
    const kept = new SqliteStore(await openDatabase(db), { now });
    expect(await kept.page("", 10)).toHaveLength(3);
    await kept.close();
  });

  test("leaves the file as it was if PostgreSQL cannot be reached or refuses a row", async () => {
    const { store } = await make();
    await store.close();
    const nowhere = `postgres://paloma:s3creto@127.0.0.1:${engine.port}/nowhere`;
    const failed = await move(db, nowhere, nothing).catch((error: Error) => error.message);
    expect(failed).toBe(`Cannot use “postgres://127.0.0.1:${engine.port}/nowhere” (3D000)`);
    const database = new Database(db);
    database.run("PRAGMA foreign_keys = OFF");
    database.run("INSERT INTO known_keys VALUES (99, X'00', 1)");
    database.close();
    await expect(move(db, to, nothing)).rejects.toMatchObject({
      message: expect.stringContaining("(23503)"),
    });
    expect(await sql`SELECT relname FROM pg_class WHERE relname = 'users'`).toHaveLength(0);
    (await openDatabase(db)).close();
  });

  test("as a command says what it moved, records it, and never shows the password", async () => {
    const { store } = await make();
    await store.close();
    const url = to.replace("paloma@", "paloma:s3creto@");
    const shown = to.replace("paloma@", "");
    const moved = await admin(db, "move", "--to", url, "--lang", "en");
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    expect(moved.stdout).toBe(
      `Moved everything to “${shown}” (accounts: 3, sessions: 1, revocations: 3): start the servers with that address\n`,
    );
    const audit = readFileSync(`${db}.audit.jsonl`, "utf8");
    expect(JSON.parse(audit.trim().split("\n").at(-1) ?? "")).toMatchObject({
      event: "database_moved",
      to: shown,
      users: 3,
      by: "operator",
    });
    expect(audit).not.toContain("s3creto");
  });
});
