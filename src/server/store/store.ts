/** What lasts: accounts, session tokens, revocations and the authority, whatever holds them (PROTOCOL 3 and 4). */
import { errorCode } from "../../net/error-code.ts";
import { REVOCATION_LIFETIME } from "../../identity/revocation.ts";
import type { Change, RevocationCause, StoredRevocation } from "./revocations.ts";

/** How long the name of a deleted account stays taken, in ms: by then its last certificate has expired (PROTOCOL 4). */
export const DELETED_NAME_PERIOD = REVOCATION_LIFETIME;
/** A token expires this long after its last use, in ms. */
export const TOKEN_LIFETIME = 30 * 24 * 3_600_000;
/** Tokens of one user; beyond it the least recently used is deleted. */
export const MAX_TOKENS = 5;
/** Keys remembered for one user, to recognize new ones; beyond it the least recently used is forgotten. */
export const MAX_KNOWN_KEYS = 64;
/** A use is written if the stored one is older than this, in ms, so that most resumes need no write. */
export const LAST_USE_PRECISION = 3_600_000;

export type Account = {
  readonly id: number;
  /** The registered spelling. */
  readonly username: string;
  readonly fold: string;
  /** The argon2id hash. */
  readonly password: string;
  readonly disabled: boolean;
};

export type NewAccount = {
  readonly username: string;
  /** The argon2id hash. */
  readonly password: string;
  readonly email: string;
};

/** An account as the operator sees it. */
export type ListedAccount = Omit<Account, "password"> & {
  readonly email: string | null;
  /** `YYYY-MM-DD hh:mm:ss` in UTC; any text for a migrated account. */
  readonly created_at: string | null;
};

/** A valid token as the operator sees it; times are in ms since 1970. */
export type StoredToken = {
  readonly userId: number;
  /** SHA-256 of the token, in hexadecimal, here and below. */
  readonly hash: string;
  /** DER. */
  readonly publicKey: Uint8Array;
  readonly madeAt: number;
  readonly lastUsed: number;
};

/** The authority's certificate and private key, in PEM. */
export type StoredAuthority = { readonly certificate: string; readonly privateKey: string };

/**
 * The store cannot be used now: answered `server_busy`. Nothing was changed, unless another server did not answer in
 * time. `code` is that of the cause.
 */
export class StoreBusy extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super(`the store cannot be used now (${errorCode(cause)})`, { cause });
    this.code = errorCode(cause);
  }
}

/**
 * A method leaves nothing half done. Folds are folded names, keys are DER, times are taken from the clock with which the
 * store was opened. @throws StoreBusy, and errors of the disk or of the other server.
 */
export interface Store {
  /** Others may change it too while a server runs. */
  readonly isShared: boolean;
  readonly authority: StoredAuthority;
  /** @param key whether the account was used with it before: `isKnown` */
  account(fold: string, key?: Uint8Array): Promise<{ account: Account; isKnown: boolean } | undefined>;
  byId(id: number): Promise<Account | undefined>;
  /** Whether a name cannot be registered: it is in use, or was within `DELETED_NAME_PERIOD`. */
  isTaken(fold: string): Promise<boolean>;
  /** False: the name is taken. Once it resolves, the account is on the disk. */
  add(account: NewAccount): Promise<boolean>;
  /** The account of a token that is valid for this key, which counts as a use. The account may be disabled. */
  use(hash: string, key: Uint8Array): Promise<Account | undefined>;
  /** Adds a token. Undefined: the account is gone or disabled, or its password is another one now. */
  issue(
    account: Pick<Account, "id" | "password">,
    hash: string,
    key: Uint8Array,
  ): Promise<{ newKey: boolean } | undefined>;
  /**
   * Sets a new hash, and voids every token of the user but `kept`.
   * @param was the hash that must still be there; undefined: any
   * @returns undefined if the account is gone or its hash is another one
   */
  setPassword(change: PasswordChange, cause: RevocationCause): Promise<Change | undefined>;
  /** Deletes the account with its tokens and keys; its name stays taken. `was` and result as for `setPassword`. */
  delete(id: number, was: string | undefined, cause: RevocationCause): Promise<Change | undefined>;
  /** Disables the account, which revokes, or enables it; its tokens stay. Undefined: it is gone. */
  setDisabled(id: number, disabled: boolean): Promise<Change | undefined>;
  /** Voids these tokens of the account, and revokes. Undefined: it is gone. */
  revoke(id: number, hashes: readonly string[]): Promise<Change | undefined>;
  void(hash: string): Promise<void>;
  /** Voids every token of the user for the key with this fingerprint. */
  voidKey(id: number, keyFingerprint: string): Promise<void>;
  /** All of them, also those that no longer count. */
  revocations(): Promise<readonly StoredRevocation[]>;
  /** At most `limit` accounts whose fold comes after `after`, in the order of the UTF-8 bytes of their folds. */
  page(after: string, limit: number): Promise<ListedAccount[]>;
  /** The valid tokens of these users, the most recently used of a user first. */
  tokens(ids: readonly number[]): Promise<StoredToken[]>;
  /** Those whose account is gone or disabled, or whose token is void. */
  ended<S extends LiveSession>(sessions: readonly S[]): Promise<S[]>;
  /** @throws unless the store can be read and written */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Who is logged in; without a key there is no token. */
export type LiveSession = {
  readonly userId: number;
  readonly key: { readonly tokenHash: string } | undefined;
};

export type PasswordChange = {
  readonly id: number;
  readonly was: string | undefined;
  readonly hash: string;
  /** The hash of the token that stays valid. */
  readonly kept: string | undefined;
};

/** An account as it is now; undefined if it was deleted, or its password was changed. */
export async function unchanged(store: Store, { id, password }: Account): Promise<Account | undefined> {
  const current = await store.byId(id);
  return current?.password === password ? current : undefined;
}

/** `created_at` of an account made at `now`, ms since 1970. */
export function creationTime(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replace("T", " ");
}
