/** What every store must hold, whatever keeps it. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { fingerprint } from "../../../src/identity/fingerprint.ts";
import { label } from "../../../src/identity/names.ts";
import {
  MAX_OWN_REVOCATIONS,
  type RevocationCause,
  type StoredRevocation,
} from "../../../src/server/store/revocations.ts";
import { newToken } from "../../../src/server/store/session-token.ts";
import {
  DELETED_NAME_PERIOD,
  MAX_KNOWN_KEYS,
  MAX_TOKENS,
  TOKEN_LIFETIME,
  unchanged,
  type Account,
  type Store,
} from "../../../src/server/store/store.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2027, 0, 2, 3, 4, 5);
const SECOND = NOW / 1_000;
const KEY = Buffer.alloc(44, 7);
const OTHER_KEY = Buffer.alloc(44, 8);
const OPERATOR: RevocationCause = { name: "operator" };
const DELETION: RevocationCause = { name: "deletion" };

/** An empty place for a store. */
export type StorePlace = {
  /** Opens a store on it; the second one has what the first one wrote. The place closes it. */
  open(now: () => number): Promise<Store>;
  /** Puts so many revocations there that people made, one a second backwards from `newest`, of `labelOf(index)`. */
  fill(count: number, newest: number, labelOf: (index: number) => string): Promise<void>;
  remove(): Promise<void>;
  /** By how many s a revocation is later than in one process. */
  readonly margin: number;
};

