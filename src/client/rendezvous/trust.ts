/**
 * Trusting the server (PROTOCOL 3).
 *
 * 1. If nothing is stored for this host and port, the client looks at the server once, without verification.
 *    A leaf valid for Bun's roots and the typed host is trusted as `web`. A rendezvous leaf signed by the
 *    self-signed authority after it in the chain is trusted as `pin`, once the person, a given fingerprint or
 *    a loopback address has confirmed it. Everything else is refused.
 * 2. On every connection of trust `web` the server proves, with `authority_proof`, that its authority stands behind the
 *    leaf of this very connection. The authority's certificate alone is public, so that anybody can repeat it.
 * 3. If something is stored, the verified connection decides. If it fails, the client looks at the server to
 *    find the reason; only the person can replace a pin.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

import { isAuthorityProven, parseSignature } from "../../identity/connection-proof.ts";
import {
  isRendezvousLeaf,
  isSelfSignedAuthority,
  issuedBy,
  readCertificate,
  RENDEZVOUS_DNS_NAME,
  type CertificateNames,
} from "../../identity/certificate-reader.ts";
import { diallerContext, type TlsContext } from "../../net/tls.ts";
import type { Look } from "../../net/look.ts";
import { isLoopback } from "../../protocol/ip-address.ts";
import { ServerError, type ServerErrorCode, type UnreachableCause } from "./server-errors.ts";
import type { ServerTrust } from "./trust-store.ts";

/** The fingerprint of an authority's certificate (PEM); two authorities are equal when these are. */
export function authorityFingerprint(pem: string): string {
  return readCertificate(new X509Certificate(pem)).fingerprint;
}

/** Runs `read`, which parses something that the server sent. @throws ServerError for every error of `read` */
export function received<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ServerError("server_protocol", {}, error);
  }
}

/**
 * The authority that a server sends: one self-signed certificate. Further certificates in the text are dropped,
 * because TLS would trust every certificate of a PEM text. @throws ServerError
 */
export function receivedAuthority(pem: string): { authority: string; fingerprint: string } {
  return received(() => {
    const certificate = new X509Certificate(pem);
    if (!isSelfSignedAuthority(certificate)) throw new Error("not a self-signed authority");
    return { authority: certificate.toString(), fingerprint: readCertificate(certificate).fingerprint };
  });
}

/**
 * Whether the authority (PEM) stands behind a server's leaf: it has signed it, or `proof`, the `authority_proof` of
 * `pong`, is its signature over this leaf.
 */
export function standsBehind(authority: string, leaf: X509Certificate, proof: string | undefined): boolean {
  const certificate = new X509Certificate(authority);
  if (isRendezvousLeaf(leaf) && issuedBy(leaf, certificate)) return true;
  const signature = proof === undefined ? undefined : parseSignature(proof);
  return signature !== undefined && isAuthorityProven(certificate.publicKey, signature, leaf.raw);
}

type FirstContact =
  | { readonly name: "web" }
  /** `confirmed`: the person need not confirm it, as it is a loopback server. */
  | {
      readonly name: "pin";
      readonly authority: string;
      readonly fingerprint: string;
      readonly confirmed: boolean;
    };

/** @returns undefined for a certificate that cannot be read */
function namesOf(certificate: X509Certificate): CertificateNames | undefined {
  try {
    return readCertificate(certificate);
  } catch {
    return undefined;
  }
}

/** The dNSName of a user's certificate is a label. */
function isUserCertificate(certificate: X509Certificate): boolean {
  const dnsNames = namesOf(certificate)?.dnsNames ?? [];
  return dnsNames.length === 1 && /^[0-9a-f]{40}$/.test(dnsNames[0] ?? "");
}

function isInDate(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
}

/** The authority that issued a rendezvous leaf; undefined: it is not such a leaf, or did not come with its issuer. */
function authorityOf(look: Look & { name: "certificate" }): X509Certificate | undefined {
  const { leaf, issuer } = look;
  return issuer !== undefined &&
    isRendezvousLeaf(leaf) &&
    isSelfSignedAuthority(issuer) &&
    issuedBy(leaf, issuer)
    ? issuer
    : undefined;
}

