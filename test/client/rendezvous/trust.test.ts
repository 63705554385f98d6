import { describe, expect, test } from "bun:test";
import { sign, X509Certificate } from "node:crypto";

import type { ServerTrust } from "../../../src/client/rendezvous/trust-store.ts";
import {
  authorityFingerprint,
  judgeDifference,
  judgeFirstContact,
  serverContext,
  unreachable,
  webName,
} from "../../../src/client/rendezvous/trust.ts";
import {
  AUTHORITY_LIFETIME,
  createAuthority,
  issueServerCertificate,
  issueUserCertificate,
  loadAuthority,
  SERVER_CERTIFICATE_LIFETIME,
  type Authority,
} from "../../../src/identity/certificate.ts";
import {
  distinguishedName,
  issueCertificate,
  keyIdentifier,
  SERIAL_BYTES,
} from "../../../src/identity/certificate-template.ts";
import * as der from "../../../src/identity/der.ts";
import { generateKeyPair } from "../../../src/identity/keys.ts";
import type { Look } from "../../../src/net/look.ts";
import { ServerError, type ServerErrorCode } from "../../../src/client/rendezvous/server-errors.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2027, 0, 15, 12);
const FAR = "192.0.2.7";

function newAuthority(now = NOW): Authority {
  const { certificatePem, privateKeyPem } = createAuthority(now);
  return loadAuthority(certificatePem, privateKeyPem);
}

const ours = newAuthority();
const other = newAuthority();
const { spki } = generateKeyPair();
const leafOf = (authority: Authority, now = NOW) =>
  new X509Certificate(issueServerCertificate(authority, spki, now).pem);
const user = new X509Certificate(issueUserCertificate(ours, spki, "Ana", NOW).pem);

/** A certificate whose alternative names cannot be read, maybe that of a self-signed authority. */
function unreadableCertificate(keys = generateKeyPair(), isAuthority = false): X509Certificate {
  const ed25519 = der.sequence(der.objectIdentifier("1.3.101.112"));
  const name = distinguishedName("stranger");
  const extensions = [
    der.sequence(der.objectIdentifier("2.5.29.17"), der.octetString(Buffer.from("no DER"))),
    ...(isAuthority
      ? [der.sequence(der.objectIdentifier("2.5.29.19"), der.octetString(der.sequence(der.booleanTrue())))]
      : []),
  ];
  const body = der.sequence(
    der.element(0xa0, der.unsignedInteger(Uint8Array.of(2))),
    der.unsignedInteger(Uint8Array.of(1)),
    ed25519,
    name,
    der.sequence(der.time(NOW - HOUR), der.time(NOW + HOUR)),
    name,
    keys.spki,
    der.element(0xa3, der.sequence(...extensions)),
  );
  return new X509Certificate(der.sequence(body, ed25519, der.bitString(sign(null, body, keys.privateKey))));
}

/** A rendezvous leaf and the authority that signed it, which cannot be read. */
function unreadableChain(): [X509Certificate, X509Certificate] {
  const keys = generateKeyPair();
  const issuer = {
    name: distinguishedName("stranger"),
    keyIdentifier: keyIdentifier(keys.spki),
    privateKey: keys.privateKey,
  };
  const leaf = issueCertificate(issuer, {
    role: "server",
    commonName: "paloma rendezvous",
    dnsName: "rendezvous.paloma",
    spki,
    notBefore: NOW - HOUR,
    notAfter: NOW + HOUR,
    random: new Uint8Array(SERIAL_BYTES),
  });
  return [new X509Certificate(leaf), unreadableCertificate(keys, true)];
}

function look(
  leaf: X509Certificate,
  issuer?: X509Certificate,
  more: { valid?: boolean; address?: string } = {},
): Look {
  return { name: "certificate", valid: false, leaf, issuer, address: FAR, ...more };
}

const pin = (authority: Authority): ServerTrust => ({ kind: "pin", authority: authority.certificatePem });
const web = (authority?: Authority): ServerTrust => ({ kind: "web", authority: authority?.certificatePem });

function codeOf(run: () => unknown): ServerErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof ServerError) return error.code;
    throw error;
  }
}

