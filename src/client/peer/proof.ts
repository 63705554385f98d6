/**
 * The checklist of PROTOCOL 3. A connection that does not pass all of it is closed before anything is sent.
 *
 * 1. The handshake ends in time (`net/connection.ts`).
 * 2. It has no error, is authorized, and does not resume a TLS session.
 * 3. The certificate has one common name, which is not our own, and one dNSName, which is the name's label; it is
 *    valid now.
 * 4. If we have dialled, the name is the one that we dialled.
 * 5. The key is pinned, or the server reports no other one; a new key of a contact with pins waits for the person's
 *    decision.
 * 6. The username in `hello` is the common name (`link.ts`).
 */
import type { X509Certificate } from "node:crypto";

import { readCertificate, type CertificateNames } from "../../identity/certificate-reader.ts";
import { label, MAX_NAME_CODE_POINTS } from "../../identity/names.ts";
import type { Handshake } from "../../net/tls.ts";
import { countCodePoints } from "../../protocol/fields.ts";

/** The person of a verified certificate. */
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
 * @param context.ownLabel the label of this account
 * @param context.target the dialled name, as the server or the contact list spells it; undefined: we accept
 * @param context.now ms since 1970
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
  /** The first key of this contact, which the caller pins. */
  | "pin"
  /** A key that is not pinned, of a contact with pins: it waits for the person's decision. */
  | "pending"
  /** The server reports another key for this name. */
  | "refused";

/**
 * Step 5.
 * @param atServer the fingerprint that the server reports; undefined: none (offline, no answer, no server)
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
