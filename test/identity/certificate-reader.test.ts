import { describe, expect, test } from "bun:test";
import { X509Certificate, sign } from "node:crypto";
import { createAuthority } from "../../src/identity/certificate.ts";
import {
  isRendezvousLeaf,
  isSelfSignedAuthority,
  readCertificate,
} from "../../src/identity/certificate-reader.ts";
import * as der from "../../src/identity/der.ts";
import { generateKeyPair } from "../../src/identity/keys.ts";

const ED25519 = der.sequence(der.objectIdentifier("1.3.101.112"));
const COMMON_NAME = der.objectIdentifier("2.5.4.3");
const ORGANISATION = der.objectIdentifier("2.5.4.10");
const SUBJECT_ALT_NAME = der.objectIdentifier("2.5.29.17");
const UTF8 = 0x0c;
const BASIC_CONSTRAINTS = der.objectIdentifier("2.5.29.19");
const PRINTABLE = 0x13;
const TELETEX = 0x14;
const IA5 = 0x16;
const BMP = 0x1e;

const keys = generateKeyPair();

const attribute = (type: Buffer, value: Buffer): Buffer => der.setOf(der.sequence(type, value));
const commonName = (text: string): Buffer => attribute(COMMON_NAME, der.utf8String(text));
const dns = (text: string): Buffer => der.element(0x82, Buffer.from(text, "latin1"));

const altNameExtension = (value: Buffer): Buffer => der.sequence(SUBJECT_ALT_NAME, der.octetString(value));

// A self-signed certificate with the given subject (SETs), alternative names (no extension for none) and extensions.
function certificateOf(subject: Buffer[], altNames: Buffer[] = [], others: Buffer[] = []): Buffer {
  const san = altNames.length === 0 ? [] : [altNameExtension(der.sequence(...altNames))];
  const extensions = [...san, ...others];
  const body = der.sequence(
    der.element(0xa0, der.unsignedInteger(Uint8Array.of(2))),
    der.unsignedInteger(Uint8Array.of(1)),
    ED25519,
    der.sequence(commonName("issuer, not the subject")),
    der.sequence(der.time(Date.UTC(2027, 0, 1)), der.time(Date.UTC(2050, 0, 1))),
    der.sequence(...subject),
    keys.spki,
    ...(extensions.length === 0 ? [] : [der.element(0xa3, der.sequence(...extensions))]),
  );
  return der.sequence(body, ED25519, der.bitString(sign(null, body, keys.privateKey)));
}

