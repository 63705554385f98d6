import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { openDatabase } from "../../src/server/database/database.ts";
import { StartError } from "../../src/server/start-error.ts";
import { refusedNames } from "../../src/server/database/migration.ts";
import { guardNormalForms } from "../protocol/mark-floods.ts";
import { loginOf, TestClient } from "./rendezvous-test-client.ts";
import { ServerProcess, temporaryFolder } from "./server-process.ts";

const TIMEOUT = 120_000;
const LEGACY_TABLE = `CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL,
  password TEXT NOT NULL, email TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`;
/** Enough rows for several transactions. */
const ROWS = 34;

let folder: { path: string; remove: () => void };
let db: string;
beforeEach(() => {
  folder = temporaryFolder();
  db = join(folder.path, "users.db");
});
afterEach(() => folder.remove());

/** A database as the original program leaves it, readable by all. Passwords are long, so that no part of one is found by accident. */
function makeLegacy(rows: readonly (readonly [string, string])[], table = LEGACY_TABLE): void {
  const database = new Database(db, { create: true });
  database.run(table);
  const insert = database.query("INSERT INTO users (username, password) VALUES (?, ?)");
  for (const [name, password] of rows) insert.run(name, password);
  database.close();
  chmodSync(db, 0o644);
}

function crowd(): [string, string][] {
  return Array.from({ length: ROWS }, (_, index) => [`usuario${index}`, `clave-en-claro-${index}-fin`]);
}

/** Every file in the folder whose bytes hold the text. */
function filesWith(text: string): string[] {
  return readdirSync(folder.path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(folder.path, entry.name)).includes(text))
    .map(({ name }) => name);
}

type Row = {
  id: number;
  username: string;
  password: string;
  email: string | null;
  created_at: string | null;
};

function rows(): Row[] {
  const database = new Database(db, { readonly: true });
  const found = database.query<Row, []>("SELECT * FROM users ORDER BY id").all();
  database.close();
  return found;
}

test(
  "people of a legacy database log in with their old names and passwords, and no plain password is left",
  async () => {
    makeLegacy([
      ["maría", "clave-en-claro-de-maría"],
      ["x", "1"],
      ["con espacio", ""],
      ["Ana", "clave-en-claro-larga".repeat(50)],
    ]);
    const server = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", db]);
    await server.started();
    expect(filesWith("clave-en-claro")).toEqual([]);
    for (const name of readdirSync(folder.path))
      expect(statSync(join(folder.path, name)).mode & 0o777).toBe(0o600);
    const logins = [
      ["MARÍA", "clave-en-claro-de-maría"],
      ["x", "1"],
      ["con espacio", ""],
      ["ana", "clave-en-claro-larga".repeat(50)],
    ] as const;
    for (const [username, password] of logins) {
      const client = await TestClient.connect(server.plainPort);
      expect(await client.ask(loginOf(username, { password: `${password}.` }))).toMatchObject({
        code: "invalid_credentials",
      });
      expect(await client.ask(loginOf(username, { password }))).toMatchObject({ code: "ok" });
      client.close();
    }
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(filesWith("clave-en-claro")).toEqual([]);
    expect(readdirSync(folder.path).sort()).toEqual(["users.db", "users.db.audit.jsonl"]);
  },
  TIMEOUT,
);

describe("a crash during the migration", () => {
  test(
    "at any of its steps neither skips a row nor hashes one twice, and leaves no plain password in the end",
    async () => {
      const script = join(import.meta.dir, "migration-process.ts");
      const deadlySteps: number[] = [];
      for (let deadly = 0; ; deadly++) {
        folder.remove();
        folder = temporaryFolder();
        db = join(folder.path, "users.db");
        makeLegacy(crowd());
        const first = Bun.spawnSync([process.execPath, script, db, String(deadly)]);
        if (first.exitCode === 0) break;
        deadlySteps.push(deadly);
        expect(first.signalCode).toBe("SIGKILL");
        // And once more, at the first step of the second start.
        Bun.spawnSync([process.execPath, script, db, "0"]);
        const last = Bun.spawnSync([process.execPath, script, db, "none"]);
        expect(last.stderr.toString()).toBe("");
        expect(last.exitCode).toBe(0);
        const taken = rows();
        expect(taken.map((row) => row.username)).toEqual(crowd().map(([name]) => name));
        expect(filesWith("clave-en-claro")).toEqual([]);
        for (const index of [0, 31, 32, 33]) {
          const { password = "" } = taken[index] ?? {};
          expect(await Bun.password.verify(`clave-en-claro-${index}-fin`, password)).toBe(true);
        }
      }
      // Before it began, two transactions of rows, the swap, and what comes after it.
      expect(deadlySteps.length).toBe(8);
    },
    TIMEOUT,
  );
});

test("a password that looks like a hash of ours is hashed all the same", async () => {
  const hash = await Bun.password.hash("otra", { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 });
  makeLegacy([["lista", hash]]);
  (await openDatabase(db)).close();
  const [row] = rows();
  expect(row?.password).not.toBe(hash);
  expect(await Bun.password.verify(hash, row?.password ?? "")).toBe(true);
});

