/**
 * The six digits that two people compare on one link, and the commitment behind them (`src/protocol/PROTOCOL.md`,
 * «Verification»).
 *
 * Whoever is in the middle holds two TLS sessions, whose exporters differ, and so makes two codes of different inputs.
 * When the last honest nonce is revealed, everything else in both codes is fixed: the middle's nonces by its commitment
 * on one side, and by having been revealed first on the other. So the codes are equal by chance only. The keys are hashed
 * too, because the exporter of TLS 1.3 does not cover the dialler's certificate, and they are what is stored.
 *
 * Every part has a fixed length, so that no two inputs are the same bytes.
 */
import { createHash, hkdfSync } from "node:crypto";

/** The exporter label of the TLS session (RFC 8446, 7.5), and how many bytes of it are used. */
export const EXPORTER_LABEL = "EXPORTER-paloma-verify";
export const EXPORTER_BYTES = 32;
/** Bytes of each side's nonce. */
export const NONCE_BYTES = 32;
export const CODE_DIGITS = 6;

const COMMIT_PREFIX = "paloma verify 1 commit";
const CODE_INFO = "paloma verify 1 code";
/** Far more than the digits need, so that they are all equally likely. */
const CODE_BYTES = 8;

/** One person and the key that this link has proven. `spki`: DER SubjectPublicKeyInfo. */
export type VerifiedSide = { readonly label: string; readonly spki: Uint8Array };

/** What one side knows of the link: the bytes that its TLS session exports, and both people and their keys. */
export type VerifiedLink = {
  readonly exported: Uint8Array;
  readonly own: VerifiedSide;
  readonly peer: VerifiedSide;
};

/** Whether our side commits to its nonce: that of the smaller label. */
export function commits({
  own,
  peer,
}: {
  readonly own: Pick<VerifiedSide, "label">;
  readonly peer: Pick<VerifiedSide, "label">;
}): boolean {
  return own.label < peer.label;
}

/** What both sides hash of their link: the side that commits comes first. */
function linkBytes(link: VerifiedLink): Uint8Array[] {
  const [first, second] = commits(link) ? [link.own, link.peer] : [link.peer, link.own];
  return [link.exported, Buffer.from(first.label), first.spki, Buffer.from(second.label), second.spki];
}

/** The commitment to a nonce, 128 hexadecimal digits. @param nonce of the side that commits, {@link NONCE_BYTES} bytes */
export function commitment(link: VerifiedLink, nonce: Uint8Array): string {
  const hash = createHash("sha512").update(COMMIT_PREFIX);
  for (const part of [...linkBytes(link), nonce]) hash.update(part);
  return hash.digest("hex");
}

/** The code, {@link CODE_DIGITS} digits; the same on both sides only if all that they know is the same. */
export function verificationCode(
  link: VerifiedLink,
  { own, peer }: { readonly own: Uint8Array; readonly peer: Uint8Array },
): string {
  const nonces = commits(link) ? [own, peer] : [peer, own];
  const secret = Buffer.concat([...linkBytes(link), ...nonces]);
  const bytes = Buffer.from(hkdfSync("sha512", secret, Buffer.alloc(0), CODE_INFO, CODE_BYTES));
  return String(bytes.readBigUInt64BE() % 10n ** BigInt(CODE_DIGITS)).padStart(CODE_DIGITS, "0");
}
