/**
 * Session tokens (PROTOCOL 4): 32 random bytes that stand for a user and a public key. Only their SHA-256 is stored,
 * so that the content of the database is not enough to log in.
 */
import { createHash, randomBytes } from "node:crypto";

const TOKEN_BYTES = 32;
const TOKEN_LENGTH = 43;

/** `hash`: SHA-256 of the token, in hexadecimal. */
export type SessionToken = { readonly token: string; readonly hash: string };

export function newToken(): SessionToken {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return { token, hash: hashOf(token) };
}

/** The hash of what a client shows as its token; undefined if no token has that form. */
export function hashOfToken(shown: string): string | undefined {
  return shown.length === TOKEN_LENGTH ? hashOf(shown) : undefined;
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
