import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";

import { Accounts, DELETED_NAME_PERIOD } from "../../../src/server/database/accounts.ts";
import { VERSIONS, USERS_COLUMNS } from "../../../src/server/database/schema.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function accountsOf(...names: string[]): Accounts {
  const database = new Database(":memory:", { strict: true });
  database.run(`CREATE TABLE users ${USERS_COLUMNS}`);
  for (const script of VERSIONS) database.run(script);
  const accounts = new Accounts(database);
  for (const username of names) accounts.add({ username, hash: "h", email: "" }, NOW);
  return accounts;
}

test("accounts are listed page by page in the order of their folds, each once", () => {
  const accounts = accountsOf("zoe", "Ana", "bob", "ÁNGEL", "Carl");
  const listed: string[] = [];
  for (let after = ""; ;) {
    const page = accounts.page(after, 2);
    if (page.length === 0) break;
    listed.push(...page.map(({ username }) => username));
    after = page.at(-1)?.fold ?? "";
  }
  expect(listed).toEqual(["Ana", "bob", "Carl", "zoe", "ÁNGEL"]);
  expect(accounts.page("", 1)[0]).toMatchObject({
    created_at: "2026-01-02 03:04:05",
    disabled: 0,
    email: "",
  });
});

test("an account is disabled and enabled by its id, and no other account changes", () => {
  const accounts = accountsOf("ana", "bob");
  const ana = accounts.find("ANA");
  accounts.setDisabled(ana?.id ?? 0, true);
  expect(accounts.find("ana")?.disabled).toBe(1);
  expect(accounts.find("bob")?.disabled).toBe(0);
  accounts.setDisabled(ana?.id ?? 0, false);
  expect(accounts.find("ana")?.disabled).toBe(0);
});

test("a deleted account's name is taken until its last certificate has expired", () => {
  const accounts = accountsOf("ana");
  const ana = accounts.find("ana");
  if (ana === undefined) throw new Error("no account");
  accounts.delete(ana, NOW);
  expect(accounts.find("ana")).toBeUndefined();
  expect(accounts.isTaken("ANA", NOW + DELETED_NAME_PERIOD - 1)).toBe(true);
  expect(accounts.isTaken("ANA", NOW + DELETED_NAME_PERIOD)).toBe(false);
});
