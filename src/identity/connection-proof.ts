/**
 * Two signatures that bind a TLS connection to a key (PROTOCOL 3). Both cover the SHA-256 of the DER of the server's
 * leaf certificate on that connection, so that neither is of use through somebody in the middle.
 *
 * - The proof of the key: a client has the private key of its `public_key`, on this connection.
 * - The proof of the authority: a server whose leaf its authority has not signed has that authority's key.
 *
 * What is signed begins with a text of its own for each, so that neither can be taken for the other, nor for a
 * signature of a certificate or of TLS.
 */
import { createPublicKey, hash, sign, verify, type KeyObject } from "node:crypto";

import { parseBase64 } from "./keys.ts";

/** Bytes of a `challenge`. */
export const CHALLENGE_BYTES = 32;

const KEY_PREFIX = Buffer.from("paloma key 1", "ascii");
const AUTHORITY_PREFIX = Buffer.from("paloma leaf 1", "ascii");

/** Bytes of an Ed25519 signature (RFC 8032, 5.1.6). */
const SIGNATURE_BYTES = 64;

/** What both sides know of their connection: the server's challenge, and `hashLeaf` of the leaf that it showed there. */
export type ProvenConnection = { readonly challenge: Uint8Array; readonly leafHash: Uint8Array };

/** SHA-256 of a certificate (DER). */
export function hashLeaf(leaf: Uint8Array): Buffer {
  return hash("sha256", leaf, "buffer");
}

/** The `key_proof` of a client, in base64. @param challenge {@link CHALLENGE_BYTES} bytes */
export function proveKey(privateKey: KeyObject, connection: ProvenConnection): string {
  return sign(null, keyStatement(connection), privateKey).toString("base64");
}

/** Whether `proof` shows that the client has the private key of `spki` (see `parsePublicKey`). */
export function isKeyProven(spki: Buffer, proof: Uint8Array, connection: ProvenConnection): boolean {
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  return verify(null, keyStatement(connection), key, proof);
}

/** The `authority_proof` of a server that shows `leaf` (DER), in base64. */
export function proveAuthority(privateKey: KeyObject, leaf: Uint8Array): string {
  return sign(null, authorityStatement(leaf), privateKey).toString("base64");
}

/** Whether `proof` shows that the server that shows `leaf` (DER) has the authority's private key. */
export function isAuthorityProven(authority: KeyObject, proof: Uint8Array, leaf: Uint8Array): boolean {
  return (
    authority.asymmetricKeyType === "ed25519" && verify(null, authorityStatement(leaf), authority, proof)
  );
}

/** Reads a signature: canonical base64 of exactly {@link SIGNATURE_BYTES} bytes; undefined for anything else. */
export function parseSignature(base64: string): Buffer | undefined {
  return parseBase64(base64, SIGNATURE_BYTES);
}

/** Reads a `challenge`: canonical base64 of exactly {@link CHALLENGE_BYTES} bytes; undefined for anything else. */
export function parseChallenge(base64: string): Buffer | undefined {
  return parseBase64(base64, CHALLENGE_BYTES);
}

function keyStatement({ challenge, leafHash }: ProvenConnection): Buffer {
  return Buffer.concat([KEY_PREFIX, challenge, leafHash]);
}

function authorityStatement(leaf: Uint8Array): Buffer {
  return Buffer.concat([AUTHORITY_PREFIX, hashLeaf(leaf)]);
}
