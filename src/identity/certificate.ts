import { X509Certificate, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { RENDEZVOUS_DNS_NAME, isSelfSignedAuthority, subjectName } from "./certificate-reader.ts";
import {
  SERIAL_BYTES,
  certificateToPem,
  distinguishedName,
  issueCertificate,
  keyIdentifier,
} from "./certificate-template.ts";
import type { CertificateContent, CertificateIssuer } from "./certificate-template.ts";
import { fingerprint } from "./fingerprint.ts";
import { generateKeyPair, keyPairFromPem, privateKeyToPem } from "./keys.ts";
import type { KeyPair } from "./keys.ts";
import { label } from "./names.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

/** A certificate is valid from this long before it is made, in ms: clocks differ. */
export const BACKDATING = HOUR;
/** Validity of a user's certificate from now, in ms (PROTOCOL 3). */
export const USER_CERTIFICATE_LIFETIME = 72 * HOUR;
/** Validity of the server's own certificate from now, in ms; the server renews it while it runs. */
export const SERVER_CERTIFICATE_LIFETIME = 200 * DAY;
/** Validity of the authority from now, in ms: 20 years (PROTOCOL 3). */
export const AUTHORITY_LIFETIME = 20 * 365.25 * DAY;

/** The common name of an authority's certificate. It contains a space, so it cannot be a username. */
const AUTHORITY_COMMON_NAME = "paloma authority";
/** The common name of the server's own certificate (PROTOCOL 3). It contains a space, so it cannot be a username. */
export const RENDEZVOUS_COMMON_NAME = "paloma rendezvous";

/** The server's certificate authority, ready to issue. */
export type Authority = {
  certificatePem: string;
  certificate: X509Certificate;
  privateKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  spki: Buffer;
  /** SHA-256 of `spki`, 64 lower-case hexadecimal digits. */
  fingerprint: string;
  /** DER of the subject, which is the issuer in what it signs. */
  name: Buffer;
  keyIdentifier: Buffer;
};

/** A certificate in PEM and its end in milliseconds since 1970. */
export type IssuedCertificate = { pem: string; expiresAt: number };

/** Gives random bytes, for serial numbers. */
export type Random = (bytes: number) => Uint8Array;

/**
 * Makes an authority: a self-signed certificate for `keys` (new ones unless given), valid for
 * {@link AUTHORITY_LIFETIME} from `now` (ms since 1970), for leaves only (PROTOCOL 3).
 */
export function createAuthority(
  now: number,
  keys: KeyPair = generateKeyPair(),
  random: Random = randomBytes,
): { certificatePem: string; privateKeyPem: string } {
  const issuer = {
    name: distinguishedName(AUTHORITY_COMMON_NAME),
    keyIdentifier: keyIdentifier(keys.spki),
    privateKey: keys.privateKey,
  };
  const { pem } = issue(issuer, now, AUTHORITY_LIFETIME, {
    role: "authority",
    commonName: AUTHORITY_COMMON_NAME,
    spki: keys.spki,
    random: random(SERIAL_BYTES),
  });
  return { certificatePem: pem, privateKeyPem: privateKeyToPem(keys.privateKey) };
}

/**
 * Reads an authority from two PEM texts. Throws an Error when one of them cannot be read, when the certificate is
 * not that of a self-signed authority, or when the key does not belong to it.
 */
export function loadAuthority(certificatePem: string, privateKeyPem: string): Authority {
  const certificate = new X509Certificate(certificatePem);
  const { privateKey, spki } = keyPairFromPem(privateKeyPem);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error("the authority's private key does not belong to its certificate");
  }
  if (!isSelfSignedAuthority(certificate)) {
    throw new Error("the certificate is not that of a self-signed authority");
  }
  return {
    certificatePem,
    certificate,
    privateKey,
    spki,
    fingerprint: fingerprint(spki),
    name: subjectName(certificate),
    keyIdentifier: keyIdentifier(spki),
  };
}

/**
 * A user's certificate for the public key `spki` (see `parsePublicKey`), from one hour before `now` to 72 hours
 * after it (ms since 1970): the common name is the registered name, the one dNSName its label (PROTOCOL 3).
 * Throws a RangeError for a name of more than 64 code points or with control characters.
 */
export function issueUserCertificate(
  authority: Authority,
  spki: Buffer,
  username: string,
  now: number,
  random: Random = randomBytes,
): IssuedCertificate {
  return issue(authority, now, USER_CERTIFICATE_LIFETIME, {
    role: "peer",
    commonName: username,
    dnsName: label(username),
    spki,
    random: random(SERIAL_BYTES),
  });
}

/** The server's own certificate, for {@link SERVER_CERTIFICATE_LIFETIME} from `now` (ms since 1970). */
export function issueServerCertificate(
  authority: Authority,
  spki: Buffer,
  now: number,
  random: Random = randomBytes,
): IssuedCertificate {
  return issue(authority, now, SERVER_CERTIFICATE_LIFETIME, {
    role: "server",
    commonName: RENDEZVOUS_COMMON_NAME,
    dnsName: RENDEZVOUS_DNS_NAME,
    spki,
    random: random(SERIAL_BYTES),
  });
}

function issue(
  issuer: CertificateIssuer,
  now: number,
  lifetime: number,
  content: Omit<CertificateContent, "notBefore" | "notAfter">,
): IssuedCertificate {
  // Certificates have whole seconds, and `expiresAt` must be exactly what is written in them.
  const expiresAt = Math.floor((now + lifetime) / SECOND) * SECOND;
  const certificate = issueCertificate(issuer, {
    ...content,
    notBefore: now - BACKDATING,
    notAfter: expiresAt,
  });
  return { pem: certificateToPem(certificate), expiresAt };
}
