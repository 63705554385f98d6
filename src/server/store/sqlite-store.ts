/**
 * The store of one process: a SQLite file. Another program may lock it for a while, such as a tool with which the
 * operator looks at it. If SQLite waited for the lock inside a write, it would block the whole server. So a step on a
 * locked database fails at once, without having changed anything, and is retried a little later while other requests go
 * on.
 */
import type { Database } from "bun:sqlite";

import { createAuthority } from "../../identity/certificate.ts";
import { fold as foldOf, label as labelOf } from "../../identity/names.ts";
import { OpenFile } from "../../net/open-file.ts";
import { isLocked, setBlockingWait } from "../database/locked-database.ts";
import {
  afterAdding,
  MAX_OWN_REVOCATIONS,
  nextRevocation,
  oldestRow,
  type Change,
  type RevocationCause,
  type StoredRevocation,
} from "./revocations.ts";
import { SqliteTokens } from "./sqlite-tokens.ts";
import {
  creationTime,
  DELETED_NAME_PERIOD,
  StoreBusy,
  type Account,
  type ListedAccount,
  type LiveSession,
  type NewAccount,
  type PasswordChange,
  type Store,
  type StoredAuthority,
  type StoredToken,
} from "./store.ts";

/** How long a step is retried while the database is locked, in ms; then it fails. */
export const RETRY_TIMEOUT = 3_000;
const RETRY_INTERVAL = 50;
/** How long the last write waits for another program that has locked the database, in ms. */
const CLOSE_LOCK_TIMEOUT = 500;

/** An id that no account has. */
const NO_ACCOUNT = 0;
const NOTHING: Change = { revocation: undefined, dropped: 0 };

type AccountRow = Omit<Account, "disabled"> & { readonly disabled: number };
type ListedRow = Omit<ListedAccount, "disabled"> & { readonly disabled: number };
type RevocationRow = { label: string; before: number; except_key: string | null; by_operator: number };

type SqliteOptions = {
  /** Ms since 1970. */
  readonly now: () => number;
  /** Ms that never go back; `performance.now` by default. */
  readonly clock?: (() => number) | undefined;
  /** A step was done, which took so many ms. */
  readonly observe?: (took: number) => void;
  /** Last uses of tokens could not be written at the end: at most an hour of them is lost. */
  readonly failed?: (error: unknown) => void;
};

export class SqliteStore implements Store {
  readonly isShared = false;
  readonly authority: StoredAuthority;
  readonly #database: Database;
  readonly #options: SqliteOptions;
  readonly #file: OpenFile;
  readonly #tokens: SqliteTokens;
  readonly #byFold;
  readonly #byId;
  readonly #deletedName;
  readonly #insert;
  readonly #listed;
  readonly #revocations;
  readonly #revocationsOf;

