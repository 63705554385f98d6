import { createHash } from "node:crypto";
import { label } from "./names.ts";

const HEX_FINGERPRINT = /^[0-9a-f]{64}$/;
// Room for 64 digits with a separator and spaces around each, as a person may paste them.
const MAX_FINGERPRINT_INPUT = 256;

const SAFETY_PREFIX = "paloma safety 1";
const SAFETY_GROUPS = 12;
const SAFETY_GROUP_BYTES = 5;
const SAFETY_GROUP_MODULUS = 100_000;

/** The fingerprint of a public key: SHA-256 of its DER SubjectPublicKeyInfo, 64 lower-case hexadecimal digits (PROTOCOL 3). */
export function fingerprint(spki: Buffer): string {
  return createHash("sha256").update(spki).digest("hex");
}

/** A fingerprint (64 hexadecimal digits) as it is shown: in groups of four. */
export function showFingerprint(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, "$1 ");
}

/**
 * A typed fingerprint (capitals, white space and colons are accepted) in its form on the wire, or undefined when it
 * does not have exactly 64 hexadecimal digits.
 */
export function parseFingerprint(input: string): string | undefined {
  if (input.length > MAX_FINGERPRINT_INPUT) return undefined;
  const hex = input.replace(/[\s:]/g, "").toLowerCase();
  return HEX_FINGERPRINT.test(hex) ? hex : undefined;
}

/**
 * The number that two people compare aloud: twelve groups of five digits, the same on both sides (PROTOCOL 3).
 * `name` in any spelling; `spki` is the DER SubjectPublicKeyInfo.
 */
export function safetyNumber(a: { name: string; spki: Buffer }, b: { name: string; spki: Buffer }): string {
  const left = { label: label(a.name), spki: a.spki };
  const right = { label: label(b.name), spki: b.spki };
  // Two devices of one person have the same label; then the keys decide the order.
  const order =
    Buffer.compare(Buffer.from(left.label), Buffer.from(right.label)) ||
    Buffer.compare(left.spki, right.spki);
  const [first, second] = order <= 0 ? [left, right] : [right, left];
  // The labels are hashed as text, 40 ASCII digits each, not as the 20 bytes that they encode.
  const digest = createHash("sha512")
    .update(SAFETY_PREFIX, "ascii")
    .update(first.label, "ascii")
    .update(first.spki)
    .update(second.label, "ascii")
    .update(second.spki)
    .digest();
  const groups: string[] = [];
  for (let k = 0; k < SAFETY_GROUPS; k++) {
    const value = digest.readUIntBE(k * SAFETY_GROUP_BYTES, SAFETY_GROUP_BYTES) % SAFETY_GROUP_MODULUS;
    groups.push(String(value).padStart(5, "0"));
  }
  return groups.join(" ");
}
