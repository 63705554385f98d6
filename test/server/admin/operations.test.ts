import { Database } from "bun:sqlite";
import { beforeEach, describe, expect, test } from "bun:test";

import type { Revocation } from "../../../src/identity/revocation.ts";
import { Accounts } from "../../../src/server/database/accounts.ts";
import type { AdminReply, AdminRequest } from "../../../src/server/admin/messages.ts";
import { AdminOperations } from "../../../src/server/admin/operations.ts";
import type { HashOutcome } from "../../../src/server/limits/password-queue.ts";
import type { LogFields } from "../../../src/server/log/log.ts";
import { VERSIONS, USERS_COLUMNS } from "../../../src/server/database/schema.ts";
import { Revocations } from "../../../src/server/database/revocations.ts";
import { tokenId, Tokens } from "../../../src/server/database/tokens.ts";
import type { OnlineUser } from "../../../src/server/presence/online-user.ts";
import { Presence } from "../../../src/server/presence/presence.ts";

const NOW = Date.UTC(2026, 0, 1);
const KEY = Buffer.alloc(44, 7);

let accounts: Accounts;
let tokens: Tokens;
let revoked: Revocation[];
let online: Presence<OnlineUser>;
let recorded: [string, LogFields][];
let hashed: (password: string) => HashOutcome<string>;
let operations: AdminOperations;

beforeEach(() => {
  const database = new Database(":memory:", { strict: true });
  database.run(`CREATE TABLE users ${USERS_COLUMNS}`);
  for (const script of VERSIONS) database.run(script);
  accounts = new Accounts(database);
  tokens = new Tokens(database);
  revoked = [];
  online = new Presence();
  recorded = [];
  hashed = (password) => ({ name: "done", value: `hash of ${password}` });
  operations = new AdminOperations({
    accounts,
    tokens,
    revocations: new Revocations(database, {
      now: () => NOW,
      lastCertified: (id) => tokens.lastUse(id),
      made: (revocation) => revoked.push(revocation),
    }),
    security: { record: (event, fields) => recorded.push([event, fields]), close: () => undefined },
    now: () => NOW,
    presence: online,
    passwords: { hash: (_owner, password) => Promise.resolve(hashed(password)) },
  });
});

function make(username: string, email = ""): number {
  accounts.add({ username, hash: "old", email }, NOW);
  return accounts.find(username)?.id ?? 0;
}

function comeOnline(name: string, tokenHash?: string): void {
  const user: OnlineUser = {
    userId: accounts.find(name)?.id ?? 0,
    username: name,
    fold: name,
    since: NOW,
    ip: "192.0.2.1",
    p2pPort: 1,
    addresses: "",
    reach: undefined,
    isRelayOnly: false,
    key: tokenHash === undefined ? undefined : { fingerprint: "f".repeat(64), tokenHash },
    session: {
      isPlain: false,
      isLocal: false,
      isInside: false,
      network: "192.0.2.1",
      localAddress: "192.0.2.9",
      isLegacy: false,
      push: () => undefined,
      pushPresence: () => undefined,
      pushLine: () => undefined,
      end: () => online.leave(user),
      replaced: () => undefined,
    },
  };
  online.enter(user);
}

/** Every line of a listing, page by page; and how many pages there were. */
async function listing(first: AdminRequest & { after: string }): Promise<{ names: string[]; pages: number }> {
  const names: string[] = [];
  let pages = 0;
  for (let request = first; ;) {
    const reply = await operations.run(request);
    pages++;
    if (reply.name !== "users" && reply.name !== "sessions") throw new Error(JSON.stringify(reply));
    names.push(...(reply.name === "users" ? reply.users : reply.sessions).map(({ username }) => username));
    if (reply.next === undefined) return { names, pages };
    request = { ...request, after: reply.next };
  }
}

describe("listings", () => {
  test("show every account once, in the order of the folded names", async () => {
    const made = Array.from({ length: 1_234 }, (_, index) => `U${String(index).padStart(4, "0")}`);
    for (const name of made.toReversed()) make(name);
    const all = await listing({ command: "users", search: "", after: "" });
    expect(all.names).toEqual(made);
    // A search looks at a bounded number of accounts for each reply.
    const some = await listing({ command: "users", search: "u0999", after: "" });
    expect(some).toEqual({ names: ["U0999"], pages: 3 });
    const none = await listing({ command: "sessions", name: undefined, after: "" });
    expect(none.names).toEqual([]);
  });

  test("find names and email addresses in any case, and show who is online or disabled", async () => {
    make("Ana", "Ana@Example.org");
    make("ÁNGEL");
    accounts.setDisabled(make("beto", "beto@example.org"), true);
    comeOnline("ana");
    const reply = await operations.run({ command: "users", search: "EXAMPLE", after: "" });
    expect(reply).toEqual({
      name: "users",
      next: undefined,
      users: [
        {
          username: "Ana",
          email: "Ana@Example.org",
          made: "2026-01-01T00:00:00Z",
          online: true,
          disabled: false,
        },
        {
          username: "beto",
          email: "beto@example.org",
          made: "2026-01-01T00:00:00Z",
          online: false,
          disabled: true,
        },
      ],
    });
    expect(await listing({ command: "users", search: "áN", after: "" })).toMatchObject({ names: ["ÁNGEL"] });
  });

  test("show the live session beside the tokens, and which of them it uses", async () => {
    const id = make("ana");
    const first = tokens.issue(id, KEY, NOW);
    const second = tokens.issue(id, KEY, NOW + 1);
    comeOnline("ana", first.hash);
    const reply = await operations.run({ command: "sessions", name: "ANA", after: "" });
    const shown = reply.name === "sessions" ? reply.sessions.map((line) => [line.kind, line.id]) : [];
    expect(shown).toEqual([
      ["live", tokenId(first.hash)],
      ["token", tokenId(second.hash)],
      ["token", tokenId(first.hash)],
    ]);
  });
});