describe("at first contact", () => {
  test("a leaf that is valid for the web is trusted as `web`, whatever its issuer", () => {
    expect(judgeFirstContact(look(leafOf(ours), undefined, { valid: true }), NOW)).toEqual({ name: "web" });
    expect(judgeFirstContact(look(user, ours.certificate, { valid: true }), NOW)).toEqual({ name: "web" });
  });

  test("a rendezvous leaf with its authority is trusted as `pin` after a question", () => {
    const contact = judgeFirstContact(look(leafOf(ours), ours.certificate), NOW);
    expect(contact).toMatchObject({ name: "pin", fingerprint: ours.fingerprint, confirmed: false });
    expect(contact.name === "pin" && authorityFingerprint(contact.authority)).toBe(ours.fingerprint);
  });

  test("only a loopback server needs no question", () => {
    const addresses = [
      "127.0.0.1",
      "127.8.9.10",
      "::1",
      "192.168.1.2",
      "10.0.0.1",
      "fe80::1",
      "2001:db8::1",
      "",
    ];
    const confirmed = addresses.filter((address) => {
      const contact = judgeFirstContact(look(leafOf(ours), ours.certificate, { address }), NOW);
      return contact.name === "pin" && contact.confirmed;
    });
    expect(confirmed).toEqual(["127.0.0.1", "127.8.9.10", "::1"]);
  });

  const refusals: [string, ServerErrorCode, Look, number?][] = [
    ["plain text", "server_plain", { name: "plain" }],
    ["a port that takes no TLS 1.3", "server_no_tls", { name: "noTls", code: "closed" }],
    ["nobody there", "server_unreachable", { name: "unreachable", code: "ECONNREFUSED" }],
    ["no answer", "server_timeout", { name: "unreachable", code: "timeout" }],
    ["a user's certificate, signed by our authority", "server_is_user", look(user, ours.certificate)],
    ["a user's certificate alone", "server_is_user", look(user)],
    ["a rendezvous leaf with nothing behind it", "server_not_paloma", look(leafOf(ours))],
    [
      "a rendezvous leaf with another authority behind it",
      "server_not_paloma",
      look(leafOf(ours), other.certificate),
    ],
    ["a rendezvous leaf with itself behind it", "server_not_paloma", look(leafOf(ours), leafOf(ours))],
    ["a rendezvous leaf with a user's certificate behind it", "server_not_paloma", look(leafOf(ours), user)],
    ["an authority's certificate as leaf", "server_not_paloma", look(ours.certificate, ours.certificate)],
    ["a stranger's certificate", "server_not_paloma", look(unreadableCertificate())],
    [
      "a stranger's certificate with our authority behind it",
      "server_not_paloma",
      look(unreadableCertificate(), ours.certificate),
    ],
    [
      "a stranger's certificate behind a rendezvous leaf",
      "server_not_paloma",
      look(leafOf(ours), unreadableCertificate()),
    ],
    ["an authority that cannot be read", "server_not_paloma", look(...unreadableChain())],
    [
      "an expired leaf",
      "server_expired",
      look(leafOf(ours), ours.certificate),
      NOW + SERVER_CERTIFICATE_LIFETIME + 1,
    ],
    ["a leaf that is not valid yet", "server_expired", look(leafOf(ours), ours.certificate), NOW - HOUR - 1],
    [
      "an expired authority",
      "server_expired",
      look(leafOf(ours, NOW + AUTHORITY_LIFETIME), ours.certificate),
      NOW + AUTHORITY_LIFETIME + 1_000,
    ],
  ];
  for (const [what, code, seen, now = NOW] of refusals) {
    test(`${what} is ${code}`, () => {
      expect(codeOf(() => judgeFirstContact(seen, now))).toBe(code);
    });
  }
});

test("a server that is not reached is so for a cause, where the line says one", () => {
  const causes = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EINVAL", "ECONNRESET", "no_address"].map(
    (code) => [unreachable(code).code, unreachable(code).why],
  );
  expect(causes).toEqual([
    ["server_unreachable", "refused"],
    ["server_unreachable", "no_route"],
    ["server_unreachable", "no_route"],
    ["server_unreachable", "no_interface"],
    ["server_unreachable", undefined],
    ["server_unreachable", undefined],
  ]);
  expect(unreachable("handshake_timeout").code).toBe("server_timeout");
});

