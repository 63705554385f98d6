/**
 * The checklist of PROTOCOL 3, in one place: a connection is a peer only if all of it holds, else it is
 * ended before a byte of ours.
 *
 * 1. The handshake is done in time (`net/connection.ts`).
 * 2. No error, authorized, not resumed.
 * 3. One common name that is not mine; one dNSName, its label; in date.
 * 4. The dialler asked for the target's label, and the name is the target's.
 * 5. The key is pinned, or the server knows no other one; a new key of a contact that has pins waits for
 *    the person's decision.
 * 6. The greeting (`link.ts`): `hello`, whose username is the common name.
 */
import type { X509Certificate } from "node:crypto";

import { readCertificate, type CertificateNames } from "../../identity/certificate-reader.ts";
import { label, MAX_NAME_CODE_POINTS } from "../../identity/names.ts";
import type { Handshake } from "../../net/tls.ts";
import { countCodePoints } from "../../protocol/fields.ts";

/** Whom a verified certificate names. */
export type ProvenPeer = {
  readonly name: string;
  readonly label: string;
  readonly fingerprint: string;
  readonly spki: Buffer;
};

export type ProofFailure =
  "not_authorized" | "resumed" | "bad_certificate" | "own_certificate" | "not_in_date" | "other_name";

export type Proof =
  { readonly ok: true; readonly peer: ProvenPeer } | { readonly ok: false; readonly code: ProofFailure };

/**
 * Steps 2 to 4.
 * @param ownLabel the label of this account.
 * @param target the name that was dialled, as the server or the contact list has it; undefined for
 *   the accepting side.
 * @param now ms since 1970.
 */
export function provePeer(
  handshake: Handshake,
  certificate: X509Certificate | undefined,
  context: { readonly ownLabel: string; readonly target: string | undefined; readonly now: number },
): Proof {
  const failed = (code: ProofFailure): Proof => ({ ok: false, code });
  if (handshake.reused) return failed("resumed");
  if (!handshake.done || handshake.error !== undefined || !handshake.authorized)
    return failed("not_authorized");
  if (certificate === undefined) return failed("bad_certificate");
  let names: CertificateNames;
  try {
    names = readCertificate(certificate);
  } catch {
    return failed("bad_certificate");
  }
  const [name] = names.commonNames;
  if (
    name === undefined ||
    names.commonNames.length !== 1 ||
    !/^\P{Cc}+$/u.test(name) ||
    countCodePoints(name) > MAX_NAME_CODE_POINTS ||
    names.dnsNames.length !== 1 ||
    names.dnsNames[0] !== label(name)
  ) {
    return failed("bad_certificate");
  }
  if (label(name) === context.ownLabel) return failed("own_certificate");
  if (context.now < names.notBefore || context.now > names.notAfter) return failed("not_in_date");
  if (context.target !== undefined && context.target !== name) return failed("other_name");
  return {
    ok: true,
    peer: { name, label: label(name), fingerprint: names.fingerprint, spki: names.spki },
  };
}

export type KeyVerdict =
  /** One of the contact's pins. */
  | "pinned"
  /** The first key of this contact: pin it and go on. */
  | "pin"
  /** Another key than the pinned ones: it waits for the person's decision. */
  | "pending"
  /** The server knows another key for this name. */
  | "refused";

/**
 * Step 5. The server is asked only about a key that is not pinned.
 * @param atServer the fingerprint that the server names; undefined: none (offline, no answer, no server).
 */
export function judgeKey(
  pins: readonly string[],
  fingerprint: string,
  atServer: string | undefined,
): KeyVerdict {
  if (pins.includes(fingerprint)) return "pinned";
  if (atServer !== undefined && atServer !== fingerprint) return "refused";
  return pins.length === 0 ? "pin" : "pending";
}
