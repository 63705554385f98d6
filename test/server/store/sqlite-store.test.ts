import type { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDatabase } from "../../../src/server/database/database.ts";
import { newToken, tokenId } from "../../../src/server/store/session-token.ts";
import { SqliteStore } from "../../../src/server/store/sqlite-store.ts";
import { TOKEN_LIFETIME } from "../../../src/server/store/store.ts";
import { testStore } from "./store-contract.ts";

const NOW = Date.UTC(2026, 0, 1);
const KEY = Buffer.alloc(44, 7);

describe("a SQLite store", () => {
  testStore(async () => {
    const folder = mkdtempSync(join(tmpdir(), "paloma-store-"));
    const opened: Database[] = [];
    return {
      margin: 0,
      async open(now) {
        const database = await openDatabase(join(folder, "users.db"));
        // There is nothing to lose.
        database.run("PRAGMA synchronous = OFF");
        opened.push(database);
        return new SqliteStore(database, { now });
      },
      async fill(count, newest, labelOf) {
        const database = opened.at(-1) as Database;
        const insert = database.query("INSERT INTO revocations VALUES (?, ?, NULL, 0)");
        database.transaction(() => {
          for (let index = 0; index < count; index++) insert.run(labelOf(index), newest - index);
        })();
      },
      async remove() {
        opened.at(-1)?.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});

async function storeOfOne(): Promise<{ store: SqliteStore; database: Database; at: (now: number) => void }> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-store-"));
  const database = await openDatabase(join(folder, "users.db"));
  let now = NOW;
  const store = new SqliteStore(database, { now: () => now });
  await store.add({ username: "ana", password: "h", email: "" });
  return { store, database, at: (time) => (now = time) };
}

test("a last use counts before it is written", async () => {
  const { store, database, at } = await storeOfOne();
  const first = newToken().hash;
  await store.issue({ id: 1, password: "h" }, first, KEY);
  at(NOW + 60_000);
  await store.use(first, KEY);
  expect(database.query("SELECT last_used AS at FROM tokens").get()).toEqual({ at: NOW });
  expect(await store.tokens([1])).toMatchObject([{ lastUsed: NOW + 60_000 }]);
  await store.close();
});

test("a use that cannot be written still counts and is remembered", async () => {
  const { store, database, at } = await storeOfOne();
  const { hash } = newToken();
  await store.issue({ id: 1, password: "h" }, hash, KEY);
  // As a full disk does: what is written fails, what is read does not.
  database.run("PRAGMA query_only = ON");
  at(NOW + TOKEN_LIFETIME - 1);
  expect(await store.use(hash, KEY)).toMatchObject({ id: 1 });
  at(NOW + 2 * TOKEN_LIFETIME - 2);
  expect(await store.use(hash, KEY)).toMatchObject({ id: 1 });
  at(NOW + 3 * TOKEN_LIFETIME);
  expect(await store.use(hash, KEY)).toBeUndefined();
  database.run("PRAGMA query_only = OFF");
  await store.close();
});

test("the operator's name for a token is not part of the token", () => {
  const { token, hash } = newToken();
  expect(tokenId(hash)).toMatch(/^[0-9a-f]{12}$/);
  expect(token).not.toContain(tokenId(hash));
});

test("a revocation is stored with its change, or neither is", async () => {
  const { store, database } = await storeOfOne();
  database.run(
    "CREATE TEMP TRIGGER fails BEFORE INSERT ON main.revocations BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  await expect(store.setDisabled(1, true)).rejects.toThrow("full");
  expect(await store.byId(1)).toMatchObject({ disabled: false });
  await store.close();
});
