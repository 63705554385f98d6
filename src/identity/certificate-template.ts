import { createHash, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import * as der from "./der.ts";
import { isOldNameAcceptable } from "./names.ts";

/** What a certificate lets its key do: sign certificates, or be one or both ends of a TLS connection. */
type CertificateRole = "authority" | "peer" | "server";

/** What differs between certificates; everything else is the template. */
export type CertificateContent = {
  role: CertificateRole;
  /** The subject's one attribute, 1–64 code points after NFC, no control characters. */
  commonName: string;
  /** The one dNSName of the subject, or none. ASCII. */
  dnsName?: string;
  /** The subject's public key, an Ed25519 SubjectPublicKeyInfo in DER. */
  spki: Buffer;
  /** Milliseconds since 1970; both are rounded down to the second. */
  notBefore: number;
  notAfter: number;
  /** 16 bytes, random; see {@link serialNumber}. */
  random: Uint8Array;
};

/** Who signs: the DER of its name, its key identifier, its private key. */
export type CertificateIssuer = { name: Buffer; keyIdentifier: Buffer; privateKey: KeyObject };

/** Random bytes in a serial number, of which 126 bits are used; RFC 5280 (4.1.2.2) allows up to 20 octets. */
export const SERIAL_BYTES = 16;

const PEM_LINE = 64;

const OID = {
  commonName: der.objectIdentifier("2.5.4.3"),
  subjectKeyIdentifier: der.objectIdentifier("2.5.29.14"),
  keyUsage: der.objectIdentifier("2.5.29.15"),
  subjectAltName: der.objectIdentifier("2.5.29.17"),
  basicConstraints: der.objectIdentifier("2.5.29.19"),
  authorityKeyIdentifier: der.objectIdentifier("2.5.29.35"),
  extendedKeyUsage: der.objectIdentifier("2.5.29.37"),
  serverAuth: der.objectIdentifier("1.3.6.1.5.5.7.3.1"),
  clientAuth: der.objectIdentifier("1.3.6.1.5.5.7.3.2"),
};

const ED25519 = der.sequence(der.objectIdentifier("1.3.101.112"));
const VERSION_3 = der.element(0xa0, der.unsignedInteger(Uint8Array.of(2)));

// Bits are counted from the high end: digitalSignature is bit 0, keyCertSign bit 5. The authority signs no
// revocation lists, so it has no cRLSign (bit 6).
const DIGITAL_SIGNATURE = der.bitString(Uint8Array.of(0x80), 7);
const KEY_CERT_SIGN = der.bitString(Uint8Array.of(0x04), 2);

const CRITICAL = true;

// The extensions of each role that are the same in all its certificates (RFC 5280, 4.2.1).
const ROLE_EXTENSIONS: Readonly<Record<CertificateRole, readonly Buffer[]>> = {
  authority: [
    extension(
      OID.basicConstraints,
      der.sequence(der.booleanTrue(), der.unsignedInteger(Uint8Array.of(0))),
      CRITICAL,
    ),
    extension(OID.keyUsage, KEY_CERT_SIGN, CRITICAL),
  ],
  peer: leafExtensions(OID.clientAuth, OID.serverAuth),
  server: leafExtensions(OID.serverAuth),
};

/** The DER of a name of one attribute, a common name as UTF8String. */
export function distinguishedName(commonName: string): Buffer {
  return der.sequence(der.setOf(der.sequence(OID.commonName, der.utf8String(commonName))));
}

/** The key identifier of a public key: the first 160 bits of SHA-256 of its raw bytes (RFC 7093, 2). */
export function keyIdentifier(spki: Buffer): Buffer {
  const raw = spki.subarray(-32); // what the BIT STRING of an Ed25519 SubjectPublicKeyInfo holds
  return createHash("sha256").update(raw).digest().subarray(0, 20);
}

/**
 * Writes and signs one X.509 v3 certificate (RFC 5280, RFC 8410) and gives its DER. Throws a RangeError for a
 * common name or a number of random bytes outside the bounds of {@link CertificateContent}.
 */
export function issueCertificate(issuer: CertificateIssuer, content: CertificateContent): Buffer {
  checkCommonName(content.commonName);
  const extensions = [
    ...ROLE_EXTENSIONS[content.role],
    extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(content.spki))),
    extension(OID.authorityKeyIdentifier, der.sequence(der.element(0x80, issuer.keyIdentifier))),
  ];
  if (content.dnsName !== undefined) {
    const dnsName = der.element(0x82, Buffer.from(content.dnsName, "ascii"));
    extensions.push(extension(OID.subjectAltName, der.sequence(dnsName)));
  }
  const toBeSigned = der.sequence(
    VERSION_3,
    serialNumber(content.random),
    ED25519,
    issuer.name,
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    distinguishedName(content.commonName),
    content.spki,
    der.element(0xa3, der.sequence(...extensions)),
  );
  return der.sequence(toBeSigned, ED25519, der.bitString(sign(null, toBeSigned, issuer.privateKey)));
}

/** A certificate's DER in PEM (RFC 7468). */
export function certificateToPem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(new RegExp(`.{1,${PEM_LINE}}`, "g")) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

// The two high bits are 01, so that it is never negative or zero and always has the same length.
function serialNumber(random: Uint8Array): Buffer {
  if (random.length !== SERIAL_BYTES)
    throw new RangeError(`a serial number takes ${SERIAL_BYTES} random bytes`);
  const bytes = Uint8Array.from(random, (byte, index) => (index === 0 ? (byte & 0x3f) | 0x40 : byte));
  return der.unsignedInteger(bytes);
}

function checkCommonName(name: string): void {
  if (!isOldNameAcceptable(name)) {
    throw new RangeError("a common name has 1 to 64 code points and no control characters");
  }
}

function leafExtensions(...usages: Buffer[]): Buffer[] {
  return [
    extension(OID.basicConstraints, der.sequence(), CRITICAL), // CA is FALSE by default
    extension(OID.keyUsage, DIGITAL_SIGNATURE, CRITICAL),
    extension(OID.extendedKeyUsage, der.sequence(...usages)),
  ];
}

function extension(id: Buffer, value: Buffer, critical = false): Buffer {
  const wrapped = der.octetString(value);
  return critical ? der.sequence(id, der.booleanTrue(), wrapped) : der.sequence(id, wrapped);
}
