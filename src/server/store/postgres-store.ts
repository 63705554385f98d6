/** The store of many servers: a PostgreSQL database that they share. */
import type { TransactionSQL } from "bun";

import { fold as foldOf, label as labelOf } from "../../identity/names.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { loadOrMakeAuthority, prepareSchema } from "./postgres-schema.ts";
import {
  afterAdding,
  MAX_OWN_REVOCATIONS,
  nextRevocation,
  oldestRow,
  type Change,
  type RevocationCause,
  type StoredRevocation,
} from "./revocations.ts";
import { hashBytes } from "./session-token.ts";
import {
  creationTime,
  DELETED_NAME_PERIOD,
  LAST_USE_PRECISION,
  MAX_KNOWN_KEYS,
  MAX_TOKENS,
  StoreBusy,
  TOKEN_LIFETIME,
  type Account,
  type ListedAccount,
  type LiveSession,
  type NewAccount,
  type PasswordChange,
  type Store,
  type StoredAuthority,
  type StoredToken,
} from "./store.ts";

/**
 * How long after an account was read another server may still make a certificate for it, in s: it may have to wait for
 * others, and its clock may be ahead.
 */
export const REVOCATION_MARGIN = 10;

const NOTHING: Change = { revocation: undefined, dropped: 0 };

/** `bigint` comes as text. */
type AccountRow = Omit<Account, "id"> & { readonly id: string };
type RevocationRow = { label: string; before: string; except_key: string | null; by_operator: boolean };
type TokenRow = { hash: Buffer; user_id: string; public_key: Buffer; created_at: string; last_used: string };

export type PostgresOptions = {
  /** Ms since 1970. */
  readonly now: () => number;
  /** A use of the server was done, which took so many ms. */
  readonly observe?: (took: number) => void;
  /** The connections were replaced, because nothing came from the server for a while. */
  readonly replaced?: () => void;
};

export class PostgresStore implements Store {
  readonly isShared = true;
  readonly authority: StoredAuthority;
  readonly #pool: PostgresPool;
  readonly #now: () => number;

  private constructor(pool: PostgresPool, now: () => number, authority: StoredAuthority) {
    this.#pool = pool;
    this.#now = now;
    this.authority = authority;
  }

  /** Opens the database at a `postgres://` URL; its tables are made if it is empty. @throws as every use, WrongSchema */
  static async open(url: string, { now, ...options }: PostgresOptions): Promise<PostgresStore> {
    const pool = new PostgresPool(url, options);
    try {
      const authority = await pool.transaction(async (transaction) => {
        await prepareSchema(transaction);
        return loadOrMakeAuthority(transaction, now());
      });
      return new PostgresStore(pool, now, authority);
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  async account(fold: string, key?: Uint8Array): Promise<{ account: Account; isKnown: boolean } | undefined> {
    if (!isStorable(fold)) return undefined;
    const [row]: (AccountRow & { known: boolean })[] = await this.#pool.read(
      (sql) => sql`
        SELECT id, username, fold, password, disabled,
          EXISTS (SELECT 1 FROM known_keys WHERE user_id = id AND public_key = ${key ?? null}) AS known
        FROM users WHERE fold = ${fold}`,
    );
    return row === undefined ? undefined : { account: accountOf(row), isKnown: row.known };
  }

  async byId(id: number): Promise<Account | undefined> {
    const [row]: AccountRow[] = await this.#pool.read(
      (sql) => sql`SELECT id, username, fold, password, disabled FROM users WHERE id = ${id}`,
    );
    return row && accountOf(row);
  }

