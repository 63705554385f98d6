import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** An Ed25519 key pair; `spki` is the public key as DER SubjectPublicKeyInfo (44 bytes). */
export type KeyPair = { privateKey: KeyObject; spki: Buffer };

/** Bytes of an Ed25519 SubjectPublicKeyInfo in DER (RFC 8410, section 4). */
const SPKI_BYTES = 44;

// SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING (33 bytes, no unused bits) }: the only DER form of such a key.
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

// y of the eight points of small order (one or two points to each y). With such a public key anyone can make valid
// signatures, so that its certificate would identify nobody. node:crypto accepts them as keys. It also accepts bytes
// that are not a point; they need no list, because no signature is valid with them (RFC 8032, 5.1.7).
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** A new Ed25519 key pair from the system's randomness. */
export function generateKeyPair(): KeyPair {
  return pairOf(generateKeyPairSync("ed25519").privateKey);
}

/** The private key as PKCS #8 in PEM, not encrypted: for a file that only its owner can read. */
export function privateKeyToPem(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

/** The pair of a private key in PEM. Throws an Error when it is not an Ed25519 private key. */
export function keyPairFromPem(pem: string): KeyPair {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== "ed25519") throw new Error("the private key is not an Ed25519 key");
  return pairOf(privateKey);
}

/**
 * Reads the `public_key` of a request: canonical base64 of what {@link isPublicKey} accepts (PROTOCOL 3). Anything else
 * gives undefined.
 */
export function parsePublicKey(base64: string): Buffer | undefined {
  const spki = parseBase64(base64, SPKI_BYTES);
  return spki !== undefined && isPublicKey(spki) ? spki : undefined;
}

/** Reads canonical base64 (RFC 4648, 4) of exactly `length` bytes; undefined for anything else. */
export function parseBase64(base64: string, length: number): Buffer | undefined {
  if (base64.length !== 4 * Math.ceil(length / 3)) return undefined;
  const bytes = Buffer.from(base64, "base64");
  // Node's decoder skips unknown characters and accepts base64url; only the canonical form survives the round trip.
  return bytes.length === length && bytes.toString("base64") === base64 ? bytes : undefined;
}

/**
 * Whether this is the DER SubjectPublicKeyInfo of an Ed25519 key (RFC 8410), exactly {@link SPKI_BYTES} bytes, without
 * points of small order and without a y that is not below the field's prime (RFC 8032, 5.1.3).
 */
export function isPublicKey(spki: Buffer): boolean {
  if (spki.length !== SPKI_BYTES || !spki.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX)) return false;
  const y = Buffer.from(spki.subarray(SPKI_PREFIX.length));
  y.writeUInt8(y.readUInt8(31) & 0x7f, 31); // the top bit is the sign of x
  return !SMALL_ORDER_Y.has(y.toString("hex")) && isBelowPrime(y);
}

// p = 2^255 − 19, little-endian: ed, thirty times ff, 7f.
function isBelowPrime(y: Buffer): boolean {
  return y.readUInt8(0) < 0xed || y.readUInt8(31) < 0x7f || y.subarray(1, 31).some((byte) => byte !== 0xff);
}

function pairOf(privateKey: KeyObject): KeyPair {
  const publicKey = createPublicKey(privateKey.export({ format: "pem", type: "pkcs8" }));
  return { privateKey, spki: publicKey.export({ format: "der", type: "spki" }) };
}
