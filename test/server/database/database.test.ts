import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { openDatabase, openOwnDatabase } from "../../../src/server/database/database.ts";
import { recognize, USERS_COLUMNS, VERSIONS } from "../../../src/server/database/schema.ts";
import { inTemporaryFolder } from "../../client/test-profile.ts";

const earlier = VERSIONS.map((_, index) => index + 1).slice(0, -1);

describe.each(earlier)("a database of version %d", (version) => {
  const withOld = (use: (path: string) => Promise<void>) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "users.db");
      const old = new Database(path, { create: true, strict: true });
      old.run(readFileSync(join(import.meta.dir, "databases", `version-${version}.sql`), "utf8"));
      expect(recognize(old)).toBe("ours");
      old.close();
      await use(path);
    });

  test.each([
    ["the server", (path: string) => openDatabase(path)],
    ["the operator's command", (path: string) => openOwnDatabase(path, 0)],
  ])("gets the table when %s opens it, and keeps its accounts", (_who, openAs) =>
    withOld(async (path) => {
      const opened = await openAs(path);
      expect(opened.query("PRAGMA user_version").get()).toEqual({ user_version: VERSIONS.length });
      expect(opened.query("SELECT username FROM users").all()).toEqual([
        { username: "Benito" },
        { username: "ana" },
      ]);
      expect(opened.query("SELECT * FROM tokens").all()).toHaveLength(2);
      expect(opened.query("SELECT * FROM revocations").all()).toEqual([]);
      opened.close();
    }),
  );

  test("has the same schema then as a new one", () =>
    withOld(async (path) => {
      const schema = (from: Database) =>
        from.query("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all();
      const fresh = new Database(":memory:");
      fresh.run(`CREATE TABLE users ${USERS_COLUMNS}`);
      for (const script of VERSIONS) fresh.run(script);
      const opened = await openDatabase(path);
      expect(schema(opened)).toEqual(schema(fresh));
      opened.close();
    }));
});
