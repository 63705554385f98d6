import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDatabase } from "../../../src/server/database/database.ts";
import type { AdminReply, AdminRequest } from "../../../src/server/admin/messages.ts";
import { AdminOperations } from "../../../src/server/admin/operations.ts";
import type { HashOutcome } from "../../../src/server/limits/password-queue.ts";
import type { LogFields } from "../../../src/server/log/log.ts";
import type { OnlineUser, OwnUser } from "../../../src/server/presence/online-user.ts";
import { Presence } from "../../../src/server/presence/presence.ts";
import { OwnSeats } from "../../../src/server/presence/seats.ts";
import { Revocations } from "../../../src/server/store/revocations.ts";
import { newToken, tokenId } from "../../../src/server/store/session-token.ts";
import { SqliteStore } from "../../../src/server/store/sqlite-store.ts";
import type { Account } from "../../../src/server/store/store.ts";

const NOW = Date.UTC(2026, 0, 1);
const KEY = Buffer.alloc(44, 7);

let folder: string;
let store: SqliteStore;
let now: number;
let online: Presence<OnlineUser, OwnUser>;
let seats: OwnSeats;
let recorded: [string, LogFields][];
let hashed: (password: string) => HashOutcome<string> | Promise<HashOutcome<string>>;
let operations: AdminOperations;

beforeEach(async () => {
  now = NOW;
  folder = mkdtempSync(join(tmpdir(), "paloma-operations-"));
  const database = await openDatabase(join(folder, "users.db"));
  database.run("PRAGMA synchronous = OFF");
  store = new SqliteStore(database, { now: () => now });
  online = new Presence();
  seats = new OwnSeats(online, () => undefined);
  recorded = [];
  hashed = (password) => ({ name: "done", value: `hash of ${password}` });
  operations = new AdminOperations({
    store,
    revocations: new Revocations([], { now: () => now }),
    security: { record: (event, fields) => recorded.push([event, fields]), close: () => undefined },
    presence: online,
    seats,
    passwords: { hash: async (_owner, password) => hashed(password) },
  });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function make(username: string, email = ""): Promise<number> {
  await store.add({ username, password: "old", email });
  return (await find(username.toLowerCase()))?.id ?? 0;
}

const find = async (fold: string): Promise<Account | undefined> => (await store.account(fold))?.account;

/** The hash of a new token of this account. */
async function issue(id: number): Promise<string> {
  const { hash } = newToken();
  await store.issue({ id, password: "old" }, hash, KEY);
  return hash;
}

const isValid = async (hash: string) => (await store.use(hash, KEY)) !== undefined;

async function comeOnline(name: string, tokenHash?: string): Promise<void> {
  const user: OwnUser = {
    userId: 1,
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
      end: () => seats.leave(claim),
      replaced: () => undefined,
    },
  };
  const claim = seats.claim(name, user.session);
  await seats.take(claim, user, false);
  claim.bound();
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
    for (const name of made.toReversed()) await store.add({ username: name, password: "old", email: "" });
    const all = await listing({ command: "users", search: "", after: "" });
    expect(all.names).toEqual(made);
    // A search looks at a bounded number of accounts for each reply.
    const some = await listing({ command: "users", search: "u0999", after: "" });
    expect(some).toEqual({ names: ["U0999"], pages: 3 });
    const none = await listing({ command: "sessions", name: undefined, after: "" });
    expect(none.names).toEqual([]);
  });

  test("find names and email addresses in any case, and show who is online or disabled", async () => {
    await make("Ana", "Ana@Example.org");
    await make("ÁNGEL");
    await store.setDisabled(await make("beto", "beto@example.org"), true);
    await comeOnline("ana");
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
    const id = await make("ana");
    const first = await issue(id);
    now++;
    const second = await issue(id);
    await comeOnline("ana", first);
    const reply = await operations.run({ command: "sessions", name: "ANA", after: "" });
    const shown = reply.name === "sessions" ? reply.sessions.map((line) => [line.kind, line.id]) : [];
    expect(shown).toEqual([
      ["live", tokenId(first)],
      ["token", tokenId(second)],
      ["token", tokenId(first)],
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
    await make("Ana");
    await comeOnline("ana");
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
    const hash = await issue(await make("ana"));
    await comeOnline("ana");
    const reply = await run({ command: "reset-password", name: "ana" });
    if (reply.name !== "password") throw new Error(JSON.stringify(reply));
    expect(reply.password).toMatch(/^[a-hj-km-np-z2-9]{5}(-[a-hj-km-np-z2-9]{5}){3}$/);
    expect((await find("ana"))?.password).toBe(`hash of ${reply.password}`);
    expect(await isValid(hash)).toBe(false);
    expect(online.size).toBe(0);
    expect(recorded).toEqual([["password_reset", { user: "ana", by: "operator" }]]);
    expect((await run({ command: "reset-password", name: "ana" })) as object).not.toEqual(reply);
  });

  test("to a password are not made without a hash, or if the account was deleted during the hash", async () => {
    const id = await make("ana");
    hashed = () => ({ name: "busy" });
    expect(await run({ command: "reset-password", name: "ana" })).toEqual({
      name: "refused",
      code: "server_busy",
    });
    expect(await run({ command: "add", name: "beto", email: "" })).toEqual({
      name: "refused",
      code: "server_busy",
    });
    expect(await find("beto")).toBeUndefined();
    expect((await store.byId(id))?.password).toBe("old");
    hashed = async () => {
      await store.delete(id, undefined, { name: "operator" });
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
    await run({ command: "delete", name: "ana" });
    expect(await add("ana")).toBe("username_taken");
    expect(recorded.map(([event]) => event)).toEqual(["account_added", "account_deleted"]);
  });

  test("to one session leave the others, and end the live one only if it was named", async () => {
    const id = await make("ana");
    const [first, second] = [await issue(id), await issue(id)];
    await comeOnline("ana", second);
    const revoke = (which?: string) => run({ command: "revoke", name: "ana", id: which });
    expect(await revoke("0".repeat(12))).toEqual({ name: "refused", code: "unknown_session" });
    expect(await revoke(tokenId(first).toUpperCase())).toMatchObject({ changed: true });
    expect(online.size).toBe(1);
    expect([await isValid(first), await isValid(second)]).toEqual([false, true]);
    expect(await revoke(tokenId(second))).toMatchObject({ changed: true });
    expect(online.size).toBe(0);
    // A legacy client has no token.
    await comeOnline("ana");
    expect(await revoke()).toMatchObject({ changed: true });
    expect(online.size).toBe(0);
    expect(recorded.map(([, fields]) => fields["tokens"])).toEqual([1, 1, 0]);
    expect(JSON.stringify(recorded)).not.toContain(tokenId(first));
  });
});