export function testStore(makePlace: () => Promise<StorePlace>): void {
  let place: StorePlace;
  let store: Store;
  let now: number;

  beforeEach(async () => {
    now = NOW;
    place = await makePlace();
    store = await place.open(() => now);
  });
  afterEach(() => place.remove());

  async function make(username: string): Promise<Account> {
    await store.add({ username, password: "h", email: "" });
    return found(username.toLowerCase());
  }

  async function found(fold: string): Promise<Account> {
    const known = await store.account(fold);
    if (known === undefined) throw new Error(`there is no ${fold}`);
    return known.account;
  }

  async function issue(account: Account, key: Uint8Array = KEY): Promise<string> {
    const { hash } = newToken();
    expect(await store.issue(account, hash, key)).toBeDefined();
    return hash;
  }

  const isValid = async (hash: string, key: Uint8Array = KEY) => (await store.use(hash, key)) !== undefined;

  describe("accounts", () => {
    test("are listed page by page in the order of the bytes of their folds, each once", async () => {
      for (const name of ["zoe", "Ana", "bob", "ÁNGEL", "Carl", "ﬀ", "😀"]) {
        await store.add({ username: name, password: "h", email: `${name}@example.org` });
      }
      const listed: string[] = [];
      for (let after = ""; ;) {
        const page = await store.page(after, 2);
        if (page.length === 0) break;
        listed.push(...page.map(({ username }) => username));
        after = page.at(-1)?.fold ?? "";
      }
      expect(listed).toEqual(["Ana", "bob", "Carl", "zoe", "ÁNGEL", "ﬀ", "😀"]);
      expect((await store.page("", 1))[0]).toEqual({
        id: expect.any(Number),
        username: "Ana",
        fold: "ana",
        email: "Ana@example.org",
        created_at: "2027-01-02 03:04:05",
        disabled: false,
      });
    });

    test("are found by fold and id, with whether the key was used before", async () => {
      const ana = await make("Ana");
      expect(ana).toEqual({ id: ana.id, username: "Ana", fold: "ana", password: "h", disabled: false });
      expect(await store.byId(ana.id)).toEqual(ana);
      expect(await store.account("ana", KEY)).toEqual({ account: ana, isKnown: false });
      const hash = await issue(ana);
      await store.void(hash);
      expect(await store.account("ana", KEY)).toEqual({ account: ana, isKnown: true });
      expect((await store.account("ana", OTHER_KEY))?.isKnown).toBe(false);
      const bob = await make("bob");
      expect((await store.account("bob", KEY))?.isKnown).toBe(false);
      expect(bob.id).toBeGreaterThan(ana.id);
      for (const name of ["nobody", "", "ana\0", "ana\ud800"]) {
        expect(await store.account(name, KEY)).toBeUndefined();
      }
      expect(await store.byId(bob.id + 1)).toBeUndefined();
    });

    test("of one name are made once, also at the same time", async () => {
      const made = await Promise.all(
        ["Ana", "ana", "ANA", "ana"].map((username) => store.add({ username, password: "h", email: "" })),
      );
      expect(made.filter((each) => each)).toEqual([true]);
      expect(await store.isTaken("ana")).toBe(true);
      expect(await store.isTaken("bob")).toBe(false);
    });

    test("are disabled and enabled by their ids, and no other account changes", async () => {
      const [ana, bob] = [await make("ana"), await make("bob")];
      const changed = await store.setDisabled(ana.id, true);
      expect(changed?.revocation).toMatchObject({ label: label("ana"), byOperator: true });
      expect([await store.byId(ana.id), await store.byId(bob.id)]).toEqual([{ ...ana, disabled: true }, bob]);
      expect(await store.setDisabled(ana.id, false)).toEqual({ revocation: undefined, dropped: 0 });
      expect(await store.byId(ana.id)).toEqual(ana);
      expect(await store.setDisabled(bob.id + 1, true)).toBeUndefined();
      expect(await store.revocations()).toHaveLength(1);
    });

    test("that were deleted keep their name for a while, and nothing else", async () => {
      const ana = await make("ana");
      const hash = await issue(ana);
      expect(await store.delete(ana.id, "another", DELETION)).toBeUndefined();
      expect(await isValid(hash)).toBe(true);
      expect(await store.delete(ana.id, "h", DELETION)).toMatchObject({
        revocation: { label: label("ana") },
      });
      expect(await store.delete(ana.id, undefined, OPERATOR)).toBeUndefined();
      expect([await store.byId(ana.id), await isValid(hash)]).toEqual([undefined, false]);
      expect(await store.tokens([ana.id])).toEqual([]);
      now = NOW + DELETED_NAME_PERIOD - 1;
      expect(await store.isTaken("ana")).toBe(true);
      expect(await store.add({ username: "Ana", password: "h", email: "" })).toBe(false);
      now++;
      expect(await store.isTaken("ana")).toBe(false);
      const again = await make("ana");
      expect(again.id).toBeGreaterThan(ana.id);
      expect((await store.account("ana", KEY))?.isKnown).toBe(false);
    });

    test("give a new password only to who knows the hash, and void all tokens but one", async () => {
      const ana = await make("ana");
      const [first, second] = [await issue(ana), await issue(ana)];
      const change = { id: ana.id, was: "h", hash: "new", kept: second };
      const cause = { name: "password", key: fingerprint(KEY) } as const;
      const [one, other] = await Promise.all([
        store.setPassword(change, cause),
        store.setPassword(change, cause),
      ]);
      expect([one, other].filter((each) => each !== undefined)).toHaveLength(1);
      expect((one ?? other)?.revocation).toMatchObject({ except: fingerprint(KEY), byOperator: false });
      expect(await unchanged(store, ana)).toBeUndefined();
      expect(await unchanged(store, { ...ana, password: "new" })).toEqual({ ...ana, password: "new" });
      expect([await isValid(first), await isValid(second)]).toEqual([false, true]);
      expect(await store.setPassword({ ...change, was: undefined, kept: undefined }, OPERATOR)).toBeDefined();
      expect(await isValid(second)).toBe(false);
      expect(
        await store.setPassword({ ...change, id: ana.id + 1, was: undefined }, OPERATOR),
      ).toBeUndefined();
    });

    test("are the same in a second store, and so is the authority", async () => {
      const ana = await make("ana");
      const hash = await issue(ana);
      await store.setDisabled(ana.id, true);
      await store.close();
      const second = await place.open(() => now);
      expect(second.authority).toEqual(store.authority);
      expect(second.authority.privateKey).toContain("PRIVATE KEY");
      expect(await second.use(hash, KEY)).toEqual({ ...ana, disabled: true });
      expect(await second.revocations()).toHaveLength(1);
    });
  });

  describe("tokens", () => {
    test("are valid for their key until they were not used for long", async () => {
      const ana = await make("ana");
      const hash = await issue(ana);
      expect(await store.use(hash, OTHER_KEY)).toBeUndefined();
      expect(await store.use(newToken().hash, KEY)).toBeUndefined();
      for (let uses = 0; uses < 3; uses++) {
        now += TOKEN_LIFETIME - 1;
        expect(await store.use(hash, KEY)).toEqual(ana);
      }
      now += TOKEN_LIFETIME;
      expect(await store.use(hash, KEY)).toBeUndefined();
    });

    test("are not ended by a clock that is wrong for a while: a last use is never set back", async () => {
      const hash = await issue(await make("ana"));
      now = NOW - 2 * TOKEN_LIFETIME;
      expect(await isValid(hash)).toBe(true);
      await store.close();
      store = await place.open(() => now);
      now = NOW + 1;
      expect(await isValid(hash)).toBe(true);
      // Refused while the clock is ahead, and good again when it is right.
      now = NOW + 2 * TOKEN_LIFETIME;
      expect(await isValid(hash)).toBe(false);
      now = NOW + 2;
      expect(await isValid(hash)).toBe(true);
    });

    test("are five a user; past that the least recently used is deleted, and before it those of a wrong future", async () => {
      const ana = await make("ana");
      now = NOW + 10 * TOKEN_LIFETIME;
      const future: string[] = [];
      for (let count = 0; count < MAX_TOKENS; count++) future.push(await issue(ana));
      now = NOW;
      const first = await issue(ana);
      const others: string[] = [];
      for (let count = 1; count < MAX_TOKENS; count++) {
        now += HOUR;
        others.push(await issue(ana));
      }
      expect(await Promise.all(future.map((hash) => isValid(hash)))).not.toContain(true);
      expect(await isValid(first)).toBe(true);
      now += HOUR;
      await issue(ana);
      expect(await isValid(first)).toBe(true);
      expect(await isValid(others[0] as string)).toBe(false);
      expect(await store.tokens([ana.id])).toHaveLength(MAX_TOKENS);
    });

    test("are listed with their last use, the most recently used first, unless they are void or out of date", async () => {
      const [ana, bob] = [await make("ana"), await make("bob")];
      const first = await issue(ana);
      now += 2 * HOUR;
      const second = await issue(ana, OTHER_KEY);
      const his = await issue(bob);
      now += 2 * HOUR;
      expect(await isValid(first)).toBe(true);
      const stored = await store.tokens([ana.id, bob.id, bob.id + 1]);
      expect(stored.filter(({ userId }) => userId === bob.id).map(({ hash }) => hash)).toEqual([his]);
      expect(stored.filter(({ userId }) => userId === ana.id)).toEqual([
        { userId: ana.id, hash: first, publicKey: expect.anything(), madeAt: NOW, lastUsed: now },
        {
          userId: ana.id,
          hash: second,
          publicKey: expect.anything(),
          madeAt: NOW + 2 * HOUR,
          lastUsed: NOW + 2 * HOUR,
        },
      ]);
      expect(stored.map(({ publicKey }) => Buffer.from(publicKey).equals(OTHER_KEY))).toEqual([
        false,
        true,
        false,
      ]);
      now = NOW + 2 * HOUR + TOKEN_LIFETIME;
      expect((await store.tokens([ana.id])).map(({ hash }) => hash)).toEqual([first]);
      await store.void(first);
      expect(await store.tokens([ana.id])).toEqual([]);
    });

    test("say whether a key is new, of which the last 64 are remembered", async () => {
      const ana = await make("ana");
      const login = async (key: Uint8Array) => (await store.issue(ana, newToken().hash, key))?.newKey;
      expect([await login(KEY), await login(KEY)]).toEqual([true, false]);
      now += 1_000;
      expect(await login(OTHER_KEY)).toBe(true);
      for (let count = 1; count < MAX_KNOWN_KEYS; count++) {
        now += 1_000;
        await login(Buffer.alloc(44, 100 + count));
      }
      expect([await login(Buffer.alloc(44, 101)), await login(KEY)]).toEqual([false, true]);
    });

    test("are not given for an account that is gone, disabled, or has another password now", async () => {
      const ana = await make("ana");
      const login = (password = "h") =>
        store.issue({ id: ana.id, password }, newToken().hash, KEY).then((issued) => issued !== undefined);
      expect(await login("another")).toBe(false);
      await store.setDisabled(ana.id, true);
      expect(await login()).toBe(false);
      await store.setDisabled(ana.id, false);
      expect(await login()).toBe(true);
      await store.delete(ana.id, "h", DELETION);
      expect(await login()).toBe(false);
    });

    test("of one device are voided together, and those of the account that the operator names with a revocation", async () => {
      const [ana, bob] = [await make("ana"), await make("bob")];
      const own = [await issue(ana), await issue(ana)];
      const [other, his] = [await issue(ana, OTHER_KEY), await issue(bob)];
      await store.voidKey(ana.id, fingerprint(KEY));
      expect([await isValid(own[0] as string), await isValid(own[1] as string)]).toEqual([false, false]);
      expect([await isValid(other, OTHER_KEY), await isValid(his)]).toEqual([true, true]);
      expect(await store.revoke(ana.id, [other])).toMatchObject({ revocation: { byOperator: true } });
      expect([await isValid(other, OTHER_KEY), await isValid(his)]).toEqual([false, true]);
      expect(await store.revoke(bob.id + 1, [])).toBeUndefined();
    });

    test("that are issued while the password changes are void, or the login is refused", async () => {
      let ana = await make("ana");
      for (let round = 0; round < 20; round++) {
        const hash = `new ${round}`;
        const tokens = Array.from({ length: 3 }, () => newToken().hash);
        const [, ...issued] = await Promise.all([
          store.setPassword({ id: ana.id, was: ana.password, hash, kept: undefined }, OPERATOR),
          ...tokens.map((token) => store.issue(ana, token, KEY)),
        ]);
        expect(issued).toHaveLength(3);
        expect(await store.tokens([ana.id])).toEqual([]);
        ana = { ...ana, password: hash };
      }
    });

    test("that are issued while the account is deleted are gone with it", async () => {
      for (let round = 0; round < 10; round++) {
        const account = await make(`user${round}`);
        const { hash } = newToken();
        await Promise.all([
          store.issue(account, hash, KEY),
          store.delete(account.id, "h", DELETION),
          store.use(hash, KEY),
        ]);
        expect(await isValid(hash)).toBe(false);
      }
    });
  });

  describe("revocations", () => {
    const made = async (name: string, cause: RevocationCause): Promise<StoredRevocation | undefined> => {
      const known = await store.account(name);
      const { id } = known?.account ?? (await make(name));
      const change = { id, was: undefined, hash: "h", kept: undefined };
      return (await store.setPassword(change, cause))?.revocation;
    };
    const kept = async (name: string) =>
      (await store.revocations()).filter((each) => each.label === label(name)).map(({ before }) => before);

    test("are of the second after they were made, and the newest comes first", async () => {
      now += 999;
      const first = await made("ana", OPERATOR);
      expect(first).toEqual({
        label: label("ana"),
        before: SECOND + 1 + place.margin,
        except: undefined,
        byOperator: true,
      });
      now += 2_000;
      const second = await made("bob", { name: "password", key: "1".repeat(64) });
      expect(second).toMatchObject({ except: "1".repeat(64), byOperator: false });
      expect(await store.revocations()).toEqual([second, first] as StoredRevocation[]);
    });

    test("of a label that decide are kept, of a person's two at most, and the operator's last one", async () => {
      await made("ana", OPERATOR);
      expect((await made("ana", OPERATOR))?.before).toBe(SECOND + 2 + place.margin);
      expect(await kept("ana")).toEqual([SECOND + 2 + place.margin]);
      for (const key of ["1", "2", "1", "1", "2"]) {
        now += HOUR + 60_000;
        expect(await made("ana", { name: "password", key: key.repeat(64) })).toBeDefined();
        expect(await made("ana", { name: "password", key: key.repeat(64) })).toBeUndefined();
      }
      expect(await kept("ana")).toHaveLength(3);
      await made("ana", OPERATOR);
      expect(await kept("ana")).toHaveLength(1);
      await made("ana", DELETION);
      expect(await kept("ana")).toHaveLength(2);
    });

    test("come after the certificates of a clock that was set back", async () => {
      await issue(await make("ana"));
      now = NOW - 48 * HOUR;
      expect((await made("ana", OPERATOR))?.before).toBe(SECOND + 1);
      expect((await made("ana", OPERATOR))?.before).toBe(SECOND + 2);
    });

    test("are not made with a change that was not", async () => {
      const ana = await make("ana");
      expect(
        await store.setPassword({ id: ana.id, was: "another", hash: "n", kept: undefined }, OPERATOR),
      ).toBeUndefined();
      expect(await store.revocations()).toEqual([]);
    });

    test("of people's own the newest 20,000 are kept, of the operator's all", async () => {
      await made("of the operator", OPERATOR);
      await made("of the operator", DELETION);
      await place.fill(MAX_OWN_REVOCATIONS, SECOND, (index) => label(`user${index}`));
      const ana = await make("ana");
      expect((await store.delete(ana.id, "h", DELETION))?.dropped).toBe(2);
      const all = await store.revocations();
      expect(all.length).toBe(MAX_OWN_REVOCATIONS + 1);
      const labels = new Set(all.map((each) => each.label));
      expect([19_997, 19_998].map((index) => labels.has(label(`user${index}`)))).toEqual([true, false]);
      expect(labels.has(label("of the operator"))).toBe(true);
    });
  });

  test("sessions end whose account is gone or disabled, or whose token is void", async () => {
    const [ana, bob, carla, dora] = [
      await make("ana"),
      await make("bob"),
      await make("carla"),
      await make("dora"),
    ];
    const session = async (account: Account) => ({
      userId: account.id,
      key: { tokenHash: await issue(account) },
    });
    const sessions = [await session(ana), await session(ana), await session(bob), await session(carla)];
    const old = [ana, bob, dora].map(({ id }) => ({ userId: id, key: undefined }));
    expect(await store.ended([...sessions, ...old])).toEqual([]);
    await store.void(sessions[1]?.key.tokenHash as string);
    await store.setDisabled(bob.id, true);
    await store.delete(carla.id, undefined, OPERATOR);
    await store.delete(dora.id, undefined, OPERATOR);
    const ended = await store.ended([...sessions, ...old]);
    expect(ended).toEqual([...sessions.slice(1), ...old.slice(1)]);
    expect(await store.ended([])).toEqual([]);
  });

  test("a store that was just opened can be read and written", async () => {
    await store.check();
  });
}