describe("the common name of a hostile certificate", () => {
  const names = [
    "alice\nCN=bob",
    "alice\r\nCN=bob",
    "alice, CN=bob",
    "alice,CN=bob",
    "alice+CN=bob",
    "alice + CN=bob",
    "/CN=bob",
    "CN=bob",
    '"bob"',
    'alice"',
    "alice\\",
    "alice\\nCN=bob",
    "alice\\,",
    "bob\u0000.alice",
    "\u0000",
    " bob ",
    "#0c03626f62",
    "\ufeffbob",
    "\u202ebob",
    "b\u00f6b",
    "🐦",
    "",
    "x".repeat(127),
    "x".repeat(128),
    "x".repeat(255),
    "x".repeat(256),
    "x".repeat(70_000),
  ];
  for (const name of names) {
    const shown = name.length > 40 ? `${name.length} letters` : JSON.stringify(name);
    test(`is read to the letter: ${shown}`, () => {
      const read = readCertificate(certificateOf([commonName(name)], [dns("one")]));
      expect(read.commonNames).toEqual([name]);
      expect(read.dnsNames).toEqual(["one"]);
      expect(read.fingerprint).toHaveLength(64);
    });
  }

  test("is one of two when there are two, in two sets or in one", () => {
    expect(readCertificate(certificateOf([commonName("alice"), commonName("bob")])).commonNames).toEqual([
      "alice",
      "bob",
    ]);
    const both = der.setOf(
      Buffer.concat([
        der.sequence(COMMON_NAME, der.utf8String("alice")),
        der.sequence(COMMON_NAME, der.utf8String("bob")),
      ]),
    );
    expect(readCertificate(certificateOf([both])).commonNames).toEqual(["alice", "bob"]);
  });

  test("is not looked for in another attribute or in the issuer", () => {
    expect(readCertificate(certificateOf([])).commonNames).toEqual([]);
    const organisation = attribute(ORGANISATION, der.utf8String("CN=bob"));
    expect(readCertificate(certificateOf([organisation])).commonNames).toEqual([]);
    expect(readCertificate(certificateOf([organisation, commonName("alice")])).commonNames).toEqual([
      "alice",
    ]);
  });

  test("is an error if it is not a string, also beside one", () => {
    const odd = [der.sequence(), der.octetString(Buffer.from("bob")), der.unsignedInteger(Uint8Array.of(5))];
    for (const value of odd) {
      const name = attribute(COMMON_NAME, value);
      expect(() => readCertificate(certificateOf([name]))).toThrow();
      expect(() => readCertificate(certificateOf([name, commonName("alice")]))).toThrow();
    }
  });

  test("is read in the string types of other authorities, and what they do not allow is an error", () => {
    const read = (tag: number, bytes: Buffer): string[] =>
      readCertificate(certificateOf([attribute(COMMON_NAME, der.element(tag, bytes))])).commonNames;
    expect(read(PRINTABLE, Buffer.from("example.org"))).toEqual(["example.org"]);
    expect(read(IA5, Buffer.from("example.org"))).toEqual(["example.org"]);
    expect(read(TELETEX, Buffer.from("ñ", "latin1"))).toEqual(["ñ"]);
    expect(read(BMP, Buffer.from("00f10061", "hex"))).toEqual(["ña"]);
    for (const tag of [PRINTABLE, IA5, UTF8]) {
      expect(() => read(tag, Buffer.from("a\xffb", "latin1"))).toThrow();
    }
    expect(() => read(BMP, Buffer.from("d800", "hex"))).toThrow();
  });
});

