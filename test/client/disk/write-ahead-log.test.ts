import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { emptyLog, openStore, pragma } from "../../../src/client/disk/sqlite.ts";
import { lightly, WriteAheadLog } from "../../../src/client/disk/write-ahead-log.ts";

const FULL = 2;
const NORMAL = 1;
const SCHEMA = { applicationId: 1, versions: ["CREATE TABLE texts (text TEXT)"] };
const isLinux = process.platform === "linux";

let folder: string;
let file: string;
let database: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-log-"));
  file = join(folder, "a.db");
  database = openStore(file, SCHEMA);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = (text: string) => database.run("INSERT INTO texts VALUES (?)", [text]);
const level = () => pragma(database, "synchronous");

test.if(isLinux)("only a light commit is not synced by SQLite, unless it is a part of another one", () => {
  expect(lightly(database, level)).toBe(NORMAL);
  expect(level()).toBe(FULL);
  expect(() =>
    lightly(database, () => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(level()).toBe(FULL);
  expect(database.transaction(() => lightly(database, level))()).toBe(FULL);
});

/** The descriptors of this process that have the log open. */
function descriptors(): string[] {
  const all = readdirSync("/proc/self/fd");
  return all.filter((each) => {
    try {
      return readlinkSync(`/proc/self/fd/${each}`).startsWith(`${file}-wal`);
    } catch {
      // The one that lists them.
      return false;
    }
  });
}

test.if(isLinux)(
  "its file stays the one into which SQLite writes, whatever is done to it, until it is closed",
  () => {
    const log = new WriteAheadLog(database);
    const both = descriptors();
    expect(both).toHaveLength(2);
    const flags = both.map(
      (each) => /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${each}`, "utf8"))?.[1],
    );
    expect(flags.filter((each) => each?.endsWith("0"))).toHaveLength(1);
    const isSame = () => {
      write("text");
      const files = descriptors().map((each) => statSync(`/proc/self/fd/${each}`).ino);
      return files.length === 2 && files.every((ino) => ino === statSync(`${file}-wal`).ino);
    };
    expect(isSame()).toBe(true);
    expect(emptyLog(database)).toBe(true);
    expect(isSame()).toBe(true);
    database.run("VACUUM");
    expect(isSame()).toBe(true);
    const other = `const { Database } = require("bun:sqlite");
    const database = new Database(process.argv[1]);
    database.run("INSERT INTO texts VALUES ('theirs')");
    database.close();`;
    expect(Bun.spawnSync([process.execPath, "-e", other, file]).exitCode).toBe(0);
    expect(isSame()).toBe(true);
    log.close();
    expect(descriptors()).toHaveLength(1);
  },
);

test("its sync ends without an error, also at once", async () => {
  const log = new WriteAheadLog(database);
  lightly(database, () => write("text"));
  const { promise, resolve } = Promise.withResolvers<unknown>();
  log.sync(resolve);
  expect(await promise).toBeNull();
  log.syncNow();
  log.close();
});
