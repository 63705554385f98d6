import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { backUp } from "../../../src/server/admin/backup.ts";
import { restore } from "../../../src/server/admin/restore.ts";
import { openDatabase } from "../../../src/server/database/database.ts";
import { StartError } from "../../../src/server/start-error.ts";
import { SqliteStore } from "../../../src/server/store/sqlite-store.ts";

let folder: string;
let db: string;
let copy: string;
const nothing = () => undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-restore-"));
  db = join(folder, "users.db");
  copy = join(folder, "copy.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function add(database: Database, ...names: string[]): Promise<void> {
  const store = new SqliteStore(database, { now: Date.now });
  for (const username of names) await store.add({ username, password: "h", email: "" });
}

async function namesIn(path: string): Promise<string[]> {
  const store = new SqliteStore(await openDatabase(path), { now: Date.now });
  const names = (await store.page("", 10)).map(({ username }) => username);
  await store.close();
  return names;
}

/** A database with ana and its copy; then with beto too. */
async function make(): Promise<void> {
  const database = await openDatabase(db);
  await add(database, "ana");
  backUp(db, copy);
  await add(database, "beto");
  database.close();
}

test("a backup replaces the database, and the previous one is kept", async () => {
  await make();
  const restored = await restore(db, copy, nothing);
  expect(restored).toMatchObject({ users: 1, tokens: 0, before: `${db}.before-restore` });
  expect(readdirSync(folder).sort()).toEqual(["copy.db", "users.db", "users.db.before-restore"]);
  expect(statSync(db).mode & 0o777).toBe(0o600);
  expect(await namesIn(db)).toEqual(["ana"]);
  expect(await namesIn(`${db}.before-restore`)).toEqual(["ana", "beto"]);
  await expect(restore(db, copy, nothing)).rejects.toThrow("before-restore” already exists");
  expect(await namesIn(db)).toEqual(["ana"]);
});

test("a log that a crash left is kept with the old database, and not replayed over the backup", async () => {
  await make();
  const database = await openDatabase(db);
  await add(database, ...Array.from({ length: 300 }, (_, count) => `user${count}`));
  // What a crash would leave.
  const log = readFileSync(`${db}-wal`);
  database.close();
  writeFileSync(`${db}-wal`, log);
  await restore(db, copy, nothing);
  expect(existsSync(`${db}-wal`)).toBe(false);
  expect(readFileSync(`${db}.before-restore-wal`).equals(log)).toBe(true);
  expect(await namesIn(db)).toEqual(["ana"]);
});

test("a backup is restored where the database is missing or damaged", async () => {
  await make();
  const bytes = readFileSync(db);
  bytes.fill(0xff, 0, 12_288);
  writeFileSync(db, bytes);
  await restore(db, copy, nothing);
  expect(readFileSync(`${db}.before-restore`).equals(bytes)).toBe(true);
  const other = join(folder, "other.db");
  expect(await restore(other, copy, nothing)).toMatchObject({ users: 1, before: undefined });
  expect(await namesIn(other)).toEqual(["ana"]);
});

test("nothing changes if the database is in use or the backup is not valid", async () => {
  await make();
  const files = readdirSync(folder).sort();
  const damaged = join(folder, "damaged.db");
  copyFileSync(copy, damaged);
  const bytes = readFileSync(damaged);
  bytes.fill(0xff, 4_096, 12_288);
  writeFileSync(damaged, bytes);
  await expect(restore(db, damaged, nothing)).rejects.toThrow(`“${damaged}” is damaged`);
  rmSync(damaged);
  const foreign = join(folder, "foreign.txt");
  writeFileSync(foreign, "x".repeat(5_000));
  await expect(restore(db, foreign, nothing)).rejects.toThrow(StartError);
  rmSync(foreign);
  await expect(restore(db, join(folder, "none"), nothing)).rejects.toThrow("There is no database");
  const refuse = () => {
    throw new StartError({ es: "no", en: "no" });
  };
  await expect(restore(db, copy, refuse)).rejects.toThrow("no");
  expect(readdirSync(folder).sort()).toEqual(files);
  const database = await openDatabase(db);
  await expect(restore(db, copy, nothing)).rejects.toThrow("stop the server first");
  database.close();
  expect(await namesIn(db)).toEqual(["ana", "beto"]);
});

test("an error with the lock file names that file, not the database", async () => {
  (await openDatabase(db)).close();
  mkdirSync(`${db}.lock`);
  await expect(openDatabase(db)).rejects.toThrow(`Cannot open the lock file “${db}.lock”`);
});

test("a server does not start on a damaged database, and says what to do", async () => {
  const database = await openDatabase(db);
  await add(database, ...Array.from({ length: 500 }, (_, count) => `user${count}`));
  database.close();
  const bytes = readFileSync(db);
  // Pages of accounts, beyond those that every start reads.
  bytes.fill(0xff, bytes.length - 8_192);
  writeFileSync(db, bytes);
  const error = await openDatabase(db).catch((thrown: unknown) => thrown);
  expect((error as StartError).sentence.en).toMatch(
    /is damaged \(.+\): restore a backup with “admin restore”$/,
  );
  expect((error as StartError).code).toBe("damaged");
});

test.each([
  ["before the old log lost its name", () => linkSync(`${db}-wal`, `${db}.before-restore-wal`)],
  ["behind it", () => renameSync(`${db}-wal`, `${db}.before-restore-wal`)],
])("a restore that was cut off %s is undone, and what only the log knows is there", async (_, cut) => {
  const database = await openDatabase(db);
  await add(database, "ana");
  // What a crash would leave.
  for (const suffix of ["", "-wal"]) copyFileSync(db + suffix, `${copy}${suffix}`);
  database.close();
  for (const suffix of ["", "-wal"]) renameSync(`${copy}${suffix}`, db + suffix);
  linkSync(db, `${db}.before-restore`);
  cut();
  expect(await namesIn(db)).toEqual(["ana"]);
  expect(readdirSync(folder)).toEqual(["users.db"]);
});

test("a backup with a name that restores remove is refused, and stays", async () => {
  await make();
  for (const suffix of [".restoring", ".restoring.part"]) {
    copyFileSync(copy, db + suffix);
    await expect(restore(db, db + suffix, nothing)).rejects.toThrow("give the backup another name");
    expect(readFileSync(db + suffix).equals(readFileSync(copy))).toBe(true);
  }
  expect(await namesIn(db)).toEqual(["ana", "beto"]);
});