test("of names that differ only in case the lowest id is kept; the others and invalid names are listed", async () => {
  makeLegacy([
    ["Rosa", "clave-en-claro-1"],
    ["rosa", "clave-en-claro-2"],
    ["ro\u0007sa", "clave-en-claro-3"],
    ["x".repeat(65), "clave-en-claro-4"],
    ["x".repeat(64), "clave-en-claro-5"],
    ["Paloma Rendezvous", "clave-en-claro-6"],
  ]);
  const database = await openDatabase(db);
  expect(refusedNames(database)).toEqual(["rosa", "ro\u0007sa", "x".repeat(65), "Paloma Rendezvous"]);
  database.close();
  expect(rows().map((row) => row.username)).toEqual(["Rosa", "x".repeat(64)]);
  expect(await Bun.password.verify("clave-en-claro-1", rows()[0]?.password ?? "")).toBe(true);
  expect(filesWith("clave-en-claro")).toEqual([]);
});

test("names and passwords that are floods of marks are not normalised, and such a name is listed", async () => {
  const flood = `a${"\u0316\u0300".repeat(16_000)}`;
  const long = `a${"\u0316".repeat(31)}`;
  makeLegacy([
    ["ana", flood],
    [flood, "x"],
    [long, "x"],
    [long.slice(0, 31), "x"],
  ]);
  const release = guardNormalForms();
  const migrated = await openDatabase(db).finally(release);
  migrated.close();
  expect(rows().map((row) => row.username)).toEqual(["ana", long.slice(0, 31)]);
});

test("ids, emails and dates are kept; a table without them is migrated too", async () => {
  makeLegacy([["ana", "clave-en-claro"]]);
  const legacy = new Database(db);
  legacy.run("UPDATE users SET id = 41, email = 'ana@example.org', created_at = '2020-01-02 03:04:05'");
  legacy.close();
  (await openDatabase(db)).close();
  expect(rows()).toMatchObject([{ id: 41, email: "ana@example.org", created_at: "2020-01-02 03:04:05" }]);

  db = join(folder.path, "bare.db");
  makeLegacy(
    [
      ["beto", "clave-en-claro"],
      ["beto", "otra"],
    ],
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT)",
  );
  (await openDatabase(db)).close();
  expect(rows()).toMatchObject([{ id: 1, username: "beto", email: null }]);
});

test("an old journal that still holds passwords is removed", async () => {
  const legacy = new Database(db, { create: true });
  legacy.run("PRAGMA journal_mode = PERSIST");
  legacy.run(LEGACY_TABLE);
  legacy.run("INSERT INTO users (username, password) VALUES ('ana', 'clave-en-claro-vieja')");
  legacy.run("UPDATE users SET password = 'clave-en-claro-nueva'");
  legacy.close();
  expect(filesWith("clave-en-claro-vieja")).toContain("users.db-journal");
  (await openDatabase(db)).close();
  expect(filesWith("clave-en-claro")).toEqual([]);
});

test("an empty file and an empty legacy table become databases of ours", async () => {
  writeFileSync(db, "");
  (await openDatabase(db)).close();
  expect(rows()).toEqual([]);
  db = join(folder.path, "second.db");
  makeLegacy([]);
  (await openDatabase(db)).close();
  (await openDatabase(db)).close();
  expect(rows()).toEqual([]);
});

describe("another program's database is refused, and not a byte or a mode of it changes", () => {
  const users = "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT";
  const foreign: { readonly [what: string]: readonly string[] } = {
    "a column more": [`${users}, role TEXT)`],
    "a column that is computed": [`${users}, email TEXT AS (username || '@example.org'))`],
    "no id": ["CREATE TABLE users (username TEXT, password TEXT)"],
    "an id that is no number": ["CREATE TABLE users (id TEXT PRIMARY KEY, username TEXT, password TEXT)"],
    "another table": [LEGACY_TABLE, "CREATE TABLE songs (id INTEGER)"],
    "a table named almost as SQLite's own": [LEGACY_TABLE, "CREATE TABLE sqlites (id INTEGER)"],
    "a table that refers to users": [
      LEGACY_TABLE,
      "CREATE TABLE songs (owner INTEGER REFERENCES users (id))",
    ],
    "users that refer to users": [`${users}, email INTEGER REFERENCES users (id))`],
    "a view": [LEGACY_TABLE, "CREATE VIEW names AS SELECT username FROM users"],
    "a trigger": [LEGACY_TABLE, "CREATE TRIGGER t AFTER INSERT ON users BEGIN SELECT 1; END"],
    "a version": [LEGACY_TABLE, "PRAGMA user_version = 3"],
    "an application": [LEGACY_TABLE, "PRAGMA application_id = 7"],
    "only a view": ["CREATE VIEW one AS SELECT 1"],
  };
  test.each(Object.keys(foreign))("%s", async (what) => {
    const database = new Database(db, { create: true });
    for (const statement of foreign[what] ?? []) database.run(statement);
    database.close();
    chmodSync(db, 0o644);
    const before = { bytes: readFileSync(db), ...statSync(db) };
    const refusal = await openDatabase(db).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartError);
    expect((refusal as StartError).sentence.en).toEndWith("is not a database of this program");
    expect(readFileSync(db).equals(before.bytes)).toBe(true);
    expect(statSync(db)).toMatchObject({ mode: before.mode, mtimeMs: before.mtimeMs });
    expect(readdirSync(folder.path)).toEqual(["users.db"]);
  });
});
