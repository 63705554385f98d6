import { X509Certificate } from "node:crypto";
import { readElements, readOnly, type DerElement } from "./der.ts";
import { fingerprint } from "./fingerprint.ts";
import { isPublicKey } from "./keys.ts";
import { isOldNameAcceptable, label } from "./names.ts";

/** The one dNSName of a rendezvous server's own certificate; it contains a dot, so it cannot be the label of a user (PROTOCOL 3). */
export const RENDEZVOUS_DNS_NAME = "rendezvous.paloma";

/** Whose certificate it is, and when it is valid. */
export type CertificateNames = {
  /** Every common name of the subject, in order. */
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
  /** Whether it could issue certificates: its basic constraints are not those of a leaf, or its key usage says so. */
  canIssue: boolean;
};

const SEQUENCE = 0x30;
const SET = 0x31;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

const COMMON_NAME_OID = Buffer.from("550403", "hex"); // 2.5.4.3
// Object identifiers of extensions, in hexadecimal (RFC 5280, 4.2.1).
const KEY_USAGE = "551d0f"; // 2.5.29.15
const SUBJECT_ALT_NAME = "551d11"; // 2.5.29.17
const BASIC_CONSTRAINTS = "551d13"; // 2.5.29.19

/** Bit 5 of the key usage, counted from the high end. */
const KEY_CERT_SIGN = 0x04;

// ASN.1 string types by tag (X.680, table 8), as the decoder that reads them and throws for bytes that they do not
// allow. T61 is Latin-1 in practice. A byte order mark counts as a character of the name.
const STRING_DECODERS: ReadonlyMap<number, (bytes: Buffer) => string> = new Map([
  [0x0c, (bytes) => new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes)],
  [0x13, decodeAscii],
  [0x14, (bytes) => bytes.toString("latin1")],
  [0x16, decodeAscii],
  [0x1e, (bytes) => new TextDecoder("utf-16be", { ignoreBOM: true, fatal: true }).decode(bytes)],
]);

/**
 * Reads the names, dates and key of a certificate. The names and extensions are read from the DER: the `subject` of
 * X509Certificate is ambiguous (`CN=` may occur inside a value), and its `toLegacyObject()` leaves out common names
 * that are not strings and every subject alternative name extension but the first. Throws an Error if it is not a
 * certificate, if a common name is not text, or if an extension is there twice (RFC 5280, 4.2) or is unreadable.
 */
export function readCertificate(certificate: X509Certificate | Buffer): CertificateNames {
  const x509 = Buffer.isBuffer(certificate) ? new X509Certificate(certificate) : certificate;
  const { subject, spki, extensions } = readFields(x509);
  const altNames = alternativeNames(extensions);
  return {
    commonNames: commonNames(subject),
    dnsNames: altNames.filter(isDnsName).map((name) => name.content.toString("latin1")),
    notBefore: x509.validFromDate.getTime(),
    notAfter: x509.validToDate.getTime(),
    spki,
    fingerprint: fingerprint(spki),
    otherAltNames: !altNames.every(isDnsName),
    canIssue: canIssue(extensions),
  };
}

export type UserCertificate = { name: string; label: string } & CertificateNames;

/**
 * Reads a user's certificate as `authority` issues it (PROTOCOL 3): signed by the authority itself, for an Ed25519
 * key that cannot issue certificates, with one common name and with that name's label as the only alternative name.
 * Throws an Error for every other certificate, whoever signed it. The dates are left to the caller.
 */
export function readUserCertificate(
  certificate: X509Certificate,
  authority: X509Certificate,
): UserCertificate {
  const read = readCertificate(certificate);
  const [name, ...otherNames] = read.commonNames;
  // The length of the name is checked before its label is computed.
  if (name === undefined || otherNames.length > 0 || !isOldNameAcceptable(name))
    throw new Error("not a user's common name");
  const labelOfName = label(name);
  if (read.dnsNames.length !== 1 || read.dnsNames[0] !== labelOfName || read.otherAltNames)
    throw new Error("the label is not the only alternative name");
  if (read.canIssue || !isPublicKey(read.spki)) throw new Error("not a user's key");
  if (!issuedBy(certificate, authority)) throw new Error("not issued by this authority");
  return { ...read, name, label: labelOfName };
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
 * Whether a certificate is a rendezvous server's own: `rendezvous.paloma` is its only alternative name (PROTOCOL 3),
 * and it cannot issue certificates. False for one that cannot be read.
 */
export function isRendezvousLeaf(leaf: X509Certificate): boolean {
  try {
    const { dnsNames, otherAltNames, canIssue } = readCertificate(leaf);
    return dnsNames.length === 1 && dnsNames[0] === RENDEZVOUS_DNS_NAME && !otherAltNames && !canIssue;
  } catch {
    return false;
  }
}

/** The content of each extension by its object identifier. */
type Extensions = ReadonlyMap<string, Buffer>;

// TBSCertificate: [version], serial, algorithm, issuer, validity, subject, key, [unique ids], [extensions] (RFC 5280, 4.1).
function readFields(certificate: X509Certificate): {
  subject: DerElement;
  spki: Buffer;
  extensions: Extensions;
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
  return { subject, spki: key.whole, extensions: list === undefined ? new Map() : readExtensions(list) };
}

// Extension: SEQUENCE { type, [critical], OCTET STRING }.
function readExtensions(list: DerElement): Extensions {
  const extensions = new Map<string, Buffer>();
  for (const extension of readElements(readOnly(list.content, SEQUENCE).content)) {
    const [type, ...rest] = readElements(extension.content);
    const value = rest.at(-1);
    if (type?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING)
      throw new Error("an extension without a type or a value");
    const id = type.content.toString("hex");
    if (extensions.has(id)) throw new Error("an extension twice");
    extensions.set(id, value.content);
  }
  return extensions;
}

// Name: a SEQUENCE of SETs of SEQUENCE { type, value }.
function commonNames(subject: DerElement): string[] {
  const attributes = readElements(subject.content).flatMap((set) =>
    set.tag === SET ? readElements(set.content) : [],
  );
  return attributes.flatMap((attribute) => {
    const [type, value] = readElements(attribute.content);
    if (type?.tag !== OBJECT_IDENTIFIER || !type.content.equals(COMMON_NAME_OID)) return [];
    const decode = value === undefined ? undefined : STRING_DECODERS.get(value.tag);
    if (value === undefined || decode === undefined) throw new Error("a common name that is not a string");
    return [decode(value.content)];
  });
}

// A SEQUENCE of GeneralName.
function alternativeNames(extensions: Extensions): DerElement[] {
  const value = extensions.get(SUBJECT_ALT_NAME);
  return value === undefined ? [] : readElements(readOnly(value, SEQUENCE).content);
}

function canIssue(extensions: Extensions): boolean {
  const constraints = extensions.get(BASIC_CONSTRAINTS);
  const usage = extensions.get(KEY_USAGE);
  // DER leaves FALSE out, so those of a leaf are empty.
  if (constraints !== undefined && readOnly(constraints, SEQUENCE).content.length > 0) return true;
  // The first octet counts the unused bits of the last one.
  const bits = usage === undefined ? undefined : readOnly(usage, BIT_STRING).content[1];
  return ((bits ?? 0) & KEY_CERT_SIGN) !== 0;
}

function isDnsName(name: DerElement): boolean {
  return name.tag === DNS_NAME;
}

function decodeAscii(bytes: Buffer): string {
  if (bytes.some((byte) => byte >= 0x80)) throw new Error("a byte that is not ASCII");
  return bytes.toString("latin1");
}