describe("changes", () => {
  const run = (request: AdminRequest): Promise<AdminReply> => operations.run(request);

  test("to an account that does not exist are refused and not recorded", async () => {
    for (const command of ["disable", "enable", "delete", "reset-password"] as const) {
      expect(await run({ command, name: "nobody" })).toEqual({ name: "refused", code: "unknown_user" });
    }
    expect(await run({ command: "revoke", name: "nobody", id: undefined })).toMatchObject({
      name: "refused",
    });
    expect(recorded).toEqual([]);
  });

  test("are recorded as the operator's, once, and only if something changed", async () => {
    make("Ana");
    comeOnline("ana");
    expect(await run({ command: "disable", name: "ANA" })).toEqual({
      name: "done",
      username: "Ana",
      changed: true,
    });
    expect(online.size).toBe(0);
    expect(await run({ command: "disable", name: "ana" })).toMatchObject({ changed: false });
    expect(await run({ command: "enable", name: "ana" })).toMatchObject({ changed: true });
    expect(await run({ command: "revoke", name: "ana", id: undefined })).toMatchObject({ changed: false });
    expect(recorded).toEqual([
      ["account_disabled", { user: "Ana", by: "operator" }],
      ["account_enabled", { user: "Ana", by: "operator" }],
    ]);
  });

  test("to a password void every token and end the live session, and the new password is not logged", async () => {
    const id = make("ana");
    const { token } = tokens.issue(id, KEY, NOW);
    comeOnline("ana");
    const reply = await run({ command: "reset-password", name: "ana" });
    if (reply.name !== "password") throw new Error(JSON.stringify(reply));
    expect(reply.password).toMatch(/^[a-hj-km-np-z2-9]{5}(-[a-hj-km-np-z2-9]{5}){3}$/);
    expect(accounts.find("ana")?.password).toBe(`hash of ${reply.password}`);
    expect(tokens.use(token, KEY, NOW)).toBeUndefined();
    expect(online.size).toBe(0);
    expect(recorded).toEqual([["password_reset", { user: "ana", by: "operator" }]]);
    expect((await run({ command: "reset-password", name: "ana" })) as object).not.toEqual(reply);
  });

  test("to a password are not made without a hash, or if the account was deleted during the hash", async () => {
    const id = make("ana");
    hashed = () => ({ name: "busy" });
    expect(await run({ command: "reset-password", name: "ana" })).toEqual({
      name: "refused",
      code: "server_busy",
    });
    expect(await run({ command: "add", name: "beto", email: "" })).toEqual({
      name: "refused",
      code: "server_busy",
    });
    expect(accounts.find("beto")).toBeUndefined();
    expect(accounts.byId(id)?.password).toBe("old");
    hashed = () => {
      const account = accounts.find("ana");
      if (account !== undefined) accounts.delete(account, NOW);
      return { name: "done", value: "new" };
    };
    expect(await run({ command: "reset-password", name: "ana" })).toEqual({
      name: "refused",
      code: "unknown_user",
    });
    expect(recorded).toEqual([]);
  });

  test("add accounts by the rules of registration", async () => {
    const add = async (name: string, email = "") => {
      const reply = await run({ command: "add", name, email });
      return reply.name === "refused" ? reply.code : reply.name;
    };
    expect(await add("Ana", "ana@example.org")).toBe("password");
    expect(await add("ANA")).toBe("username_taken");
    expect(await add("x")).toBe("invalid_username");
    expect(await add("beto", "no address")).toBe("invalid_email");
    const account = accounts.find("ana");
    if (account === undefined) throw new Error("no account");
    await run({ command: "delete", name: "ana" });
    expect(await add("ana")).toBe("username_taken");
    expect(recorded.map(([event]) => event)).toEqual(["account_added", "account_deleted"]);
  });

  test("to one session leave the others, and end the live one only if it was named", async () => {
    const id = make("ana");
    const first = tokens.issue(id, KEY, NOW);
    const second = tokens.issue(id, KEY, NOW);
    comeOnline("ana", second.hash);
    const revoke = (which?: string) => run({ command: "revoke", name: "ana", id: which });
    expect(await revoke("0".repeat(12))).toEqual({ name: "refused", code: "unknown_session" });
    expect(await revoke(tokenId(first.hash).toUpperCase())).toMatchObject({ changed: true });
    expect(online.size).toBe(1);
    expect(tokens.use(first.token, KEY, NOW)).toBeUndefined();
    expect(tokens.use(second.token, KEY, NOW)).toBeDefined();
    expect(await revoke(tokenId(second.hash))).toMatchObject({ changed: true });
    expect(online.size).toBe(0);
    // A legacy client has no token.
    comeOnline("ana");
    expect(await revoke()).toMatchObject({ changed: true });
    expect(online.size).toBe(0);
    expect(recorded.map(([, fields]) => fields["tokens"])).toEqual([1, 1, 0]);
    expect(JSON.stringify(recorded)).not.toContain(tokenId(first.hash));
  });
});
