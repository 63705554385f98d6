import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { backUp } from "../../../src/server/admin/backup.ts";
import { openDatabase } from "../../../src/server/database/database.ts";
import { StartError } from "../../../src/server/start-error.ts";
import { newToken } from "../../../src/server/store/session-token.ts";
import { SqliteStore } from "../../../src/server/store/sqlite-store.ts";

let folder: string;
let db: string;
let copy: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-backup-"));
  db = join(folder, "users.db");
  copy = join(folder, "copy.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function make(): Promise<{ database: Database; store: SqliteStore }> {
  const database = await openDatabase(db);
  const store = new SqliteStore(database, { now: Date.now });
  for (const username of ["ana", "beto"]) await store.add({ username, password: "h", email: "" });
  await store.issue({ id: 1, password: "h" }, newToken().hash, Buffer.alloc(44));
  return { database, store };
}

test("a copy has the accounts, tokens and authority, is its owner's alone, and opens as a database", async () => {
  const { database, store } = await make();
  expect(backUp(db, copy)).toEqual({ users: 2, tokens: 1, bytes: statSync(copy).size });
  database.close();
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(["copy.db", "users.db"]);
  const opened = new SqliteStore(await openDatabase(copy), { now: Date.now });
  expect(opened.authority).toEqual(store.authority);
  expect((await opened.page("", 10)).map(({ username }) => username)).toEqual(["ana", "beto"]);
  await opened.close();
});

test("neither an existing file nor another backup's partial copy is overwritten", async () => {
  const { database } = await make();
  writeFileSync(copy, "mine");
  expect(() => backUp(db, copy)).toThrow(StartError);
  expect(readFileSync(copy, "utf8")).toBe("mine");
  expect(existsSync(`${copy}.part`)).toBe(false);
  const other = join(folder, "other.db");
  writeFileSync(`${other}.part`, "its");
  expect(() => backUp(db, other)).toThrow(StartError);
  expect(readFileSync(`${other}.part`, "utf8")).toBe("its");
  expect(existsSync(other)).toBe(false);
  database.close();
});

test("a database whose authority cannot be read gives no copy, and nothing is left behind", async () => {
  const { database } = await make();
  database.run("UPDATE authority SET private_key = 'nothing'");
  expect(() => backUp(db, copy)).toThrow(StartError);
  database.close();
  expect(readdirSync(folder)).toEqual(["users.db"]);
});

test("a database whose pages are damaged gives no copy, and the sentence names the database", async () => {
  const { database } = await make();
  database.close();
  const bytes = readFileSync(db);
  bytes.fill(0xff, 4_096, 12_288);
  writeFileSync(db, bytes);
  expect(() => backUp(db, copy)).toThrow(`“${db}” is damaged (SQLITE_CORRUPT)`);
  expect(readdirSync(folder)).toEqual(["users.db"]);
});

test("the name of a folder is refused, and nothing is made in it", async () => {
  const { database } = await make();
  expect(() => backUp(db, folder)).toThrow("is a folder: give the name of a file");
  expect(() => backUp(db, `${folder}/`)).toThrow("is a folder: give the name of a file");
  database.close();
  expect(readdirSync(folder)).toEqual(["users.db"]);
});

test("a file in a folder that does not exist is refused in one sentence", async () => {
  const { database } = await make();
  expect(() => backUp(db, join(folder, "none", "copy.db"))).toThrow("ENOENT");
  database.close();
});
