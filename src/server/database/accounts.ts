/** The accounts in the database: the rows of `users`, and the names of deleted accounts that are still taken. */
import type { Database } from "bun:sqlite";

import { fold } from "../../identity/names.ts";
import { REVOCATION_LIFETIME } from "../../identity/revocation.ts";

/** How long the name of a deleted account stays taken, in ms: by then its last certificate has expired (PROTOCOL 4). */
export const DELETED_NAME_PERIOD = REVOCATION_LIFETIME;

export type Account = {
  readonly id: number;
  /** The registered spelling. */
  readonly username: string;
  readonly fold: string;
  /** The argon2id hash. */
  readonly password: string;
  readonly disabled: number;
};

/** An account as the operator sees it. */
export type ListedAccount = {
  readonly id: number;
  readonly username: string;
  readonly fold: string;
  readonly email: string | null;
  /** `YYYY-MM-DD hh:mm:ss` in UTC; any text for a migrated account. */
  readonly created_at: string | null;
  readonly disabled: number;
};

export class Accounts {
  readonly #database: Database;
  readonly #byFold;
  readonly #byId;
  readonly #deletedName;
  readonly #insert;
  readonly #listed;

  constructor(database: Database) {
    const columns = "SELECT id, username, fold, password, disabled FROM users";
    this.#database = database;
    this.#byFold = database.query<Account, [string]>(`${columns} WHERE fold = ?`);
    this.#byId = database.query<Account, [number]>(`${columns} WHERE id = ?`);
    this.#deletedName = database.query<{ until: number }, [string]>(
      "SELECT until FROM deleted_names WHERE fold = ?",
    );
    this.#insert = database.query<unknown, [string, string, string, string, string]>(
      "INSERT INTO users (username, password, email, created_at, fold) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#listed = database.query<ListedAccount, [string, number]>(
      `SELECT id, username, fold, CAST(email AS TEXT) AS email, CAST(created_at AS TEXT) AS created_at, disabled
       FROM users WHERE fold > ? ORDER BY fold LIMIT ?`,
    );
  }

  /** Finds an account by its name in any case. */
  find(name: string): Account | undefined {
    return this.#byFold.get(fold(name)) ?? undefined;
  }

  byId(id: number): Account | undefined {
    return this.#byId.get(id) ?? undefined;
  }

  /** An account as it is now; undefined if it was deleted, or its password was changed. */
  unchanged(account: Account): Account | undefined {
    const current = this.byId(account.id);
    return current?.password === account.password ? current : undefined;
  }

  /** At most `limit` accounts whose fold comes after `after`, in the order of their folds. */
  page(after: string, limit: number): ListedAccount[] {
    return this.#listed.all(after, limit);
  }

  /** Sets whether the account may log in; its tokens stay. */
  setDisabled(id: number, disabled: boolean): void {
    this.#database.query("UPDATE users SET disabled = ? WHERE id = ?").run(disabled ? 1 : 0, id);
  }

  /** Whether a name cannot be registered at `now` (ms since 1970): it is in use, or was within `DELETED_NAME_PERIOD`. */
  isTaken(name: string, now: number): boolean {
    if (this.find(name) !== undefined) return true;
    const deleted = this.#deletedName.get(fold(name));
    return deleted !== null && deleted.until > now;
  }

  /** Adds an account and waits until it is on the disk. @returns false when the name is taken */
  add(account: { username: string; hash: string; email: string }, now: number): boolean {
    if (this.isTaken(account.username, now)) return false;
    const made = new Date(now).toISOString().slice(0, 19).replace("T", " ");
    const { changes } = this.#insert.run(
      account.username,
      account.hash,
      account.email,
      made,
      fold(account.username),
    );
    return changes === 1;
  }

  /** Sets a new hash and voids every token of the user except the one with the SHA-256 `keptToken`. */
  setPassword(id: number, hash: string, keptToken: Uint8Array | undefined): void {
    this.#database.transaction(() => {
      this.#database.query("UPDATE users SET password = ? WHERE id = ?").run(hash, id);
      this.#database
        .query("DELETE FROM tokens WHERE user_id = ? AND hash IS NOT ?")
        .run(id, keptToken ?? null);
    })();
  }

  /** Deletes the account with its tokens and keys; its name stays taken for `DELETED_NAME_PERIOD`. */
  delete(account: Account, now: number): void {
    this.#database.transaction(() => {
      for (const table of ["tokens", "known_keys"]) {
        this.#database.query(`DELETE FROM ${table} WHERE user_id = ?`).run(account.id);
      }
      this.#database.query("DELETE FROM users WHERE id = ?").run(account.id);
      this.#database.query("DELETE FROM deleted_names WHERE until <= ?").run(now);
      this.#database
        .query("INSERT OR REPLACE INTO deleted_names (fold, until) VALUES (?, ?)")
        .run(account.fold, now + DELETED_NAME_PERIOD);
    })();
  }
}
