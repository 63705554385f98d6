/**
 * Session tokens (PROTOCOL 4): 32 random bytes that name a user and a public key. Only their SHA-256 is
 * kept, so that who reads the database cannot log in with what he finds.
 */
import { SQLiteError, type Database } from "bun:sqlite";
import { createHash, randomBytes } from "node:crypto";

/** A token is void this long after its last use, in ms. */
export const TOKEN_LIFETIME = 30 * 24 * 3_600_000;
/** Tokens of a user; past it the least recently used goes. */
export const MAX_TOKENS = 5;
/** Keys remembered of a user, to tell a new one; past it the least recently used is forgotten. */
export const MAX_KNOWN_KEYS = 64;
/** A use is written when the one on the disk is older than this, in ms: a resume mostly costs no write. */
const LAST_USE_PRECISION = 3_600_000;
/** Uses kept in memory only; past it all of them are written. */
const MAX_UNWRITTEN_USES = 10_000;

const TOKEN_BYTES = 32;
const TOKEN_LENGTH = 43;

export type Token = { readonly hash: Uint8Array; readonly userId: number; readonly publicKey: Uint8Array };

/** A valid token as the operator sees it; times are in ms since 1970. */
export type StoredToken = {
  readonly hash: Uint8Array;
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
  /** Last uses, in ms since 1970, that the disk does not know, by the hash in hexadecimal. */
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
  }

  /** Makes a token for a user and a key (DER); `newKey`: the user never logged in with it before. */
  issue(
    userId: number,
    publicKey: Uint8Array,
    now: number,
  ): { token: string; hash: Uint8Array; newKey: boolean } {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const hash = hashOf(token);
    let newKey = false;
    this.#database.transaction(() => {
      this.#makeRoom(userId, now);
      this.#database
        .query("INSERT INTO tokens (hash, user_id, public_key, created_at, last_used) VALUES (?, ?, ?, ?, ?)")
        .run(hash, userId, publicKey, now, now);
      newKey = this.#rememberKey(userId, publicKey, now);
    })();
    return { token, hash, newKey };
  }

  /** The token, if it is valid at `now`; this is a use of it. */
  use(token: string, publicKey: Uint8Array, now: number): Token | undefined {
    if (token.length !== TOKEN_LENGTH) return undefined;
    const row = this.#byHash.get(hashOf(token));
    if (row === null) return undefined;
    // The row goes with the next login: who shows an old token shall not need the disk.
    if (this.#lastUse(row) + TOKEN_LIFETIME <= now) return undefined;
    if (!Buffer.from(row.public_key).equals(publicKey)) return undefined;
    // Never back: a clock that is wrong for an hour would end every token of those who come meanwhile.
    const isDue = now - row.last_used >= LAST_USE_PRECISION;
    if (!isDue || !this.#written(() => this.#touch.run(now, row.hash))) this.#remember(row.hash, now);
    else this.#unwritten.delete(keyOf(row.hash));
    return { hash: row.hash, userId: row.user_id, publicKey: row.public_key };
  }

  /** The user's tokens that are valid at `now`, the last used first; uses that only memory knows count. */
  stored(userId: number, now: number): StoredToken[] {
    return this.#ofUser
      .all(userId)
      .map((row) => ({
        hash: row.hash,
        publicKey: row.public_key,
        madeAt: row.created_at,
        lastUsed: this.#lastUse(row),
      }))
      .filter(({ lastUsed }) => lastUsed + TOKEN_LIFETIME > now)
      .sort((a, b) => b.lastUsed - a.lastUsed);
  }

  void(hash: Uint8Array): void {
    this.#delete.run(hash);
    this.#unwritten.delete(keyOf(hash));
  }

  /** Writes the uses that only memory knows. */
  writeUses(): void {
    if (this.#unwritten.size === 0) return;
    this.#database.transaction(() => {
      for (const [key, at] of this.#unwritten) this.#touch.run(at, Buffer.from(key, "hex"));
    })();
    this.#unwritten.clear();
  }

  /** Whether a time could be written; nobody is refused because the disk is full or another program has it. */
  #written(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (error instanceof SQLiteError) return false;
      throw error;
    }
  }

  #remember(hash: Uint8Array, at: number): void {
    this.#unwritten.set(keyOf(hash), at);
    if (this.#unwritten.size <= MAX_UNWRITTEN_USES || this.#written(() => this.writeUses())) return;
    const [oldest = ""] = this.#unwritten.keys();
    this.#unwritten.delete(oldest);
  }

  #lastUse(row: Row): number {
    return Math.max(row.last_used, this.#unwritten.get(keyOf(row.hash)) ?? 0);
  }

  #makeRoom(userId: number, now: number): void {
    // Uses in the future say nothing but that a clock was wrong: they go first.
    const isFuture = (row: Row) => Number(this.#lastUse(row) > now + LAST_USE_PRECISION);
    const rows = this.#ofUser
      .all(userId)
      .sort((a, b) => isFuture(a) - isFuture(b) || this.#lastUse(b) - this.#lastUse(a));
    rows.forEach((row, index) => {
      if (index >= MAX_TOKENS - 1 || this.#lastUse(row) + TOKEN_LIFETIME <= now) this.void(row.hash);
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

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token, "ascii").digest();
}

/** How many hexadecimal digits of a token's hash name it to the operator: enough for the few of one account. */
const TOKEN_ID_LENGTH = 12;

/** What the operator calls a token: it proves nothing, and the token cannot be found from it. */
export function tokenId(hash: Uint8Array): string {
  return keyOf(hash).slice(0, TOKEN_ID_LENGTH);
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString("hex");
}
