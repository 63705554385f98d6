import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";

import { fingerprint } from "../../../src/identity/fingerprint.ts";
import { VERSIONS, USERS_COLUMNS } from "../../../src/server/database/schema.ts";
import { MAX_TOKENS, TOKEN_LIFETIME, tokenId, Tokens } from "../../../src/server/database/tokens.ts";

const NOW = Date.UTC(2026, 0, 1);
const KEY = Buffer.alloc(44, 7);

function tokensOfOne(): { tokens: Tokens; database: Database } {
  const database = new Database(":memory:", { strict: true });
  database.run(`CREATE TABLE users ${USERS_COLUMNS}`);
  for (const script of VERSIONS) database.run(script);
  database.run("INSERT INTO users (id, username, password, fold) VALUES (1, 'ana', 'h', 'ana')");
  return { tokens: new Tokens(database), database };
}

test("a stored token shows its last use, also before that is written", () => {
  const { tokens, database } = tokensOfOne();
  const first = tokens.issue(1, KEY, NOW);
  const second = tokens.issue(1, KEY, NOW + 1);
  tokens.use(first.token, KEY, NOW + 60_000);
  expect(database.query("SELECT max(last_used) AS at FROM tokens").get()).toEqual({ at: NOW + 1 });
  const stored = tokens.stored(1, NOW + 60_000);
  expect(stored.map(({ lastUsed }) => lastUsed)).toEqual([NOW + 60_000, NOW + 1]);
  expect(stored.map(({ hash }) => tokenId(hash))).toEqual([tokenId(first.hash), tokenId(second.hash)]);
  expect(stored[0]).toMatchObject({ madeAt: NOW });
});

test("a token that is void or out of date is not listed", () => {
  const { tokens } = tokensOfOne();
  const first = tokens.issue(1, KEY, NOW);
  const second = tokens.issue(1, KEY, NOW + 1_000);
  expect(tokens.stored(1, NOW + TOKEN_LIFETIME)).toHaveLength(1);
  tokens.void(second.hash);
  expect(tokens.stored(1, NOW + 1_000).map(({ hash }) => tokenId(hash))).toEqual([tokenId(first.hash)]);
  expect(tokens.stored(2, NOW)).toEqual([]);
});

test("the operator's name for a token is not part of the token", () => {
  const { tokens } = tokensOfOne();
  const { token, hash } = tokens.issue(1, KEY, NOW);
  expect(tokenId(hash)).toMatch(/^[0-9a-f]{12}$/);
  expect(token).not.toContain(tokenId(hash));
  expect(tokens.use(tokenId(hash), KEY, NOW)).toBeUndefined();
});

test("a use that cannot be written still counts and is remembered", () => {
  const { tokens, database } = tokensOfOne();
  const { token } = tokens.issue(1, KEY, NOW);
  // As a full disk does: what is written fails, what is read does not.
  database.run("PRAGMA query_only = ON");
  expect(tokens.use(token, KEY, NOW + TOKEN_LIFETIME - 1)).toMatchObject({ userId: 1 });
  expect(tokens.use(token, KEY, NOW + 2 * TOKEN_LIFETIME - 2)).toMatchObject({ userId: 1 });
  expect(tokens.use(token, KEY, NOW + 3 * TOKEN_LIFETIME)).toBeUndefined();
  database.run("PRAGMA query_only = OFF");
  tokens.writeUses();
  expect(database.query("SELECT last_used FROM tokens").get()).toEqual({
    last_used: NOW + 2 * TOKEN_LIFETIME - 2,
  });
});

test("a clock that is wrong for a while does not end tokens: a last use is never set back", () => {
  const { tokens } = tokensOfOne();
  const { token } = tokens.issue(1, KEY, NOW);
  expect(tokens.use(token, KEY, NOW - 2 * TOKEN_LIFETIME)).toBeDefined();
  tokens.writeUses();
  expect(tokens.use(token, KEY, NOW + 1)).toBeDefined();
  // Refused while the clock is ahead, and good again when it is right.
  expect(tokens.use(token, KEY, NOW + 2 * TOKEN_LIFETIME)).toBeUndefined();
  expect(tokens.use(token, KEY, NOW + 2)).toBeDefined();
});

test("tokens of a wrong future are deleted before those of today", () => {
  const { tokens } = tokensOfOne();
  for (let count = 0; count < MAX_TOKENS; count++) tokens.issue(1, KEY, NOW + 10 * TOKEN_LIFETIME + count);
  const { token } = tokens.issue(1, KEY, NOW);
  for (let count = 1; count < MAX_TOKENS; count++) tokens.issue(1, KEY, NOW + count);
  expect(tokens.use(token, KEY, NOW + MAX_TOKENS)).toBeDefined();
});

test("a key that has logged in is known only for its user, even if its tokens are void", () => {
  const { tokens } = tokensOfOne();
  expect(tokens.knows(1, KEY)).toBe(false);
  const { hash } = tokens.issue(1, KEY, NOW);
  tokens.void(hash);
  expect([tokens.knows(1, KEY), tokens.knows(2, KEY), tokens.knows(1, Buffer.alloc(44, 8))]).toEqual([
    true,
    false,
    false,
  ]);
});

test("a logout voids the sessions of the same device only", () => {
  const { tokens } = tokensOfOne();
  const other = Buffer.alloc(44, 8);
  const own = [1, 2, 3].map(() => tokens.issue(1, KEY, NOW).token);
  const { token } = tokens.issue(1, other, NOW);
  tokens.voidKey(1, fingerprint(KEY));
  for (const each of own) expect(tokens.use(each, KEY, NOW)).toBeUndefined();
  expect(tokens.use(token, other, NOW)).toBeDefined();
});