  /** @param database which the store closes. @throws errors of SQLite */
  constructor(database: Database, options: SqliteOptions) {
    const columns = "SELECT id, username, fold, password, disabled FROM users";
    const revocations = "SELECT label, before, except_key, by_operator FROM revocations";
    this.#database = database;
    this.#options = options;
    this.#file = new OpenFile(database.filename, options.clock);
    this.#tokens = new SqliteTokens(database);
    this.#byFold = database.query<AccountRow, [string]>(`${columns} WHERE fold = ?`);
    this.#byId = database.query<AccountRow, [number]>(`${columns} WHERE id = ?`);
    this.#deletedName = database.query<{ until: number }, [string]>(
      "SELECT until FROM deleted_names WHERE fold = ?",
    );
    this.#insert = database.query<unknown, [string, string, string, string, string]>(
      "INSERT INTO users (username, password, email, created_at, fold) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#listed = database.query<ListedRow, [string, number]>(
      `SELECT id, username, fold, CAST(email AS TEXT) AS email, CAST(created_at AS TEXT) AS created_at, disabled
       FROM users WHERE fold > ? ORDER BY fold LIMIT ?`,
    );
    this.#revocations = database.query<RevocationRow, []>(`${revocations} ORDER BY before DESC, label DESC`);
    this.#revocationsOf = database.query<RevocationRow, [string]>(`${revocations} WHERE label = ?`);
    this.authority = loadOrMake(database, options.now());
    setBlockingWait(database, 0);
  }

  account(fold: string, key?: Uint8Array): Promise<{ account: Account; isKnown: boolean } | undefined> {
    return this.#step(() => {
      const row = this.#byFold.get(fold);
      // Also for an unknown name, so that it takes the same time.
      const isKnown = key !== undefined && this.#tokens.knows(row?.id ?? NO_ACCOUNT, key);
      return row === null ? undefined : { account: accountOf(row), isKnown };
    });
  }

  byId(id: number): Promise<Account | undefined> {
    return this.#step(() => this.#find(id));
  }

  isTaken(fold: string): Promise<boolean> {
    return this.#step(() => this.#isTaken(fold));
  }

  add({ username, password, email }: NewAccount): Promise<boolean> {
    return this.#step(() => {
      const fold = foldOf(username);
      if (this.#isTaken(fold)) return false;
      const made = creationTime(this.#options.now());
      return this.#insert.run(username, password, email, made, fold).changes === 1;
    });
  }

  use(hash: string, key: Uint8Array): Promise<Account | undefined> {
    return this.#step(() => {
      const id = this.#tokens.use(hash, key, this.#options.now());
      return id === undefined ? undefined : this.#find(id);
    });
  }

  issue(
    { id, password }: Pick<Account, "id" | "password">,
    hash: string,
    key: Uint8Array,
  ): Promise<{ newKey: boolean } | undefined> {
    return this.#transaction(() => {
      const account = this.#find(id);
      if (account === undefined || account.disabled || account.password !== password) return undefined;
      return { newKey: this.#tokens.issue(id, hash, key, this.#options.now()) };
    });
  }

  setPassword({ id, was, hash, kept }: PasswordChange, cause: RevocationCause): Promise<Change | undefined> {
    return this.#change(id, was, cause, () => {
      this.#database.query("UPDATE users SET password = ? WHERE id = ?").run(hash, id);
      this.#tokens.voidAll(id, kept);
    });
  }

  delete(id: number, was: string | undefined, cause: RevocationCause): Promise<Change | undefined> {
    return this.#change(id, was, cause, ({ fold }) => {
      const now = this.#options.now();
      this.#tokens.voidAll(id, undefined);
      this.#database.query("DELETE FROM known_keys WHERE user_id = ?").run(id);
      this.#database.query("DELETE FROM users WHERE id = ?").run(id);
      this.#database.query("DELETE FROM deleted_names WHERE until <= ?").run(now);
      this.#database
        .query("INSERT OR REPLACE INTO deleted_names (fold, until) VALUES (?, ?)")
        .run(fold, now + DELETED_NAME_PERIOD);
    });
  }

  setDisabled(id: number, disabled: boolean): Promise<Change | undefined> {
    return this.#change(id, undefined, disabled ? { name: "operator" } : undefined, () =>
      this.#database.query("UPDATE users SET disabled = ? WHERE id = ?").run(disabled ? 1 : 0, id),
    );
  }

  revoke(id: number, hashes: readonly string[]): Promise<Change | undefined> {
    return this.#change(id, undefined, { name: "operator" }, () =>
      hashes.forEach((hash) => this.#tokens.void(hash)),
    );
  }

  void(hash: string): Promise<void> {
    return this.#step(() => this.#tokens.void(hash));
  }

  voidKey(id: number, keyFingerprint: string): Promise<void> {
    return this.#transaction(() => this.#tokens.voidKey(id, keyFingerprint));
  }

  revocations(): Promise<readonly StoredRevocation[]> {
    return this.#step(() => this.#revocations.all().map(revocationOf));
  }

  page(after: string, limit: number): Promise<ListedAccount[]> {
    return this.#step(() =>
      this.#listed.all(after, limit).map((row) => ({ ...row, disabled: row.disabled !== 0 })),
    );
  }

  tokens(ids: readonly number[]): Promise<StoredToken[]> {
    return this.#step(() => ids.flatMap((id) => this.#tokens.stored(id, this.#options.now())));
  }

  ended<S extends LiveSession>(sessions: readonly S[]): Promise<S[]> {
    return this.#step(() =>
      sessions.filter(({ userId, key }) => {
        const isThere = key === undefined || this.#tokens.isThere(key.tokenHash);
        return !isThere || this.#find(userId)?.disabled !== false;
      }),
    );
  }

  /** Reads one page of the database and writes it back, unchanged, through SQLite's log to the disk. Waits for nothing. */
  async check(): Promise<void> {
    this.#file.check();
    const version = this.#database
      .query<{ user_version: number }, []>("PRAGMA user_version")
      .get()?.user_version;
    this.#database.run(`PRAGMA user_version = ${version ?? 0}`);
  }

  async close(): Promise<void> {
    try {
      setBlockingWait(this.#database, CLOSE_LOCK_TIMEOUT);
      this.#tokens.writeUses();
    } catch (error) {
      this.#options.failed?.(error);
    }
    this.#database.close();
  }

  #find(id: number): Account | undefined {
    const row = this.#byId.get(id);
    return row === null ? undefined : accountOf(row);
  }

  #isTaken(fold: string): boolean {
    if (this.#byFold.get(fold) !== null) return true;
    const deleted = this.#deletedName.get(fold);
    return deleted !== null && deleted.until > this.#options.now();
  }

  /** Changes an account and revokes its certificates, in one transaction. */
  #change(
    id: number,
    was: string | undefined,
    cause: RevocationCause | undefined,
    write: (account: Account) => void,
  ): Promise<Change | undefined> {
    return this.#transaction(() => {
      const account = this.#find(id);
      if (account === undefined || (was !== undefined && account.password !== was)) return undefined;
      // Read before the change, which may void the tokens that say when the newest certificate was made.
      const certified = this.#tokens.lastUse(id);
      write(account);
      return cause === undefined ? NOTHING : this.#revoke(account.username, cause, certified);
    });
  }

  #revoke(username: string, cause: RevocationCause, certified: number): Change {
    const now = this.#options.now();
    const stored = this.#revocationsOf.all(labelOf(username)).map(revocationOf);
    const revocation = nextRevocation(username, cause, { stored, certified, now, margin: 0 });
    if (revocation === undefined) return NOTHING;
    const { label } = revocation;
    this.#database.query("DELETE FROM revocations WHERE before <= ?").run(oldestRow(now));
    this.#database.query("DELETE FROM revocations WHERE label = ?").run(label);
    const insert = this.#database.query("INSERT INTO revocations VALUES (?, ?, ?, ?)");
    for (const each of afterAdding(revocation, stored, now)) {
      insert.run(label, each.before, each.except ?? null, each.byOperator ? 1 : 0);
    }
    if (revocation.byOperator) return { revocation, dropped: 0 };
    const { changes } = this.#database
      .query(
        `DELETE FROM revocations WHERE (label, before) IN (SELECT label, before FROM revocations
         WHERE by_operator = 0 ORDER BY before DESC, label DESC LIMIT -1 OFFSET ?)`,
      )
      .run(MAX_OWN_REVOCATIONS);
    return { revocation, dropped: changes };
  }

  #transaction<T>(step: () => T): Promise<T> {
    return this.#step(() => this.#database.transaction(step)());
  }

  /** @param step must change nothing before it fails because of the lock. */
  async #step<T>(step: () => T): Promise<T> {
    const first = performance.now();
    for (let begun = first; ; begun = performance.now()) {
      try {
        this.#file.check();
        return step();
      } catch (error) {
        if (!isLocked(error)) throw error;
        if (performance.now() >= first + RETRY_TIMEOUT) throw new StoreBusy(error);
      } finally {
        this.#options.observe?.(performance.now() - begun);
      }
      await Bun.sleep(RETRY_INTERVAL);
    }
  }
}

function loadOrMake(database: Database, now: number): StoredAuthority {
  const stored = database
    .query<StoredAuthority, []>("SELECT certificate, private_key AS privateKey FROM authority")
    .get();
  if (stored !== null) return stored;
  const made = createAuthority(now);
  database
    .query("INSERT INTO authority (id, certificate, private_key) VALUES (1, ?, ?)")
    .run(made.certificatePem, made.privateKeyPem);
  return { certificate: made.certificatePem, privateKey: made.privateKeyPem };
}

function accountOf({ disabled, ...account }: AccountRow): Account {
  return { ...account, disabled: disabled !== 0 };
}

function revocationOf({ label, before, except_key, by_operator }: RevocationRow): StoredRevocation {
  return { label, before, except: except_key ?? undefined, byOperator: by_operator !== 0 };
}
