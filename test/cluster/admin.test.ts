/** The operator's commands on the store of several servers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";

import { PostgresStore } from "../../src/server/store/postgres-store.ts";
import { newToken, tokenId } from "../../src/server/store/session-token.ts";
import { cleanupsForEachTest } from "../integration/cleanups-for-each-test.ts";
import { admin as run, type Answer } from "../integration/server-admin-process.ts";
import { skipped, startPostgres, startRedis, whyNoPostgres, whyNoRedis, type Engine } from "./engines.ts";

const missing = whyNoPostgres() ?? whyNoRedis();
const cleanups = cleanupsForEachTest();
const KEY = Buffer.alloc(44, 7);

describe.skipIf(missing !== undefined)(`admin with PostgreSQL${skipped(missing)}`, () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let redis: Engine & { readonly url: string };
  let db: string;
  let store: PostgresStore;

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    db = postgres.url("postgres").replace("paloma@", "paloma:s3creto@");
  });
  afterAll(() => Promise.all([postgres.remove(), redis.remove()]));
  beforeEach(async () => {
    await using sql = new Bun.SQL(db, { max: 1 });
    await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    store = await PostgresStore.open(db, { now: Date.now });
    cleanups.push(() => store.close());
    await store.add({ username: "Ana", password: "h", email: "ana@example.org" });
    await store.add({ username: "beto", password: "h", email: "" });
  });

  const admin = (...args: string[]): Promise<Answer> =>
    run(db, ...args, "--shared", redis.url, "--lang", "en");

  /** A client of Redis, and what servers would read in it. */
  async function client(): Promise<Bun.RedisClient> {
    const opened = new Bun.RedisClient(redis.url);
    cleanups.push(() => opened.close());
    await opened.send("FLUSHALL", []);
    return opened;
  }

  async function news(from: Bun.RedisClient): Promise<string[][]> {
    const entries = (await from.send("XRANGE", ["p:news", "-", "+"])) as [string, string[]][];
    return entries.map(([, fields]) => fields);
  }

  async function issue(): Promise<string> {
    const { hash } = newToken();
    await store.issue({ id: 1, password: "h" }, hash, KEY);
    return hash;
  }

  test("makes, lists and changes accounts, and tells every server", async () => {
    const valkey = await client();
    const added = await admin("add", "Carla");
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(added.stdout).toStartWith("New password of “Carla”: ");
    const { objects } = await admin("users", "--json");
    expect(objects.map(({ username, online }) => [username, online])).toEqual([
      ["Ana", false],
      ["beto", false],
      ["Carla", false],
    ]);
    expect(await admin("disable", "ANA")).toMatchObject({
      code: 0,
      stdout: "“Ana”: account disabled\n",
      stderr: "",
    });
    expect((await store.account("ana"))?.account.disabled).toBe(true);
    const [stored] = await store.revocations();
    const [revoked, end] = await news(valkey);
    // First what is revoked, so that a client that comes back at once is told.
    expect(revoked).toEqual(["e", "revoked", "v", JSON.stringify(stored)]);
    expect(end).toEqual(["e", "end", "f", "ana", "w", "account_disabled"]);
    expect((await admin("reset-password", "beto")).code).toBe(0);
    expect((await admin("delete", "beto", "--yes")).code).toBe(0);
    expect((await news(valkey)).map((fields) => fields[1])).toEqual([
      "revoked",
      "end",
      "revoked",
      "end",
      "revoked",
      "end",
    ]);
    expect(await admin("enable", "nobody")).toMatchObject({ code: 1 });
  });

  test("shows sessions wherever they are, and the server's name", async () => {
    const valkey = await client();
    const hash = await issue();
    const record = [
      "uno.ab12",
      "7",
      "f".repeat(64),
      "1",
      "1700000000000",
      "192.0.2.7",
      "9001",
      "",
      "",
      "",
      "0",
      "",
    ];
    await valkey.send("HSET", ["p:users", "ana", [...record, tokenId(hash), "Ana"].join("\t")]);
    const { objects } = await admin("sessions", "--json");
    expect(objects).toMatchObject([
      { kind: "live", username: "Ana", id: tokenId(hash), address: "192.0.2.7", node: "uno.ab12" },
      { kind: "token", username: "Ana", id: tokenId(hash), address: null },
    ]);
    expect((await admin("sessions", "ana")).stdout).toContain(
      "online since 2023-11-14 22:13:20 UTC, 192.0.2.7, key",
    );
    expect((await admin("sessions", "ana")).stdout).toContain(", at uno.ab12\n");
    expect((await admin("users", "ana", "--json")).objects).toMatchObject([{ online: true }]);
    expect(await admin("revoke", "ana", tokenId(hash))).toMatchObject({ code: 0 });
    expect(await store.tokens([1])).toEqual([]);
    expect((await news(valkey)).map((fields) => fields[1])).toEqual(["revoked", "end"]);
  });

  test("changes accounts while the servers cannot be told, says so, and lists nothing then", async () => {
    await redis.stop();
    try {
      const disabled = await admin("disable", "ana");
      expect(disabled).toMatchObject({ code: 0, stdout: "“Ana”: account disabled\n" });
      expect(disabled.stderr).toStartWith(`Done, but the servers could not be told through “${redis.url}”`);
      expect((await store.account("ana"))?.account.disabled).toBe(true);
      const hash = await issue();
      const listed = await admin("sessions");
      expect(listed).toMatchObject({ code: 1, stdout: "" });
      expect(listed.stderr).toStartWith(`Cannot use “${redis.url}” (`);
      expect((await admin("revoke", "ana")).code).toBe(1);
      expect(await store.ended([{ userId: 2, key: undefined }])).toEqual([]);
      expect(hash).toBeDefined();
    } finally {
      await redis.start();
    }
  });

  test("says in one sentence that PostgreSQL cannot be reached, without its password", async () => {
    await postgres.stop();
    try {
      const answer = await admin("users", "--json");
      const shown = db.replace("paloma:s3creto@", "");
      expect(answer.code).toBe(1);
      expect(answer.stderr).toStartWith(`Cannot use “${shown}” (`);
      expect(answer.objects).toMatchObject([{ event: "error", code: "database_unavailable" }]);
      expect(answer.stderr + answer.stdout).not.toContain("s3creto");
    } finally {
      await postgres.start();
    }
  });

  test("leaves backups to PostgreSQL", async () => {
    for (const command of ["backup", "restore"]) {
      const answer = await admin(command, "copy.db");
      expect(answer).toMatchObject({
        code: 2,
        stderr: "That is for the database of a file; with PostgreSQL use pg_dump and pg_restore\n",
      });
    }
  });
});