  async isTaken(fold: string): Promise<boolean> {
    const [row]: { taken: boolean }[] = await this.#pool.read(
      (sql) => sql`
        SELECT EXISTS (SELECT 1 FROM users WHERE fold = ${fold})
          OR EXISTS (SELECT 1 FROM deleted_names WHERE fold = ${fold} AND until > ${this.#now()}) AS taken`,
    );
    return row?.taken === true;
  }

  async add({ username, password, email }: NewAccount): Promise<boolean> {
    const [fold, now] = [foldOf(username), this.#now()];
    const made: unknown[] = await this.#pool.write(
      (sql) => sql`
        INSERT INTO users (username, password, email, created_at, fold)
        SELECT ${username}, ${password}, ${email}, ${creationTime(now)}, ${fold}
        WHERE NOT EXISTS (SELECT 1 FROM deleted_names WHERE fold = ${fold} AND until > ${now})
        ON CONFLICT DO NOTHING RETURNING id`,
    );
    return made.length === 1;
  }

  async use(hash: string, key: Uint8Array): Promise<Account | undefined> {
    const [bytes, now] = [hashBytes(hash), this.#now()];
    const [row]: (AccountRow & { last_used: string })[] = await this.#pool.read(
      (sql) => sql`
        SELECT id, username, fold, password, disabled, tokens.last_used
        FROM tokens JOIN users ON users.id = user_id
        WHERE hash = ${bytes} AND public_key = ${key} AND tokens.last_used > ${now - TOKEN_LIFETIME}`,
    );
    if (row === undefined) return undefined;
    // The use is never set back: otherwise an hour of a wrong clock would end all tokens used in it.
    if (now - Number(row.last_used) >= LAST_USE_PRECISION) {
      await this.#pool
        .write((sql) => sql`UPDATE tokens SET last_used = greatest(last_used, ${now}) WHERE hash = ${bytes}`)
        .catch((error: unknown) => {
          // A server that takes no writes now must not refuse a login.
          if (!(error instanceof StoreBusy)) throw error;
        });
    }
    return accountOf(row);
  }

  async issue(
    { id, password }: Pick<Account, "id" | "password">,
    hash: string,
    key: Uint8Array,
  ): Promise<{ newKey: boolean } | undefined> {
    const now = this.#now();
    const [row]: { new_key: boolean }[] = await this.#pool.write(
      // Tokens of a wrong future are deleted first. `xmax` is 0 in a row that was not there.
      (sql) => sql`
        WITH account AS (
          SELECT id FROM users WHERE id = ${id} AND password = ${password} AND NOT disabled FOR SHARE
        ), room AS (
          DELETE FROM tokens WHERE EXISTS (SELECT 1 FROM account) AND user_id = ${id} AND (
            last_used <= ${now - TOKEN_LIFETIME} OR hash IN (
              SELECT hash FROM tokens WHERE user_id = ${id}
              ORDER BY (last_used > ${now + LAST_USE_PRECISION}), last_used DESC OFFSET ${MAX_TOKENS - 1}
            )
          )
        ), known AS (
          INSERT INTO known_keys (user_id, public_key, last_used) SELECT id, ${key}, ${now} FROM account
          ON CONFLICT (user_id, public_key) DO UPDATE SET last_used = excluded.last_used
          RETURNING (xmax = 0) AS new_key
        ), forgotten AS (
          DELETE FROM known_keys WHERE EXISTS (SELECT 1 FROM account) AND user_id = ${id} AND public_key IN (
            SELECT public_key FROM known_keys WHERE user_id = ${id} AND public_key <> ${key}
            ORDER BY last_used DESC OFFSET ${MAX_KNOWN_KEYS - 1}
          )
        ), token AS (
          INSERT INTO tokens (hash, user_id, public_key, created_at, last_used)
          SELECT ${hashBytes(hash)}, id, ${key}, ${now}, ${now} FROM account RETURNING hash
        )
        SELECT new_key FROM known, token`,
    );
    return row && { newKey: row.new_key };
  }

  setPassword({ id, was, hash, kept }: PasswordChange, cause: RevocationCause): Promise<Change | undefined> {
    return this.#change(id, was, cause, async (sql) => {
      await sql`UPDATE users SET password = ${hash} WHERE id = ${id}`;
      const spared = kept === undefined ? null : hashBytes(kept);
      await sql`DELETE FROM tokens WHERE user_id = ${id} AND hash IS DISTINCT FROM ${spared}`;
    });
  }

  delete(id: number, was: string | undefined, cause: RevocationCause): Promise<Change | undefined> {
    return this.#change(id, was, cause, async (sql, { fold }) => {
      const now = this.#now();
      await sql`DELETE FROM users WHERE id = ${id}`;
      await sql`DELETE FROM deleted_names WHERE until <= ${now}`;
      await sql`
        INSERT INTO deleted_names (fold, until) VALUES (${fold}, ${now + DELETED_NAME_PERIOD})
        ON CONFLICT (fold) DO UPDATE SET until = excluded.until`;
    });
  }

  setDisabled(id: number, disabled: boolean): Promise<Change | undefined> {
    return this.#change(id, undefined, disabled ? { name: "operator" } : undefined, async (sql) => {
      await sql`UPDATE users SET disabled = ${disabled} WHERE id = ${id}`;
    });
  }

  revoke(id: number, hashes: readonly string[]): Promise<Change | undefined> {
    return this.#change(id, undefined, { name: "operator" }, async (sql) => {
      for (const hash of hashes) await sql`DELETE FROM tokens WHERE hash = ${hashBytes(hash)}`;
    });
  }

  async void(hash: string): Promise<void> {
    await this.#pool.write((sql) => sql`DELETE FROM tokens WHERE hash = ${hashBytes(hash)}`);
  }

  async voidKey(id: number, keyFingerprint: string): Promise<void> {
    await this.#pool.write(
      (sql) => sql`
        DELETE FROM tokens WHERE user_id = ${id} AND encode(sha256(public_key), 'hex') = ${keyFingerprint}`,
    );
  }

  async revocations(): Promise<readonly StoredRevocation[]> {
    const rows: RevocationRow[] = await this.#pool.read(
      (sql) => sql`
        SELECT label, before, except_key, by_operator FROM revocations ORDER BY before DESC, label DESC`,
    );
    return rows.map(revocationOf);
  }

  async page(after: string, limit: number): Promise<ListedAccount[]> {
    const rows: (Omit<ListedAccount, "id"> & { id: string })[] = await this.#pool.read(
      (sql) => sql`
        SELECT id, username, fold, email, created_at, disabled FROM users
        WHERE fold > ${after} ORDER BY fold LIMIT ${limit}`,
    );
    return rows.map((row) => ({ ...row, id: Number(row.id) }));
  }

  async tokens(ids: readonly number[]): Promise<StoredToken[]> {
    const oldest = this.#now() - TOKEN_LIFETIME;
    const rows: TokenRow[] = await this.#pool.read(
      (sql) => sql`
        SELECT hash, user_id, public_key, created_at, last_used FROM tokens
        WHERE user_id = ANY(${sql.array([...ids], "BIGINT")}) AND last_used > ${oldest}
        ORDER BY user_id, last_used DESC`,
    );
    return rows.map((row) => ({
      userId: Number(row.user_id),
      hash: row.hash.toString("hex"),
      publicKey: row.public_key,
      madeAt: Number(row.created_at),
      lastUsed: Number(row.last_used),
    }));
  }

  async ended<S extends LiveSession>(sessions: readonly S[]): Promise<S[]> {
    const ids = sessions.map(({ userId }) => userId);
    const hashes = sessions.map(({ key }) => key?.tokenHash ?? "");
    const rows: { place: string }[] = await this.#pool.read(
      (sql) => sql`
        SELECT place FROM unnest(${sql.array(ids, "BIGINT")}, ${sql.array(hashes, "TEXT")})
          WITH ORDINALITY AS session(id, hash, place)
        WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = session.id AND NOT disabled)
          OR session.hash <> '' AND NOT EXISTS (
            SELECT 1 FROM tokens WHERE tokens.hash = decode(session.hash, 'hex'))`,
    );
    return rows.map(({ place }) => sessions[Number(place) - 1] as S);
  }

  async check(): Promise<void> {
    const [row]: { read_only: string }[] = await this.#pool.read(
      (sql) => sql`SELECT current_setting('transaction_read_only') AS read_only FROM meta`,
    );
    if (row?.read_only !== "off")
      throw Object.assign(new Error("PostgreSQL is read-only"), { code: "25006" });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Changes an account and revokes its certificates, in one transaction, which holds back logins to it. */
  #change(
    id: number,
    was: string | undefined,
    cause: RevocationCause | undefined,
    write: (sql: TransactionSQL, account: Account) => Promise<void>,
  ): Promise<Change | undefined> {
    return this.#pool.transaction(async (sql) => {
      const [row]: AccountRow[] = await sql`
        SELECT id, username, fold, password, disabled FROM users WHERE id = ${id} FOR UPDATE`;
      if (row === undefined || (was !== undefined && row.password !== was)) return undefined;
      // Read before the change, which may void the tokens that say when the newest certificate was made.
      const [newest]: { at: string | null }[] = await sql`
        SELECT max(last_used) AS at FROM tokens WHERE user_id = ${id}`;
      await write(sql, accountOf(row));
      return cause === undefined ? NOTHING : this.#revoke(sql, row.username, cause, Number(newest?.at ?? 0));
    });
  }

  async #revoke(
    sql: TransactionSQL,
    username: string,
    cause: RevocationCause,
    certified: number,
  ): Promise<Change> {
    const now = this.#now();
    const rows: RevocationRow[] = await sql`
      SELECT label, before, except_key, by_operator FROM revocations WHERE label = ${labelOf(username)}`;
    const stored = rows.map(revocationOf);
    const revocation = nextRevocation(username, cause, { stored, certified, now, margin: REVOCATION_MARGIN });
    if (revocation === undefined) return NOTHING;
    await sql`DELETE FROM revocations WHERE before <= ${oldestRow(now)} OR label = ${revocation.label}`;
    for (const { label, before, except = null, byOperator } of afterAdding(revocation, stored, now)) {
      await sql`INSERT INTO revocations VALUES (${label}, ${before}, ${except}, ${byOperator})`;
    }
    if (revocation.byOperator) return { revocation, dropped: 0 };
    const dropped: unknown[] = await sql`
      DELETE FROM revocations WHERE (label, before) IN (
        SELECT label, before FROM revocations WHERE NOT by_operator
        ORDER BY before DESC, label DESC OFFSET ${MAX_OWN_REVOCATIONS}
      ) RETURNING label`;
    return { revocation, dropped: dropped.length };
  }
}

/** Whether a text can be in the database: PostgreSQL takes no NUL, and half a character would become another one. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function accountOf({ id, username, fold, password, disabled }: AccountRow): Account {
  return { id: Number(id), username, fold, password, disabled };
}

function revocationOf({ label, before, except_key, by_operator }: RevocationRow): StoredRevocation {
  return { label, before: Number(before), except: except_key ?? undefined, byOperator: by_operator };
}
