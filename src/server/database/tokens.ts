/**
 * Session tokens (PROTOCOL 4): 32 random bytes that stand for a user and a public key. Only their SHA-256 is stored,
 * so that the content of the database is not enough to log in.
 */
import { SQLiteError, type Database } from "bun:sqlite";
import { createHash, randomBytes } from "node:crypto";

import { fingerprint } from "../../identity/fingerprint.ts";

/** A token expires this long after its last use, in ms. */
export const TOKEN_LIFETIME = 30 * 24 * 3_600_000;
/** Tokens of one user; beyond it the least recently used is deleted. */
export const MAX_TOKENS = 5;
/** Keys remembered for one user, to recognize new ones; beyond it the least recently used is forgotten. */
const MAX_KNOWN_KEYS = 64;
/** A use is written if the stored one is older than this, in ms, so that most resumes need no write. */
const LAST_USE_PRECISION = 3_600_000;
/** Uses kept in memory only; beyond it all are written. */
const MAX_UNWRITTEN_USES = 10_000;

const TOKEN_BYTES = 32;
const TOKEN_LENGTH = 43;

/** `hash`, here and below: SHA-256 of the token, in hexadecimal. */
export type Token = { readonly hash: string; readonly userId: number; readonly publicKey: Uint8Array };

/** A valid token as the operator sees it; times are in ms since 1970. */
type StoredToken = {
  readonly hash: string;
  readonly publicKey: Uint8Array;
  readonly madeAt: number;
  readonly lastUsed: number;
};

type Row = {
  hash: Uint8Array;
  user_id: number;
  public_key: Uint8Array;
  created_at: number;
  last_used: number;
};

export class Tokens {
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

  /** Makes a token for a user and a key (DER). `newKey`: the user has not logged in with it before. */
  issue(
    userId: number,
    publicKey: Uint8Array,
    now: number,
  ): { token: string; hash: string; newKey: boolean } {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const hash = hashOf(token);
    let newKey = false;
    this.#database.transaction(() => {
      this.#makeRoom(userId, now);
      this.#database
        .query("INSERT INTO tokens (hash, user_id, public_key, created_at, last_used) VALUES (?, ?, ?, ?, ?)")
        .run(hashBytes(hash), userId, publicKey, now, now);
      newKey = this.#rememberKey(userId, publicKey, now);
    })();
    return { token, hash, newKey };
  }

  /** The token if it is valid at `now` (ms since 1970), which counts as a use. */
  use(token: string, publicKey: Uint8Array, now: number): Token | undefined {
    if (token.length !== TOKEN_LENGTH) return undefined;
    const hash = hashOf(token);
    const row = this.#byHash.get(hashBytes(hash));
    if (row === null) return undefined;
    // The next login deletes the row: refusing an old token must not need a write.
    if (this.#lastUse(hash, row) + TOKEN_LIFETIME <= now) return undefined;
    if (!Buffer.from(row.public_key).equals(publicKey)) return undefined;
    // The use is never set back: otherwise an hour of a wrong clock would end all tokens used in it.
    const isDue = now - row.last_used >= LAST_USE_PRECISION;
    if (!isDue || !this.#written(() => this.#touch.run(now, row.hash))) this.#remember(hash, now);
    else this.#unwritten.delete(hash);
    return { hash, userId: row.user_id, publicKey: row.public_key };
  }

  /** The user's tokens that are valid at `now`, the most recently used first; unwritten uses count. */
  stored(userId: number, now: number): StoredToken[] {
    return this.#rowsOf(userId)
      .map(({ hash, row, lastUsed }) => ({
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

  /** A session goes on with a new certificate, which counts as a use of its token. */
  renewed(hash: string, now: number): void {
    this.#remember(hash, now);
  }

  /** Whether this key (DER) is remembered for the user. */
  knows(userId: number, publicKey: Uint8Array): boolean {
    return this.#known.get(userId, publicKey) !== null;
  }

  /** Voids every token of the user for the key with this fingerprint. */
  voidKey(userId: number, keyFingerprint: string): void {
    this.#database.transaction(() => {
      for (const { hash, row } of this.#rowsOf(userId)) {
        if (fingerprint(Buffer.from(row.public_key)) === keyFingerprint) this.void(hash);
      }
    })();
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

function hashOf(token: string): string {
  return createHash("sha256").update(token, "ascii").digest("hex");
}

/** The hash as it is stored. */
export function hashBytes(hash: string): Buffer {
  return Buffer.from(hash, "hex");
}

/** Hexadecimal digits of a token's hash that the operator sees: enough for the few tokens of one account. */
const TOKEN_ID_LENGTH = 12;

/** The operator's name for a token: it proves nothing, and the token cannot be computed from it. */
export function tokenId(hash: string): string {
  return hash.slice(0, TOKEN_ID_LENGTH);
}
