import { describe, expect, test } from "bun:test";
import { X509Certificate, createPrivateKey } from "node:crypto";
import {
  AUTHORITY_LIFETIME,
  SERVER_CERTIFICATE_LIFETIME,
  createAuthority,
  issueServerCertificate,
  issueUserCertificate,
  loadAuthority,
} from "../../src/identity/certificate.ts";
import {
  RENDEZVOUS_DNS_NAME,
  isRendezvousLeaf,
  isSelfSignedAuthority,
  issuedBy,
  readCertificate,
} from "../../src/identity/certificate-reader.ts";
import type { Authority } from "../../src/identity/certificate.ts";
import { fingerprint } from "../../src/identity/fingerprint.ts";
import { generateKeyPair } from "../../src/identity/keys.ts";
import { label } from "../../src/identity/names.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2027, 0, 15, 12, 30, 15, 678);
const NOW_IN_SECONDS = Date.UTC(2027, 0, 15, 12, 30, 15);

function newAuthority(now = NOW): Authority {
  const { certificatePem, privateKeyPem } = createAuthority(now);
  return loadAuthority(certificatePem, privateKeyPem);
}

describe("a user's certificate", () => {
  const authority = newAuthority();
  const { privateKey, spki } = generateKeyPair();
  const issued = issueUserCertificate(authority, spki, "Ñandú", NOW);
  const certificate = new X509Certificate(issued.pem);

  test("names the registered spelling and its label, and nothing more", () => {
    const names = readCertificate(certificate);
    expect(names.commonNames).toEqual(["Ñandú"]);
    expect(names.dnsNames).toEqual([label("ñandú")]);
    expect(names.otherAltNames).toBe(false);
    expect(certificate.subjectAltName).toBe(`DNS:${label("ñandú")}`);
  });

  test("is for the key that was given", () => {
    const names = readCertificate(certificate);
    expect(names.spki.equals(spki)).toBe(true);
    expect(names.fingerprint).toBe(fingerprint(spki));
    expect(
      certificate.checkPrivateKey(createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }))),
    ).toBe(true);
  });

  test("holds from one hour ago to 72 hours from now, in whole seconds, and says so", () => {
    const names = readCertificate(certificate);
    expect(names.notBefore).toBe(NOW_IN_SECONDS - HOUR);
    expect(names.notAfter).toBe(NOW_IN_SECONDS + 72 * HOUR);
    expect(issued.expiresAt).toBe(names.notAfter);
  });

  test("is for both ends of TLS and cannot issue", () => {
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage?.toSorted()).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(issuedBy(certificate, authority.certificate)).toBe(true);
    expect(
      issuedBy(new X509Certificate(issueUserCertificate(authority, spki, "bob", NOW).pem), certificate),
    ).toBe(false);
  });

  test("has a positive serial number of 16 bytes for any random bytes, different each time", () => {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      const { pem } = issueUserCertificate(authority, spki, "bob", NOW, (bytes) => Buffer.alloc(bytes, byte));
      expect(new X509Certificate(pem).serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
    const serials = Array.from({ length: 100 }, () => {
      return new X509Certificate(issueUserCertificate(authority, spki, "bob", NOW).pem).serialNumber;
    });
    expect(new Set(serials).size).toBe(100);
    expect(() => issueUserCertificate(authority, spki, "bob", NOW, () => Buffer.alloc(8))).toThrow(
      RangeError,
    );
  });

  test("of an old name keeps it whole, up to 64 code points of four bytes", () => {
    for (const name of ["a", "Ana María, CN=root", "🐦".repeat(32), "🐦".repeat(64), 'x"+\\/#;<>', " x "]) {
      const { pem } = issueUserCertificate(authority, spki, name, NOW);
      const leaf = new X509Certificate(pem);
      expect(readCertificate(leaf).commonNames).toEqual([name]);
      expect(readCertificate(leaf).dnsNames).toEqual([label(name)]);
      expect(issuedBy(leaf, authority.certificate)).toBe(true);
    }
  });

  test("is not made for a name that is empty, too long, or holds control characters", () => {
    for (const name of ["", "x".repeat(65), "a\nb", "a\u0000", "\ud83d"]) {
      expect(() => issueUserCertificate(authority, spki, name, NOW)).toThrow(RangeError);
    }
  });
});

