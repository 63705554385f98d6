import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";

import {
  judgeKey,
  provePeer,
  type KeyReport,
  type KeyVerdict,
  type ProofFailure,
} from "../../../src/client/peer/proof.ts";
import {
  createAuthority,
  issueServerCertificate,
  issueUserCertificate,
  loadAuthority,
  USER_CERTIFICATE_LIFETIME,
} from "../../../src/identity/certificate.ts";
import { readUserCertificate } from "../../../src/identity/certificate-reader.ts";
import { fingerprint } from "../../../src/identity/fingerprint.ts";
import { generateKeyPair } from "../../../src/identity/keys.ts";
import { label } from "../../../src/identity/names.ts";
import { revokes, type Revocation } from "../../../src/identity/revocation.ts";
import type { Handshake } from "../../../src/net/tls.ts";
import { oddCertificates } from "../../odd-certificates.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2027, 0, 15, 12);
const PASSED: Handshake = { error: undefined, done: true, authorized: true, reused: false };

const newAuthority = () => {
  const { certificatePem, privateKeyPem } = createAuthority(NOW);
  return loadAuthority(certificatePem, privateKeyPem);
};
const authority = newAuthority();
const otherAuthority = newAuthority();
const { spki } = generateKeyPair();

const certificateOf = (name: string) =>
  new X509Certificate(issueUserCertificate(authority, spki, name, NOW).pem);

const ana = certificateOf("Ana");
const ownLabel = label("Berta");
const prove = (
  certificate: X509Certificate | undefined,
  {
    handshake = PASSED,
    target,
    now = NOW,
    revocation,
  }: { handshake?: Handshake; target?: string; now?: number; revocation?: Revocation } = {},
) =>
  provePeer(handshake, certificate, {
    read: (each) => readUserCertificate(each, authority.certificate),
    ownLabel,
    target,
    now,
    isRevoked: (each) => revocation !== undefined && revokes(revocation, each),
  });

describe("a revoked certificate", () => {
  const before = Math.floor(NOW / 1_000) + 1;
  const ofAna = { label: label("Ana"), before };

  test("is refused to both sides, until it is issued anew or if its key is excepted", () => {
    expect(prove(ana, { revocation: ofAna })).toEqual({ ok: false, code: "revoked" });
    expect(prove(ana, { target: "Ana", revocation: ofAna })).toEqual({ ok: false, code: "revoked" });
    expect(prove(ana, { revocation: { ...ofAna, label: ownLabel } }).ok).toBe(true);
    expect(prove(ana, { revocation: { ...ofAna, except: fingerprint(spki) } }).ok).toBe(true);
    expect(prove(ana, { revocation: { ...ofAna, except: "0".repeat(64) } }).ok).toBe(false);
    const { pem } = issueUserCertificate(authority, spki, "Ana", before * 1_000);
    expect(prove(new X509Certificate(pem), { revocation: ofAna }).ok).toBe(true);
  });

  test("of another person does not answer for the one who was dialled", () => {
    expect(prove(ana, { target: "Carla", revocation: ofAna })).toEqual({ ok: false, code: "other_name" });
  });
});

describe("a peer with a good certificate is accepted", () => {
  const peer = {
    name: "Ana",
    label: label("ana"),
    notBefore: Math.floor((NOW - HOUR) / 1_000) * 1_000,
    fingerprint: fingerprint(spki),
    spki,
  };

  test("to the acceptor, who expects no name", () => {
    expect(prove(ana)).toEqual({ ok: true, peer });
  });

  test("to the dialler, who expects this very name", () => {
    expect(prove(ana, { target: "Ana" })).toEqual({ ok: true, peer });
  });

  test("with an old name of any characters but controls, up to 64 code points", () => {
    for (const name of ["señor café", "名前", "x".repeat(64), "CN=Berta"]) {
      expect(prove(certificateOf(name), { target: name })).toMatchObject({ ok: true, peer: { name } });
    }
  });

  test("with at most 30 combining marks in a row", () => {
    const name = (marks: number) => `a${"\u0316".repeat(marks)}`;
    expect(prove(certificateOf(name(30)))).toMatchObject({ ok: true });
    expect(prove(certificateOf(name(31)))).toEqual({ ok: false, code: "bad_certificate" });
  });

  test("in the first and in the last millisecond of its dates", () => {
    const { validFromDate, validToDate } = ana;
    expect(prove(ana, { now: validFromDate.getTime() }).ok).toBe(true);
    expect(prove(ana, { now: validToDate.getTime() }).ok).toBe(true);
  });
});