describe("the alternative names of a hostile certificate", () => {
  test("are all read, and kinds other than dNSName are reported", () => {
    const uri = der.element(0x86, Buffer.from("https://alice"));
    const address = der.element(0x87, Buffer.from([127, 0, 0, 1]));
    const email = der.element(0x81, Buffer.from("alice@example.org"));
    const read = (...altNames: Buffer[]): [string[], boolean] => {
      const { dnsNames, otherAltNames } = readCertificate(certificateOf([commonName("bob")], altNames));
      return [dnsNames, otherAltNames];
    };
    expect(read(dns("one"), dns("two"))).toEqual([["one", "two"], false]);
    expect(read(dns("one"), uri)).toEqual([["one"], true]);
    expect(read(address, dns("one"))).toEqual([["one"], true]);
    expect(read(email)).toEqual([[], true]);
    expect(read(dns("one, DNS:two"))).toEqual([["one, DNS:two"], false]);
    expect(read(dns("one\u0000.two"))).toEqual([["one\u0000.two"], false]);
    expect(readCertificate(certificateOf([commonName("bob")]))).toMatchObject({
      dnsNames: [],
      otherAltNames: false,
    });
  });

  test("are read among other extensions, and an extension that is there twice is an error", () => {
    const unknown = der.sequence(
      der.objectIdentifier("1.2.3.4.5"),
      der.booleanTrue(),
      der.octetString(dns("x")),
    );
    const read = (...others: Buffer[]): string[] =>
      readCertificate(certificateOf([commonName("bob")], [dns("one")], others)).dnsNames;
    expect(read(unknown)).toEqual(["one"]);
    expect(() => read(unknown, altNameExtension(der.sequence(dns("two"))))).toThrow();
    expect(() => read(unknown, unknown)).toThrow();
  });

  test("are an error where their extension cannot be read", () => {
    const list = der.sequence(dns("one"));
    for (const value of [
      Buffer.from("junk"),
      Buffer.concat([list, list]),
      list.subarray(0, -1),
      dns("one"),
    ]) {
      expect(() => readCertificate(certificateOf([], [], [altNameExtension(value)]))).toThrow();
    }
  });

  test("are read to the letter: wildcards, quotes, capitals, and names inside names", () => {
    for (const name of [
      "*.rendezvous.paloma",
      "RENDEZVOUS.paloma",
      '"one"',
      "one\ntwo",
      "DNS:one",
      " ",
      "",
    ]) {
      const { dnsNames } = readCertificate(certificateOf([commonName("bob")], [dns(name)]));
      expect(dnsNames).toEqual([name]);
    }
    const directory = der.element(0xa4, der.sequence(commonName("x, DNS:one")));
    expect(readCertificate(certificateOf([commonName("bob")], [directory]))).toMatchObject({
      commonNames: ["bob"],
      dnsNames: [],
      otherAltNames: true,
    });
  });

  test("make a rendezvous server only when its name stands alone", () => {
    const isRendezvous = (...altNames: Buffer[]): boolean =>
      isRendezvousLeaf(new X509Certificate(certificateOf([commonName("x")], altNames)));
    const rendezvous = dns("rendezvous.paloma");
    expect(isRendezvous(rendezvous)).toBe(true);
    const issuing = certificateOf(
      [commonName("x")],
      [rendezvous],
      [der.sequence(BASIC_CONSTRAINTS, der.octetString(der.sequence(der.booleanTrue())))],
    );
    expect(isRendezvousLeaf(new X509Certificate(issuing))).toBe(false);
    expect(isRendezvous(rendezvous, dns("example.org"))).toBe(false);
    expect(isRendezvous(rendezvous, der.element(0x87, Buffer.from([127, 0, 0, 1])))).toBe(false);
    for (const name of [
      "a.rendezvous.paloma",
      "*.paloma",
      "RENDEZVOUS.paloma",
      "rendezvous.paloma.",
      "rendezvous.paloma\0",
    ]) {
      expect(isRendezvous(dns(name))).toBe(false);
    }
    expect(isRendezvousLeaf(new X509Certificate(certificateOf([commonName("rendezvous.paloma")])))).toBe(
      false,
    );
  });
});

test("a self-signed certificate that is not an authority does not count as one", () => {
  const self = new X509Certificate(certificateOf([commonName("issuer, not the subject")]));
  expect(self.verify(self.publicKey)).toBe(true);
  expect(isSelfSignedAuthority(self)).toBe(false);
});

test("dates on both sides of 2050 are read in milliseconds", () => {
  const read = readCertificate(certificateOf([commonName("bob")]));
  expect([read.notBefore, read.notAfter]).toEqual([Date.UTC(2027, 0, 1), Date.UTC(2050, 0, 1)]);
});

test("bytes that are not a certificate, and every truncated certificate, are an error", () => {
  const whole = new X509Certificate(createAuthority(Date.UTC(2027, 0, 1)).certificatePem).raw;
  for (let length = 0; length < whole.length; length++) {
    expect(() => readCertificate(Buffer.from(whole.subarray(0, length)))).toThrow();
  }
  expect(() => readCertificate(Buffer.from("not a certificate"))).toThrow();
});

test("a certificate with one byte changed is an error or has dates, a key and whole names", () => {
  const whole = certificateOf([commonName("alice")], [dns("one")]);
  for (const index of whole.keys()) {
    for (let value = 0; value < 256; value++) {
      let certificate: X509Certificate;
      try {
        certificate = new X509Certificate(Buffer.from(whole).fill(value, index, index + 1));
      } catch (error) {
        if (error instanceof Error) continue;
        throw error;
      }
      const read = outcome(() => readCertificate(certificate));
      if (read instanceof Error) continue;
      const dated = Number.isFinite(read.notBefore) && Number.isFinite(read.notAfter);
      if (!dated || read.spki.length < 40)
        throw new Error(`byte ${index} as ${value} reads as ${JSON.stringify(read)}`);
    }
  }
});

function outcome<T>(run: () => T): T | Error {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