const UNREACHABLE_CAUSES: ReadonlyMap<string, UnreachableCause> = new Map([
  ["ECONNREFUSED", "refused"],
  ["EHOSTUNREACH", "no_route"],
  ["ENETUNREACH", "no_route"],
  ["EINVAL", "no_interface"],
]);

/** The error for a server that was not reached. @param code of the line, as in `DialError.lineCode` */
export function unreachable(code: string): ServerError {
  if (code === "timeout" || code === "handshake_timeout") return new ServerError("server_timeout");
  return new ServerError("server_unreachable", { why: UNREACHABLE_CAUSES.get(code) });
}

/** How a server with no stored trust may be trusted. @param now ms since 1970. @throws ServerError */
export function judgeFirstContact(look: Look, now: number): FirstContact {
  switch (look.name) {
    case "plain":
      throw new ServerError("server_plain");
    case "noTls":
      throw new ServerError("server_no_tls");
    case "unreachable":
      // Also a forwarder whose server is down: it accepts and closes, which does not prove that there is no TLS.
      throw unreachable(look.code);
    case "certificate": {
      if (look.valid) return { name: "web" };
      const authority = authorityOf(look);
      const fingerprint = authority === undefined ? undefined : namesOf(authority)?.fingerprint;
      if (authority === undefined || fingerprint === undefined) {
        throw new ServerError(isUserCertificate(look.leaf) ? "server_is_user" : "server_not_paloma");
      }
      if (!isInDate(look.leaf, now) || !isInDate(authority, now)) throw new ServerError("server_expired");
      return {
        name: "pin",
        authority: authority.toString(),
        fingerprint,
        confirmed: isLoopback(look.address),
      };
    }
    default:
      return look satisfies never;
  }
}

type Difference =
  | { readonly name: "error"; readonly error: ServerError }
  /** Another authority than the pinned one; only the person can replace a pin. */
  | {
      readonly name: "otherAuthority";
      readonly authority: string;
      readonly expected: string;
      readonly found: string;
    }
  /** The pinned server now has a certificate of the web's roots; its `pong` must prove the pinned authority. */
  | { readonly name: "becameWeb" };

/** Why the verification of a server that is trusted as `stored` failed. @param now ms since 1970 */
export function judgeDifference(stored: ServerTrust, look: Look, now: number): Difference {
  const error = (code: ServerErrorCode, found?: string): Difference => ({
    name: "error",
    error: new ServerError(code, {
      expected: stored.authority === undefined ? undefined : authorityFingerprint(stored.authority),
      found,
    }),
  });
  let contact: FirstContact;
  try {
    contact = judgeFirstContact(look, now);
  } catch (failure) {
    if (failure instanceof ServerError) return { name: "error", error: failure };
    throw failure;
  }
  if (stored.kind === "web") {
    // A server that was trusted by the web's roots is never downgraded to a pin.
    return contact.name === "web" ? error("server_protocol") : error("server_not_web", contact.fingerprint);
  }
  if (contact.name === "web") return { name: "becameWeb" };
  const expected = authorityFingerprint(stored.authority);
  if (contact.fingerprint === expected) return error("server_protocol");
  return { name: "otherAuthority", authority: contact.authority, expected, found: contact.fingerprint };
}

/** The TLS server name for a host in its normal form; undefined for an IP literal. */
export function webName(host: string): string | undefined {
  return isIP(host) === 0 ? host : undefined;
}

/** The TLS context that verifies a server by `trust`. */
export function serverContext(host: string, trust: ServerTrust): TlsContext {
  if (trust.kind === "pin") {
    return diallerContext({ authority: trust.authority, serverName: RENDEZVOUS_DNS_NAME });
  }
  const name = webName(host);
  return diallerContext(name === undefined ? {} : { serverName: name });
}
