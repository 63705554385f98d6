/** The session tokens of the SQLite store, and the keys that people have used. */
import { SQLiteError, type Database } from "bun:sqlite";

import { fingerprint } from "../../identity/fingerprint.ts";
import { hashBytes } from "./session-token.ts";
import { LAST_USE_PRECISION, MAX_KNOWN_KEYS, MAX_TOKENS, TOKEN_LIFETIME, type StoredToken } from "./store.ts";

/** Uses kept in memory only; beyond it all are written. */
const MAX_UNWRITTEN_USES = 10_000;

type Row = {
  hash: Uint8Array;
  user_id: number;
  public_key: Uint8Array;
  created_at: number;
  last_used: number;
};

export class SqliteTokens {
  readonly #database: Database;
  readonly #byHash;
  readonly #ofUser;
  readonly #delete;
  readonly #touch;
  readonly #known;
  /** Last uses that are not on the disk, in ms since 1970, by hash. */
  readonly #unwritten = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
    this.#byHash = database.query<Row, [Uint8Array]>(
      "SELECT hash, user_id, public_key, created_at, last_used FROM tokens WHERE hash = ?",
    );
    this.#ofUser = database.query<Row, [number]>(
      "SELECT hash, user_id, public_key, created_at, last_used FROM tokens WHERE user_id = ?",
    );
    this.#delete = database.query<unknown, [Uint8Array]>("DELETE FROM tokens WHERE hash = ?");
    this.#touch = database.query<unknown, [number, Uint8Array]>(
      "UPDATE tokens SET last_used = max(last_used, ?) WHERE hash = ?",
    );
    this.#known = database.query<{ known: 1 }, [number, Uint8Array]>(
      "SELECT 1 AS known FROM known_keys WHERE user_id = ? AND public_key = ?",
    );
  }

  /** Adds a token for a user and a key. @returns whether the user has not logged in with the key before */
  issue(userId: number, hash: string, publicKey: Uint8Array, now: number): boolean {
    this.#makeRoom(userId, now);
    this.#database
      .query("INSERT INTO tokens (hash, user_id, public_key, created_at, last_used) VALUES (?, ?, ?, ?, ?)")
      .run(hashBytes(hash), userId, publicKey, now, now);
    return this.#rememberKey(userId, publicKey, now);
  }

  /** The user of a token that is valid for this key at `now`, which counts as a use. */
  use(hash: string, publicKey: Uint8Array, now: number): number | undefined {
    const row = this.#byHash.get(hashBytes(hash));
    if (row === null) return undefined;
    // The next login deletes the row: refusing an old token must not need a write.
    if (this.#lastUse(hash, row) + TOKEN_LIFETIME <= now) return undefined;
    if (!Buffer.from(row.public_key).equals(publicKey)) return undefined;
    // The use is never set back: otherwise an hour of a wrong clock would end all tokens used in it.
    const isDue = now - row.last_used >= LAST_USE_PRECISION;
    if (!isDue || !this.#written(() => this.#touch.run(now, row.hash))) this.#remember(hash, now);
    else this.#unwritten.delete(hash);
    return row.user_id;
  }

  isThere(hash: string): boolean {
    return this.#byHash.get(hashBytes(hash)) !== null;
  }

  /** The user's tokens that are valid at `now`, the most recently used first; unwritten uses count. */
  stored(userId: number, now: number): StoredToken[] {
    return this.#rowsOf(userId)
      .map(({ hash, row, lastUsed }) => ({
        userId,
        hash,
        publicKey: row.public_key,
        madeAt: row.created_at,
        lastUsed,
      }))
      .filter(({ lastUsed }) => lastUsed + TOKEN_LIFETIME > now)
      .sort((a, b) => b.lastUsed - a.lastUsed);
  }

  /** When a token of the user was last used, in ms since 1970; 0: there is none. */
  lastUse(userId: number): number {
    return Math.max(0, ...this.#rowsOf(userId).map(({ lastUsed }) => lastUsed));
  }

  /** Whether this key (DER) is remembered for the user. */
  knows(userId: number, publicKey: Uint8Array): boolean {
    return this.#known.get(userId, publicKey) !== null;
  }

  /** Voids every token of the user for the key with this fingerprint. */
  voidKey(userId: number, keyFingerprint: string): void {
    for (const { hash, row } of this.#rowsOf(userId)) {
      if (fingerprint(Buffer.from(row.public_key)) === keyFingerprint) this.void(hash);
    }
  }

  /** Voids every token of the user but `kept`. */
  voidAll(userId: number, kept: string | undefined): void {
    for (const { hash } of this.#rowsOf(userId)) if (hash !== kept) this.void(hash);
  }

  void(hash: string): void {
    this.#delete.run(hashBytes(hash));
    this.#unwritten.delete(hash);
  }

  /** Writes the uses that are only in memory. */
  writeUses(): void {
    if (this.#unwritten.size === 0) return;
    this.#database.transaction(() => {
      for (const [hash, at] of this.#unwritten) this.#touch.run(at, hashBytes(hash));
    })();
    this.#unwritten.clear();
  }

  /** Whether `write` succeeded. A full disk or a locked database must not refuse a login. */
  #written(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (error instanceof SQLiteError) return false;
      throw error;
    }
  }

  #remember(hash: string, at: number): void {
    this.#unwritten.set(hash, at);
    if (this.#unwritten.size <= MAX_UNWRITTEN_USES || this.#written(() => this.writeUses())) return;
    const [oldest = ""] = this.#unwritten.keys();
    this.#unwritten.delete(oldest);
  }

  #lastUse(hash: string, row: Row): number {
    return Math.max(row.last_used, this.#unwritten.get(hash) ?? 0);
  }

  #rowsOf(userId: number): { hash: string; row: Row; lastUsed: number }[] {
    return this.#ofUser.all(userId).map((row) => {
      const hash = Buffer.from(row.hash).toString("hex");
      return { hash, row, lastUsed: this.#lastUse(hash, row) };
    });
  }

  #makeRoom(userId: number, now: number): void {
    // A use in the future comes from a wrong clock: such tokens are deleted first.
    const isFuture = (lastUsed: number) => Number(lastUsed > now + LAST_USE_PRECISION);
    const rows = this.#rowsOf(userId).sort(
      (a, b) => isFuture(a.lastUsed) - isFuture(b.lastUsed) || b.lastUsed - a.lastUsed,
    );
    rows.forEach(({ hash, lastUsed }, index) => {
      if (index >= MAX_TOKENS - 1 || lastUsed + TOKEN_LIFETIME <= now) this.void(hash);
    });
  }

  #rememberKey(userId: number, publicKey: Uint8Array, now: number): boolean {
    const { changes } = this.#database
      .query("UPDATE known_keys SET last_used = ? WHERE user_id = ? AND public_key = ?")
      .run(now, userId, publicKey);
    if (changes === 1) return false;
    this.#database
      .query(
        `DELETE FROM known_keys WHERE user_id = ?1 AND public_key IN (SELECT public_key FROM known_keys
         WHERE user_id = ?1 ORDER BY last_used DESC LIMIT -1 OFFSET ?2)`,
      )
      .run(userId, MAX_KNOWN_KEYS - 1);
    this.#database
      .query("INSERT INTO known_keys (user_id, public_key, last_used) VALUES (?, ?, ?)")
      .run(userId, publicKey, now);
    return true;
  }
}
