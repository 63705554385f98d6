import { X509Certificate } from "node:crypto";
import { readElements, readOnly, type DerElement } from "./der.ts";
import { fingerprint } from "./fingerprint.ts";

/** The one dNSName of a rendezvous server's own certificate; it contains a dot, so it cannot be the label of a user (PROTOCOL 3). */
export const RENDEZVOUS_DNS_NAME = "rendezvous.paloma";

/** Whose certificate it is, and when it is valid. */
export type CertificateNames = {
  /** Every common name of the subject, in order. A byte that its string type does not allow is U+FFFD. */
  commonNames: string[];
  /** Every dNSName of the subject alternative names, one character for each byte. */
  dnsNames: string[];
  /** Milliseconds since 1970. */
  notBefore: number;
  notAfter: number;
  /** DER SubjectPublicKeyInfo, of whatever algorithm. */
  spki: Buffer;
  /** SHA-256 of `spki`, 64 lower-case hexadecimal digits. */
  fingerprint: string;
  /** Whether there are alternative names of another kind (addresses, URIs, …). */
  otherAltNames: boolean;
};

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

const COMMON_NAME_OID = Buffer.from("550403", "hex"); // 2.5.4.3
const SUBJECT_ALT_NAME_OID = Buffer.from("551d11", "hex"); // 2.5.29.17

// ASN.1 string types by tag (X.680, table 8), as the decoder that reads them. T61 is Latin-1 in practice.
// A byte order mark counts as a character of the name.
const STRING_DECODERS: ReadonlyMap<number, (bytes: Buffer) => string> = new Map([
  [0x0c, (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)],
  [0x13, decodeAscii],
  [0x14, (bytes) => bytes.toString("latin1")],
  [0x16, decodeAscii],
  [0x1e, (bytes) => new TextDecoder("utf-16be", { ignoreBOM: true }).decode(bytes)],
]);

/**
 * Reads the names, dates and key of a certificate. The names are read from the DER: the `subject` of X509Certificate
 * is ambiguous (`CN=` may occur inside a value), and its `toLegacyObject()` leaves out common names that are not
 * strings and every subject alternative name extension but the first. Throws an Error if it is not a certificate.
 */
export function readCertificate(certificate: X509Certificate | Buffer): CertificateNames {
  const x509 = Buffer.isBuffer(certificate) ? new X509Certificate(certificate) : certificate;
  const { subject, spki, extensions } = readFields(x509);
  const altNames = extensions.flatMap(alternativeNames);
  return {
    commonNames: commonNames(subject),
    dnsNames: altNames.filter(isDnsName).map((name) => name.content.toString("latin1")),
    notBefore: x509.validFromDate.getTime(),
    notAfter: x509.validToDate.getTime(),
    spki,
    fingerprint: fingerprint(spki),
    otherAltNames: !altNames.every(isDnsName),
  };
}

/** The DER of a certificate's subject, which is the issuer in the certificates that it issues (RFC 5280, 7.1). */
export function subjectName(certificate: X509Certificate): Buffer {
  return readFields(certificate).subject.whole;
}

/**
 * Whether `authority` is a certificate authority that issued and signed `leaf`. Dates are not checked. A key of an
 * algorithm that the runtime does not know counts as not having signed.
 */
export function issuedBy(leaf: X509Certificate, authority: X509Certificate): boolean {
  if (!authority.ca || !leaf.checkIssued(authority)) return false;
  try {
    return leaf.verify(authority.publicKey);
  } catch {
    return false;
  }
}

/** Whether a certificate is that of a self-signed authority, as a rendezvous server's is. */
export function isSelfSignedAuthority(certificate: X509Certificate): boolean {
  return issuedBy(certificate, certificate);
}

/**
 * Whether a certificate is a rendezvous server's own: `rendezvous.paloma` is its only alternative name (PROTOCOL 3).
 * False for one that cannot be read.
 */
export function isRendezvousLeaf(leaf: X509Certificate): boolean {
  try {
    const { dnsNames, otherAltNames } = readCertificate(leaf);
    return dnsNames.length === 1 && dnsNames[0] === RENDEZVOUS_DNS_NAME && !otherAltNames;
  } catch {
    return false;
  }
}

// TBSCertificate: [version], serial, algorithm, issuer, validity, subject, key, [unique ids], [extensions] (RFC 5280, 4.1).
function readFields(certificate: X509Certificate): {
  subject: DerElement;
  spki: Buffer;
  extensions: DerElement[];
} {
  const [toBeSigned] = readElements(readOnly(certificate.raw, SEQUENCE).content);
  if (toBeSigned === undefined) throw new Error("an empty certificate");
  const fields = readElements(toBeSigned.content);
  const start = fields[0]?.tag === VERSION ? 1 : 0;
  const subject = fields[start + 4];
  const key = fields[start + 5];
  if (subject?.tag !== SEQUENCE || key?.tag !== SEQUENCE)
    throw new Error("a certificate without subject or key");
  const list = fields.slice(start + 6).find((field) => field.tag === EXTENSIONS);
  const extensions = list === undefined ? [] : readElements(readOnly(list.content, SEQUENCE).content);
  return { subject, spki: key.whole, extensions };
}

// Name: a SEQUENCE of SETs of SEQUENCE { type, value }.
function commonNames(subject: DerElement): string[] {
  const attributes = readElements(subject.content).flatMap((set) =>
    set.tag === SET ? readElements(set.content) : [],
  );
  return attributes.flatMap((attribute) => {
    const [type, value] = readElements(attribute.content);
    if (type?.tag !== OBJECT_IDENTIFIER || !type.content.equals(COMMON_NAME_OID) || value === undefined)
      return [];
    return [(STRING_DECODERS.get(value.tag) ?? decodeAscii)(value.content)];
  });
}

// Extension: SEQUENCE { type, [critical], OCTET STRING }; this one's string holds a SEQUENCE of GeneralName.
function alternativeNames(extension: DerElement): DerElement[] {
  const [type, ...rest] = readElements(extension.content);
  if (type?.tag !== OBJECT_IDENTIFIER || !type.content.equals(SUBJECT_ALT_NAME_OID)) return [];
  const value = rest.at(-1);
  if (value?.tag !== OCTET_STRING) throw new Error("an extension without a value");
  return readElements(readOnly(value.content, SEQUENCE).content);
}

function isDnsName(name: DerElement): boolean {
  return name.tag === DNS_NAME;
}

function decodeAscii(bytes: Buffer): string {
  return bytes.toString("latin1").replace(/[\x80-\xff]/g, "\ufffd");
}