describe("when a trusted server does not pass", () => {
  const found = look(leafOf(other), other.certificate);
  const known = look(leafOf(ours), ours.certificate);
  const validNow = look(leafOf(ours), undefined, { valid: true });
  const code = (stored: ServerTrust, seen: Look, now = NOW) => {
    const difference = judgeDifference(stored, seen, now);
    return difference.name === "error" ? difference.error.code : difference.name;
  };

  test("a pinned one with another authority needs a person's confirmation, and both fingerprints are known", () => {
    const difference = judgeDifference(pin(ours), found, NOW);
    expect(difference).toMatchObject({
      name: "otherAuthority",
      expected: ours.fingerprint,
      found: other.fingerprint,
    });
    expect(difference.name === "otherAuthority" && authorityFingerprint(difference.authority)).toBe(
      other.fingerprint,
    );
  });

  test("another authority is not accepted without confirmation on loopback either", () => {
    const near = look(leafOf(other), other.certificate, { address: "127.0.0.1" });
    expect(code(pin(ours), near)).toBe("otherAuthority");
  });

  test("a pinned one that is valid for the web now becomes `web`", () => {
    expect(code(pin(ours), validNow)).toBe("becameWeb");
  });

  test("a server that was `web` is never downgraded to a pin, neither of a known authority nor on loopback", () => {
    for (const stored of [web(), web(ours)]) {
      for (const seen of [found, known, look(leafOf(ours), ours.certificate, { address: "127.0.0.1" })]) {
        const difference = judgeDifference(stored, seen, NOW);
        expect(difference.name).toBe("error");
        expect(code(stored, seen)).toBe("server_not_web");
      }
    }
    const difference = judgeDifference(web(ours), found, NOW);
    expect(difference.name === "error" && difference.error).toMatchObject({
      expected: ours.fingerprint,
      found: other.fingerprint,
    });
  });

  test("one that looks correct has a problem of the connection and may be tried again", () => {
    for (const [stored, seen] of [
      [pin(ours), known],
      [web(ours), validNow],
    ] as const) {
      const difference = judgeDifference(stored, seen, NOW);
      expect(difference.name === "error" && difference.error.isTransient).toBe(true);
    }
  });

  test("everything else gets the code of the first contact, and no confirmation helps", () => {
    for (const stored of [pin(ours), web(ours), web()]) {
      expect(code(stored, look(user, ours.certificate))).toBe("server_is_user");
      expect(code(stored, look(leafOf(ours)))).toBe("server_not_paloma");
      expect(code(stored, look(unreadableCertificate()))).toBe("server_not_paloma");
      expect(code(stored, { name: "plain" })).toBe("server_plain");
      expect(code(stored, { name: "noTls", code: "closed" })).toBe("server_no_tls");
      expect(code(stored, { name: "unreachable", code: "timeout" })).toBe("server_timeout");
      expect(code(stored, known, NOW + SERVER_CERTIFICATE_LIFETIME + 1)).toBe("server_expired");
    }
  });
});

test("another attempt follows if a server cannot be reached, never if it is another one", () => {
  const transient = (
    [
      "server_unreachable",
      "server_timeout",
      "server_protocol",
      "server_plain",
      "server_no_tls",
      "server_not_paloma",
      "server_is_user",
      "server_changed",
      "server_other_account",
      "server_not_web",
      "server_unconfirmed",
      "server_declined",
      "server_expired",
    ] as const
  ).filter((code) => new ServerError(code).isTransient);
  expect(transient).toEqual(["server_unreachable", "server_timeout", "server_protocol"]);
});

test("the verified connection asks for the pinned authority and its one name, or for the typed host", () => {
  expect(serverContext("example.org", pin(ours))).toMatchObject({
    ca: ours.certificatePem,
    serverName: "rendezvous.paloma",
    rejectUnauthorized: true,
  });
  expect(serverContext("example.org", web(ours))).toMatchObject({
    serverName: "example.org",
    rejectUnauthorized: true,
  });
  expect(serverContext("example.org", web(ours)).ca).toBeUndefined();
  for (const literal of ["192.0.2.7", "::1"]) {
    expect(webName(literal)).toBeUndefined();
    expect(serverContext(literal, web())).not.toHaveProperty("serverName");
  }
});
