import { Database } from "bun:sqlite";
import { beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { label } from "../../../src/identity/names.ts";
import { revokes, type DatedCertificate, type Revocation } from "../../../src/identity/revocation.ts";
import { MAX_REVOKED } from "../../../src/protocol/rendezvous-messages.ts";
import type { Account } from "../../../src/server/database/accounts.ts";
import { openDatabase, openOwnDatabase } from "../../../src/server/database/database.ts";
import {
  MAX_OWN_REVOCATIONS,
  Revocations,
  type RevocationCause,
} from "../../../src/server/database/revocations.ts";
import { recognize, USERS_COLUMNS, VERSIONS } from "../../../src/server/database/schema.ts";
import { inTemporaryFolder } from "../../client/test-profile.ts";

const HOUR = 3_600_000;
const NOON = Date.UTC(2027, 0, 15, 12);
const SECOND = NOON / 1_000;
const OPERATOR: RevocationCause = { name: "operator" };
const DELETION: RevocationCause = { name: "deletion" };
const changed = (key?: string): RevocationCause => ({ name: "password", key });
const [KEY, OTHER] = ["1".repeat(64), "2".repeat(64)];

let database: Database;
let revocations: Revocations;
let now: number;
let certified: number;
let made: Revocation[];
let dropped: number;

beforeEach(() => {
  database = new Database(":memory:", { strict: true });
  for (const script of VERSIONS) database.run(script);
  [now, certified, made, dropped] = [NOON, 0, [], 0];
  revocations = new Revocations(database, {
    now: () => now,
    lastCertified: () => certified,
    made: (revocation) => made.push(revocation),
    dropped: (count) => (dropped += count),
  });
});

function accountOf(username: string): Account {
  return { id: 1, username, fold: username, password: "", disabled: 0 };
}

function revoke(username: string, cause = OPERATOR): Revocation | undefined {
  made = [];
  revocations.revoke(accountOf(username), cause, () => undefined);
  return made[0];
}

describe("a revocation", () => {
  test("is of the second after it was made, in whole seconds", () => {
    now += 999;
    expect(revoke("ana")).toEqual({ label: label("ana"), before: SECOND + 1, except: undefined });
    expect(revocations.page()).toEqual({ revoked: made, next: undefined });
    expect(revocations.since(label("ana"))).toBe((SECOND + 1) * 1_000);
    expect(revocations.since(label("berta"))).toBe(0);
  });

  test("is stored with its change, or neither is", () => {
    database.run("CREATE TABLE changes (what TEXT)");
    const fails = () => {
      database.run("INSERT INTO changes VALUES ('made')");
      throw new Error("the disk is full");
    };
    expect(() => revocations.revoke(accountOf("ana"), OPERATOR, fails)).toThrow("the disk is full");
    expect(database.query("SELECT * FROM changes").all()).toEqual([]);
    expect(revocations.page().revoked).toEqual([]);
    expect(made).toEqual([]);
  });

  test("comes after certificates of the same second, and replaces the earlier ones whose work it does", () => {
    revoke("ana", changed(KEY));
    expect(revoke("ana", DELETION)?.before).toBe(SECOND + 2);
    expect(revocations.page().revoked).toEqual(made);
    expect(revoke("ana")?.before).toBe(SECOND + 3);
    expect(revocations.page().revoked).toEqual(made);
    expect(revoke("ana")?.before).toBe(SECOND + 4);
    expect(revocations.page().revoked).toEqual(made);
  });

  test("that excepts a key makes nothing good that was taken back before", () => {
    const stolen = { label: label("ana"), notBefore: NOON - HOUR, fingerprint: KEY };
    const isRevoked = (certificate: DatedCertificate) =>
      revocations.page().revoked.some((each) => revokes(each, certificate));
    revoke("ana", OPERATOR);
    for (const key of [KEY, OTHER, KEY, KEY, OTHER]) {
      now += HOUR + 1_000;
      expect(revoke("ana", changed(key))).toMatchObject({ except: key });
      expect(isRevoked(stolen)).toBe(true);
      expect(isRevoked({ ...stolen, notBefore: now - HOUR, fingerprint: key })).toBe(false);
      expect(revocations.page().revoked.length).toBeLessThanOrEqual(3);
    }
  });

  test("of the operator gives a person no further ones", () => {
    revoke("ana", changed(undefined));
    revoke("ana", OPERATOR);
    expect(revoke("ana", changed(undefined))).toBeDefined();
    expect(revoke("ana", changed(undefined))).toBeUndefined();
    expect(revoke("ana", changed(KEY))).toBeUndefined();
  });

  test("that a changed password makes excepts its key, and follows another one after an hour only", () => {
    expect(revoke("ana", changed(KEY))).toMatchObject({ except: KEY });
    now += HOUR - 1_000;
    expect(revoke("ana", changed(KEY))).toBeUndefined();
    expect(revoke("berta", changed(KEY))).toBeDefined();
    expect(revoke("ana", OPERATOR)).toEqual({
      label: label("ana"),
      before: SECOND + 3_600,
      except: undefined,
    });
    now += HOUR + 1_000;
    expect(revoke("ana", changed(KEY))?.except).toBe(KEY);
    expect(revoke("ana", DELETION)).toBeDefined();
  });

  test("is told for 73 hours after its second", () => {
    revoke("ana");
    now = NOON + 1_000 + 73 * HOUR - 1;
    expect(revocations.page().revoked.length).toBe(1);
    now++;
    expect(revocations.page().revoked).toEqual([]);
  });

  test("is not lost if the clock was days ahead for a while", () => {
    revoke("ana");
    now += 7 * 24 * HOUR;
    revoke("berta");
    now = NOON;
    expect(revocations.page().revoked.map((each) => each.label)).toContain(label("ana"));
  });
});

describe("after the clock was set back", () => {
  test("a revocation takes back what was certified before, and what an earlier one has allowed", () => {
    certified = NOON + 500;
    now = NOON - 48 * HOUR;
    expect(revoke("ana")?.before).toBe(SECOND + 1);
    certified = 0;
    expect(revoke("ana")?.before).toBe(SECOND + 2);
    expect(revocations.since(label("ana"))).toBe((SECOND + 2) * 1_000);
  });

  test("a revocation of a clock that was years ahead does not lock the account out", () => {
    now += 10 * 365 * 24 * HOUR;
    revoke("ana");
    now = NOON;
    expect(revocations.since(label("ana"))).toBe(0);
    expect(revocations.page().revoked).toEqual([]);
    expect(revoke("ana")?.before).toBe(SECOND + 1);
  });

  test("certificates from the far future do not hold an account back for years", () => {
    certified = NOON + 10 * 365 * 24 * HOUR;
    expect(revoke("ana")?.before).toBe(SECOND + 73 * 3_600 + 1);
  });
});

test("pages hold 300, the newest first, and together all", () => {
  for (let count = 0; count < 2 * MAX_REVOKED + 50; count++) {
    // Ten of a second, so that a page ends between some of one second.
    now = NOON + Math.floor(count / 10) * 1_000;
    revoke(`user${count}`);
  }
  const pages: (readonly Revocation[])[] = [];
  for (let page = revocations.page(); ; page = revocations.page(page.next)) {
    pages.push(page.revoked);
    // New ones do not disturb those that follow.
    revoke(`later${pages.length}`);
    if (page.next === undefined) break;
  }
  expect(pages.map((page) => page.length)).toEqual([300, 300, 50]);
  const all = pages.flat();
  expect(new Set(all.map((each) => each.label)).size).toBe(650);
  expect(all.map(({ before }) => before)).toEqual(all.map(({ before }) => before).toSorted((a, b) => b - a));
});

test("the first page holds what was revoked in this very second, and not what has ended since", () => {
  expect(revocations.page().revoked).toEqual([]);
  revoke("ana");
  expect(revocations.page().revoked).toMatchObject([{ label: label("ana") }]);
  now += 74 * HOUR;
  expect(revocations.page().revoked).toEqual([]);
});

test("of people's own the newest 20,000 are kept, of the operator's all", () => {
  revoke("of the operator");
  revoke("of the operator", DELETION);
  const insert = database.query("INSERT INTO revocations VALUES (?, ?, NULL, 0)");
  database.transaction(() => {
    for (let count = 0; count < MAX_OWN_REVOCATIONS; count++)
      insert.run(label(`user${count}`), SECOND - count);
  })();
  revoke("ana", DELETION);
  expect(dropped).toBe(2);
  const count = database.query<{ count: number }, []>("SELECT count(*) AS count FROM revocations").get();
  expect(count?.count).toBe(MAX_OWN_REVOCATIONS + 1);
  expect(revocations.since(label("user19998"))).toBe(0);
  expect(revocations.since(label("user19997"))).toBeGreaterThan(0);
  expect(revocations.since(label("of the operator"))).toBeGreaterThan(0);
});

describe("a database of version 1", () => {
  const withOld = (use: (path: string) => Promise<void>) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "users.db");
      (await openDatabase(path)).close();
      const old = new Database(path, { strict: true });
      old.run("DROP TABLE revocations");
      old.run("INSERT INTO users (username, password, fold) VALUES ('Ana', 'hash', 'ana')");
      old.run("PRAGMA user_version = 1");
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
      expect(opened.query("SELECT username FROM users").all()).toEqual([{ username: "Ana" }]);
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