describe("the server's certificate", () => {
  const authority = newAuthority();
  const { spki } = generateKeyPair();
  const issued = issueServerCertificate(authority, spki, NOW);
  const leaf = new X509Certificate(issued.pem);

  test("is the rendezvous server's by its one dNSName, and only for the server's end", () => {
    const names = readCertificate(leaf);
    expect(names.commonNames).toEqual(["paloma rendezvous"]);
    expect(names.dnsNames).toEqual([RENDEZVOUS_DNS_NAME]);
    expect(names.notAfter).toBe(NOW_IN_SECONDS + SERVER_CERTIFICATE_LIFETIME);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(isRendezvousLeaf(leaf)).toBe(true);
  });

  test("is distinguished from that of any user and from the authority's", () => {
    const user = issueUserCertificate(authority, spki, "paloma rendezvous", NOW);
    expect(isRendezvousLeaf(new X509Certificate(user.pem))).toBe(false);
    expect(isRendezvousLeaf(authority.certificate)).toBe(false);
  });
});

describe("an authority", () => {
  const made = createAuthority(NOW);
  const authority = loadAuthority(made.certificatePem, made.privateKeyPem);

  test("signs itself, may issue leaves, and lives 20 years", () => {
    const names = readCertificate(authority.certificate);
    expect(authority.certificate.ca).toBe(true);
    expect(isSelfSignedAuthority(authority.certificate)).toBe(true);
    expect(names.notBefore).toBe(NOW_IN_SECONDS - HOUR);
    expect(names.notAfter).toBe(NOW_IN_SECONDS + AUTHORITY_LIFETIME);
    expect(names.fingerprint).toBe(authority.fingerprint);
    expect(names.dnsNames).toEqual([]);
  });

  test("has the year of its end in four digits from 2050 on, and is read the same on both sides of the boundary", () => {
    for (const end of ["2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2051-06-07T08:09:10Z"]) {
      const notAfter = Date.parse(end);
      expect(readCertificate(newAuthority(notAfter - AUTHORITY_LIFETIME).certificate).notAfter).toBe(
        notAfter,
      );
    }
  });

  test("keeps its key when its certificate is renewed", () => {
    const keys = generateKeyPair();
    const [first, second] = [createAuthority(NOW, keys), createAuthority(NOW + HOUR, keys)];
    const next = loadAuthority(second.certificatePem, second.privateKeyPem);
    expect(loadAuthority(first.certificatePem, first.privateKeyPem).fingerprint).toBe(next.fingerprint);
  });

  test("does not load with another's key, with a leaf, or with a damaged text", () => {
    const other = createAuthority(NOW);
    expect(() => loadAuthority(made.certificatePem, other.privateKeyPem)).toThrow("does not belong");
    const { pem } = issueUserCertificate(authority, authority.spki, "bob", NOW);
    expect(() => loadAuthority(pem, made.privateKeyPem)).toThrow("not that of a self-signed authority");
    expect(() => loadAuthority("", made.privateKeyPem)).toThrow();
    expect(() => loadAuthority(made.certificatePem, "")).toThrow();
  });

  test("is not the issuer of another authority's leaf, though both have the same name", () => {
    const other = newAuthority();
    const leaf = new X509Certificate(issueUserCertificate(authority, generateKeyPair().spki, "bob", NOW).pem);
    expect(issuedBy(leaf, authority.certificate)).toBe(true);
    expect(issuedBy(leaf, other.certificate)).toBe(false);
    expect(issuedBy(other.certificate, authority.certificate)).toBe(false);
  });

  test("is not the issuer of a leaf that was changed after it signed", () => {
    const { pem } = issueUserCertificate(authority, generateKeyPair().spki, "mallory", NOW);
    const forged = Buffer.from(new X509Certificate(pem).raw);
    forged.write("alice12", forged.indexOf("mallory"));
    const leaf = new X509Certificate(forged);
    expect(readCertificate(leaf).commonNames).toEqual(["alice12"]);
    expect(issuedBy(leaf, authority.certificate)).toBe(false);
  });
});
