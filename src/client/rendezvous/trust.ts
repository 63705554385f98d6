/**
 * Trusting the server (PROTOCOL 3).
 *
 * 1. Nothing stored for this host and port: one look with verification off. A leaf valid for Bun's
 *    roots and the typed host is trusted as `web`; a rendezvous leaf signed by the self-signed authority
 *    behind it is trusted as `pin`, after the person, a given fingerprint or a loopback address has
 *    confirmed it; anything else is refused.
 * 2. Something stored: the verified connection decides. Only when it fails is the server looked at, to
 *    say what is wrong, and only the person can replace a pin.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

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
import type { ServerTrust } from "./trust-store.ts";

export type ServerErrorCode =
  | "server_unreachable"
  | "server_timeout"
  | "server_plain"
  | "server_no_tls"
  | "server_not_paloma"
  | "server_is_user"
  | "server_changed"
  /** The right server, for another authority's account than the one that is open. */
  | "server_other_account"
  /** Once trusted by the web's roots, it now shows a certificate of its own. */
  | "server_not_web"
  | "server_unconfirmed"
  | "server_declined"
  | "server_expired"
  | "server_protocol";

/** The server cannot be reached or is not the one that is trusted: exit 3. */
export class ServerError extends Error {
  readonly code: ServerErrorCode;
  /** Fingerprints, where two differ or one is not confirmed. */
  readonly expected: string | undefined;
  readonly found: string | undefined;

  constructor(
    code: ServerErrorCode,
    fingerprints: { expected?: string | undefined; found?: string | undefined } = {},
    cause?: unknown,
  ) {
    super(code, { cause });
    this.code = code;
    this.expected = fingerprints.expected;
    this.found = fingerprints.found;
  }

  /** Whether trying again can help: the identity of the server is not in doubt. */
  get isTransient(): boolean {
    return ["server_unreachable", "server_timeout", "server_protocol"].includes(this.code);
  }
}

/** The fingerprint of an authority's certificate (PEM); two authorities are equal when these are. */
export function authorityFingerprint(pem: string): string {
  return readCertificate(new X509Certificate(pem)).fingerprint;
}

/** Runs `read` on something that the server sent; a failure is the server's fault. @throws ServerError */
export function received<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ServerError("server_protocol", {}, error);
  }
}

/**
 * The authority that a server sends: one self-signed certificate. More certificates in the text are dropped,
 * since all of a PEM text would be trusted. @throws ServerError
 */
export function receivedAuthority(pem: string): { authority: string; fingerprint: string } {
  return received(() => {
    const certificate = new X509Certificate(pem);
    if (!isSelfSignedAuthority(certificate)) throw new Error("not a self-signed authority");
    return { authority: certificate.toString(), fingerprint: readCertificate(certificate).fingerprint };
  });
}

export type FirstContact =
  | { readonly name: "web" }
  /** `confirmed`: a loopback server needs no confirmation. */
  | {
      readonly name: "pin";
      readonly authority: string;
      readonly fingerprint: string;
      readonly confirmed: boolean;
    };

/** Undefined for a certificate that cannot be read. */
function namesOf(certificate: X509Certificate): CertificateNames | undefined {
  try {
    return readCertificate(certificate);
  } catch {
    return undefined;
  }
}

/** A user's certificate carries a label where a server's has its own name. */
function isUserCertificate(certificate: X509Certificate): boolean {
  const dnsNames = namesOf(certificate)?.dnsNames ?? [];
  return dnsNames.length === 1 && /^[0-9a-f]{40}$/.test(dnsNames[0] ?? "");
}

function isInDate(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
}

/** The authority behind a rendezvous leaf, undefined when the two do not prove each other. */
function authorityOf(look: Look & { name: "certificate" }): X509Certificate | undefined {
  const { leaf, issuer } = look;
  return issuer !== undefined &&
    isRendezvousLeaf(leaf) &&
    isSelfSignedAuthority(issuer) &&
    issuedBy(leaf, issuer)
    ? issuer
    : undefined;
}

/** The code for a look that ended before the other side sent anything. */
function lineFailure(code: string): "server_timeout" | "server_unreachable" | undefined {
  if (code === "timeout" || code === "handshake_timeout") return "server_timeout";
  return code === "closed_in_handshake" || code === "ECONNRESET" ? "server_unreachable" : undefined;
}

/** What a look at a server never seen before allows. @param now ms. @throws ServerError */
export function judgeFirstContact(look: Look, now: number): FirstContact {
  switch (look.name) {
    case "plain":
      throw new ServerError("server_plain");
    case "noTls":
      // A forwarder whose server is down accepts and closes, which does not show that there is no TLS.
      throw new ServerError(lineFailure(look.code) ?? "server_no_tls");
    case "unreachable":
      throw new ServerError(lineFailure(look.code) ?? "server_unreachable");
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

export type Difference =
  | { readonly name: "error"; readonly error: ServerError }
  /** Another authority than the pinned one, which only a person can replace. */
  | {
      readonly name: "otherAuthority";
      readonly authority: string;
      readonly expected: string;
      readonly found: string;
    }
  /** The pinned server has a certificate of the web now; its `pong` must show the pinned authority. */
  | { readonly name: "becameWeb" };

/** Why a server that is trusted as `stored` did not pass its verification. @param now ms */
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
    // A server that once had a certificate of the web is never downgraded to a pin.
    return contact.name === "web" ? error("server_protocol") : error("server_not_web", contact.fingerprint);
  }
  if (contact.name === "web") return { name: "becameWeb" };
  const expected = authorityFingerprint(stored.authority);
  if (contact.fingerprint === expected) return error("server_protocol");
  return { name: "otherAuthority", authority: contact.authority, expected, found: contact.fingerprint };
}

/** The TLS server name for a typed host; undefined for an IP literal. */
export function webName(host: string): string | undefined {
  return isIP(host) === 0 ? host : undefined;
}

/** The verified context for a server trusted in this way. */
export function serverContext(host: string, trust: ServerTrust): TlsContext {
  if (trust.kind === "pin") {
    return diallerContext({ authority: trust.authority, serverName: RENDEZVOUS_DNS_NAME });
  }
  const name = webName(host);
  return diallerContext(name === undefined ? {} : { serverName: name });
}
