/**
 * The checklist of PROTOCOL 3. A connection that does not pass all of it is closed before anything is sent.
 *
 * 1. The handshake ends in time (`net/connection.ts`).
 * 2. It has no error, is authorized, and does not resume a TLS session.
 * 3. The certificate is one that the authority itself issues to users (`readUserCertificate`), its name is not our
 *    own, it is valid now, and it was not revoked.
 * 4. If we have dialled, the name is the one that we dialled.
 * 5. The key is pinned, or the server reports no other one; a new key of a contact with pins waits for the person's
 *    decision. A server that accepts no lookups now has not reported anything: the connection is ended until it does.
 * 6. The username in `hello` is the common name (`link.ts`).
 */
import type { X509Certificate } from "node:crypto";

import type { UserCertificate } from "../../identity/certificate-reader.ts";
import type { DatedCertificate } from "../../identity/revocation.ts";
import type { Handshake } from "../../net/tls.ts";
import { hasLongMarkRun } from "../../protocol/normal-form.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";

/** The person of a verified certificate. */
export type ProvenPeer = {
  readonly name: string;
  readonly label: string;
  /** Of the certificate, ms since 1970. */
  readonly notBefore: number;
  readonly fingerprint: string;
  readonly spki: Buffer;
};

export type ProofFailure =
  | "not_authorized"
  | "resumed"
  | "bad_certificate"
  | "own_certificate"
  | "not_in_date"
  | "other_name"
  | "revoked";

export type Proof =
  { readonly ok: true; readonly peer: ProvenPeer } | { readonly ok: false; readonly code: ProofFailure };

/**
 * Steps 2 to 4.
 * @param context.read as `readUserCertificate`, of the pinned authority
 * @param context.ownLabel the label of this account
 * @param context.target the dialled name, as the server or the contact list spells it; undefined: we accept
 * @param context.now ms since 1970
 * @param context.isRevoked whether the server has taken this certificate back
 */
export function provePeer(
  handshake: Handshake,
  certificate: X509Certificate | undefined,
  context: {
    readonly read: (certificate: X509Certificate) => UserCertificate;
    readonly ownLabel: string;
    readonly target: string | undefined;
    readonly now: number;
    readonly isRevoked: (certificate: DatedCertificate) => boolean;
  },
): Proof {
  const failed = (code: ProofFailure): Proof => ({ ok: false, code });
  if (handshake.reused) return failed("resumed");
  if (!handshake.done || handshake.error !== undefined || !handshake.authorized)
    return failed("not_authorized");
  if (certificate === undefined) return failed("bad_certificate");
  let user: UserCertificate;
  try {
    user = context.read(certificate);
  } catch {
    return failed("bad_certificate");
  }
  const { name, label, fingerprint, spki, notBefore, notAfter } = user;
  if (hasLongMarkRun(name)) return failed("bad_certificate");
  if (label === context.ownLabel) return failed("own_certificate");
  if (!(notBefore <= context.now && context.now <= notAfter)) return failed("not_in_date");
  if (context.target !== undefined && context.target !== name) return failed("other_name");
  const peer = { name, label, notBefore, fingerprint, spki };
  return context.isRevoked(peer) ? failed("revoked") : { ok: true, peer };
}

/** What the server says about the key of a name. */
export type KeyReport =
  | { readonly name: "key"; readonly fingerprint: string }
  /** It names no key: the person is offline, it did not answer in time, or there is no server. */
  | { readonly name: "nothing" }
  /** It cannot be asked now: too many lookups were made. */
  | { readonly name: "notNow" };

/** What a lookup says about the key of the name that was looked up. */
export function keyReport(where: Whereabouts): KeyReport {
  if (where.name === "limited") return { name: "notNow" };
  return where.name === "online" && where.fingerprint !== undefined
    ? { name: "key", fingerprint: where.fingerprint }
    : { name: "nothing" };
}

export type KeyVerdict =
  /** One of the contact's pins. */
  | "pinned"
  /** The first key of this contact, which the caller pins. */
  | "pin"
  /** A key that is not pinned, of a contact with pins: it waits for the person's decision. */
  | "pending"
  /** The server reports another key for this name. */
  | "refused"
  /** A key that is not pinned, and the server cannot be asked now. */
  | "notNow";

/** `verifies`: a pending key of somebody whom the person is about to verify. */
export type LinkVerdict = KeyVerdict | "verifies";

/** What becomes of a peer that has dialled us. */
export type Admission = "admitted" | Exclude<LinkVerdict, "pinned" | "pin">;

/** Step 5. */
export function judgeKey(pins: readonly string[], fingerprint: string, report: KeyReport): KeyVerdict {
  if (pins.includes(fingerprint)) return "pinned";
  if (report.name === "notNow") return "notNow";
  if (report.name === "key" && report.fingerprint !== fingerprint) return "refused";
  return pins.length === 0 ? "pin" : "pending";
}