describe("a connection is refused if one thing is wrong:", () => {
  const failures: [string, ProofFailure, Parameters<typeof prove>][] = [
    ["no certificate, though the handshake is done", "bad_certificate", [undefined]],
    [
      "no certificate, and the library says so",
      "not_authorized",
      [
        undefined,
        { handshake: { ...PASSED, error: "PEER_DID_NOT_RETURN_A_CERTIFICATE", authorized: false } },
      ],
    ],
    [
      "another authority's certificate",
      "not_authorized",
      [ana, { handshake: { ...PASSED, error: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", authorized: false } }],
    ],
    ["an error beside «authorized»", "not_authorized", [ana, { handshake: { ...PASSED, error: "ANY" } }]],
    [
      "not authorized, without an error",
      "not_authorized",
      [ana, { handshake: { ...PASSED, authorized: false } }],
    ],
    ["a handshake that is not done", "not_authorized", [ana, { handshake: { ...PASSED, done: false } }]],
    ["a resumed session", "resumed", [ana, { handshake: { ...PASSED, reused: true } }]],
    ["a certificate that has expired", "not_in_date", [ana, { now: NOW + USER_CERTIFICATE_LIFETIME + 1 }]],
    ["a certificate that is not valid yet", "not_in_date", [ana, { now: NOW - HOUR - 1 }]],
    ["my own certificate", "own_certificate", [certificateOf("Berta")]],
    ["my own name in other letters", "own_certificate", [certificateOf("BERTA")]],
    [
      "the server's own certificate",
      "bad_certificate",
      [new X509Certificate(issueServerCertificate(authority, spki, NOW).pem)],
    ],
    ["the authority's certificate", "bad_certificate", [authority.certificate]],
    [
      "a certificate of another authority, though the library says that it is authorized",
      "bad_certificate",
      [new X509Certificate(issueUserCertificate(otherAuthority, spki, "Ana", NOW).pem)],
    ],
    ...oddCertificates(authority, "Ana", NOW).map(
      ([what, make]): [string, ProofFailure, Parameters<typeof prove>] => [
        what,
        "bad_certificate",
        [new X509Certificate(make().certificate)],
      ],
    ),
    ["another name than was dialled", "other_name", [ana, { target: "Carla" }]],
    ["a twin in other letters than was dialled", "other_name", [ana, { target: "ANA" }]],
  ];
  for (const [what, code, args] of failures) {
    test(what, () => {
      expect(prove(...args)).toEqual({ ok: false, code });
    });
  }
});

describe("a key", () => {
  const nothing: KeyReport = { name: "nothing" };
  const notNow: KeyReport = { name: "notNow" };
  const named = (fingerprint: string): KeyReport => ({ name: "key", fingerprint });
  const verdicts: [string, string[], KeyReport, KeyVerdict][] = [
    ["the first, and the server says nothing", [], nothing, "pin"],
    ["the first, and the server says the same", [], named("k"), "pin"],
    ["the first, and the server says another", [], named("other"), "refused"],
    ["pinned, and the server says nothing", ["k"], nothing, "pinned"],
    ["pinned, and the server says the same", ["k"], named("k"), "pinned"],
    ["pinned, and the server says another: two devices of one person", ["k"], named("other"), "pinned"],
    ["pinned as the second device", ["other", "k"], nothing, "pinned"],
    ["new beside pins, and the server says nothing", ["other"], nothing, "pending"],
    [
      "new beside pins, and the server says the same: the server alone changes no pin",
      ["other"],
      named("k"),
      "pending",
    ],
    ["new beside pins, and the server says the pinned one", ["other"], named("other"), "refused"],
    ["new beside pins, and the server says a third", ["other"], named("third"), "refused"],
    ["the first, and the server cannot be asked now", [], notNow, "notNow"],
    ["pinned, and the server cannot be asked now", ["k"], notNow, "pinned"],
    ["new beside pins, and the server cannot be asked now", ["other"], notNow, "notNow"],
  ];
  for (const [what, pins, report, verdict] of verdicts) {
    test(`${what} → ${verdict}`, () => {
      expect(judgeKey(pins, "k", report)).toBe(verdict);
    });
  }
});
