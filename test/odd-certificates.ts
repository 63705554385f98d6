/** Certificates that our authority never issues to a user, signed by it all the same. */
import { generateKeyPairSync, sign } from "node:crypto";

import { AUTHORITY_LIFETIME, type Authority } from "../src/identity/certificate.ts";
import {
  certificateToPem,
  distinguishedName,
  issueCertificate,
  keyIdentifier,
  SERIAL_BYTES,
} from "../src/identity/certificate-template.ts";
import * as der from "../src/identity/der.ts";
import { generateKeyPair, privateKeyToPem } from "../src/identity/keys.ts";
import { label } from "../src/identity/names.ts";
import type { TlsIdentity } from "../src/net/tls.ts";

const HOUR = 3_600_000;
const ED25519 = der.sequence(der.objectIdentifier("1.3.101.112"));
const COMMON_NAME = der.objectIdentifier("2.5.4.3");
const KEY_USAGE = der.objectIdentifier("2.5.29.15");
const SUBJECT_ALT_NAME = der.objectIdentifier("2.5.29.17");
const BASIC_CONSTRAINTS = der.objectIdentifier("2.5.29.19");

type Content = {
  /** The values of the common names. */
  readonly commonNames: readonly Buffer[];
  readonly extensions: readonly Buffer[];
  readonly keyType?: "ed25519" | "ec" | "rsa";
  /** Ms since 1970. */
  readonly now: number;
};

function signed({ name, privateKey }: Pick<Authority, "name" | "privateKey">, content: Content): TlsIdentity {
  const { commonNames, extensions, keyType = "ed25519", now } = content;
  const keys = keyPair(keyType);
  const subject = commonNames.map((value) => der.setOf(der.sequence(COMMON_NAME, value)));
  const body = der.sequence(
    der.element(0xa0, der.unsignedInteger(Uint8Array.of(2))),
    der.unsignedInteger(crypto.getRandomValues(new Uint8Array(SERIAL_BYTES))),
    ED25519,
    name,
    der.sequence(der.time(now - HOUR), der.time(now + HOUR)),
    der.sequence(...subject),
    keys.publicKey.export({ format: "der", type: "spki" }),
    ...(extensions.length === 0 ? [] : [der.element(0xa3, der.sequence(...extensions))]),
  );
  const certificate = der.sequence(body, ED25519, der.bitString(sign(null, body, privateKey)));
  return { key: privateKeyToPem(keys.privateKey), certificate: certificateToPem(certificate) };
}

function keyPair(type: NonNullable<Content["keyType"]>) {
  switch (type) {
    case "ed25519":
      return generateKeyPairSync("ed25519");
    case "ec":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 2_048 });
    default:
      return type satisfies never;
  }
}

/** A user's certificate whose chain leads to the authority over another one. */
function byIntermediate(authority: Authority, name: string, now: number): TlsIdentity {
  const middle = generateKeyPair();
  const common = { notBefore: now - HOUR, random: crypto.getRandomValues(new Uint8Array(SERIAL_BYTES)) };
  const middleCertificate = issueCertificate(authority, {
    ...common,
    role: "authority",
    commonName: "in the middle",
    spki: middle.spki,
    notAfter: now + AUTHORITY_LIFETIME,
  });
  const issuer = {
    name: distinguishedName("in the middle"),
    keyIdentifier: keyIdentifier(middle.spki),
    privateKey: middle.privateKey,
  };
  const keys = generateKeyPair();
  const leaf = issueCertificate(issuer, {
    ...common,
    role: "peer",
    commonName: name,
    dnsName: label(name),
    spki: keys.spki,
    notAfter: now + HOUR,
  });
  const certificate = certificateToPem(leaf) + certificateToPem(middleCertificate);
  return { key: privateKeyToPem(keys.privateKey), certificate };
}

const dns = (text: string) => der.element(0x82, Buffer.from(text, "latin1"));
const altNamesOf = (value: Buffer) => der.sequence(SUBJECT_ALT_NAME, der.octetString(value));
const altNames = (...names: Buffer[]) => altNamesOf(der.sequence(...names));
const critical = (id: Buffer, value: Buffer) => der.sequence(id, der.booleanTrue(), der.octetString(value));

/**
 * Each certificate, with its key, differs in one thing from one of this user.
 * @param now ms since 1970; each is valid from an hour before to an hour after
 */
export function oddCertificates(
  authority: Authority,
  name: string,
  now: number,
): readonly (readonly [string, () => TlsIdentity])[] {
  const text = der.utf8String(name);
  const own = dns(label(name));
  const make = (content: Partial<Content>) => () =>
    signed(authority, { commonNames: [text], extensions: [altNames(own)], now, ...content });
  const named = (...commonNames: Buffer[]) => make({ commonNames });
  const called = (other: string) =>
    make({ commonNames: [der.utf8String(other)], extensions: [altNames(dns(label(other)))] });
  const extended = (...more: Buffer[]) => make({ extensions: [altNames(own), ...more] });
  const alternatives = (...more: Buffer[]) => make({ extensions: [altNames(own, ...more)] });
  const valued = (value: Buffer) => make({ extensions: [altNamesOf(value)] });
  return [
    [
      "a certificate that may issue others",
      extended(critical(BASIC_CONSTRAINTS, der.sequence(der.booleanTrue()))),
    ],
    [
      "a certificate that may issue others by its second basic constraints",
      extended(
        critical(BASIC_CONSTRAINTS, der.sequence()),
        critical(BASIC_CONSTRAINTS, der.sequence(der.booleanTrue())),
      ),
    ],
    [
      "a key that may sign certificates",
      extended(critical(KEY_USAGE, der.bitString(Uint8Array.of(0x84), 2))),
    ],
    ["a key usage that cannot be read", extended(critical(KEY_USAGE, Buffer.from("junk")))],
    ["a key of P-256", make({ keyType: "ec" })],
    ["a key of RSA", make({ keyType: "rsa" })],
    ["a URI beside the label", alternatives(der.element(0x86, Buffer.from("https://example.org")))],
    ["an IP address beside the label", alternatives(der.element(0x87, Buffer.from([127, 0, 0, 1])))],
    ["an email address beside the label", alternatives(der.element(0x81, Buffer.from("a@example.org")))],
    ["a directory name beside the label", alternatives(der.element(0xa4, authority.name))],
    ["two labels", alternatives(dns(label("somebody else")))],
    ["the same label twice", alternatives(own)],
    ["the label of another name", make({ extensions: [altNames(dns(label("somebody else")))] })],
    ["a second extension of alternative names", extended(altNames(dns("example.org")))],
    ["a second and empty extension of alternative names", extended(altNames())],
    ["no alternative name", make({ extensions: [] })],
    ["alternative names that cannot be read", valued(Buffer.from("junk"))],
    ["alternative names that are no list", valued(own)],
    ["two lists of alternative names", valued(Buffer.concat([der.sequence(own), der.sequence(own)]))],
    ["no common name", named()],
    ["two common names", named(text, der.utf8String("somebody else"))],
    ["the same common name twice", named(text, text)],
    ["a common name of bytes", named(der.octetString(Buffer.from(name)))],
    ["a common name that is no string beside one", named(der.sequence(), text)],
    ["an empty common name", called("")],
    ["a control character", called(`${name}\u001b`)],
    ["a line feed at the end", called(`${name}\n`)],
    ["65 code points", called(name.padEnd(65, "x"))],
    ["a signature by an authority between", () => byIntermediate(authority, name, now)],
  ];
}
