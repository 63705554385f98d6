import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AUTHORITY_LIFETIME,
  createAuthority,
  issueServerCertificate,
  issueUserCertificate,
  loadAuthority,
} from "../../src/identity/certificate.ts";
import { readCertificate } from "../../src/identity/certificate-reader.ts";
import type { Authority } from "../../src/identity/certificate.ts";
import { generateKeyPair, privateKeyToPem } from "../../src/identity/keys.ts";
import { label } from "../../src/identity/names.ts";
import { tlsParties } from "./tls-party.ts";

const HOUR = 3_600_000;
const TEST_LIMIT = 60_000;

let folder: string;
let now: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "paloma-certificates-"));
  now = Date.now();
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function openssl(...args: string[]): Promise<{ ok: boolean; text: string }> {
  const child = Bun.spawn(["openssl", ...args], { stdout: "pipe", stderr: "pipe" });
  const [out, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { ok: code === 0, text: out + error };
}

function newAuthority(at = now): Authority {
  const { certificatePem, privateKeyPem } = createAuthority(at);
  return loadAuthority(certificatePem, privateKeyPem);
}

describe("openssl verify -x509_strict", () => {
  let serial = 0;

  async function verify(
    authority: Authority,
    leafPem: string,
    at: number,
    ...args: string[]
  ): Promise<string> {
    const [ca, leaf] = [join(folder, `verify-ca-${serial}.pem`), join(folder, `verify-${serial++}.pem`)];
    await Promise.all([writeFile(ca, authority.certificatePem), writeFile(leaf, leafPem)]);
    const time = String(Math.floor(at / 1000));
    const { ok, text } = await openssl(
      "verify",
      "-x509_strict",
      "-attime",
      time,
      ...args,
      "-CAfile",
      ca,
      leaf,
    );
    return ok ? "ok" : text;
  }

  test("accepts the authority for its 20 years and no longer", async () => {
    const authority = newAuthority();
    const pem = authority.certificatePem;
    expect(await verify(authority, pem, now)).toBe("ok");
    expect(await verify(authority, pem, now + AUTHORITY_LIFETIME - HOUR)).toBe("ok");
    expect(await verify(authority, pem, now + AUTHORITY_LIFETIME + HOUR)).toContain(
      "certificate has expired",
    );
    expect(await verify(authority, pem, now - 2 * HOUR)).toContain("certificate is not yet valid");
  });

  test("accepts an authority that expires before or after 2050", async () => {
    for (const end of [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0, 1), Date.UTC(2055, 6, 1)]) {
      const authority = newAuthority(end - AUTHORITY_LIFETIME);
      expect(await verify(authority, authority.certificatePem, end - HOUR)).toBe("ok");
      expect(await verify(authority, authority.certificatePem, end + HOUR)).toContain(
        "certificate has expired",
      );
    }
  });

  test("accepts users' certificates for both ends, also with long names beyond ASCII", async () => {
    const authority = newAuthority();
    for (const name of ["alice", "Ñandú", "Nguyễn", "🐦".repeat(64)]) {
      const { pem } = issueUserCertificate(authority, generateKeyPair().spki, name, now);
      for (const purpose of ["sslclient", "sslserver"]) {
        expect(await verify(authority, pem, now, "-purpose", purpose, "-verify_hostname", label(name))).toBe(
          "ok",
        );
      }
      expect(await verify(authority, pem, now + 73 * HOUR)).toContain("certificate has expired");
      expect(await verify(authority, pem, now, "-verify_hostname", label("bob"))).toContain(
        "hostname mismatch",
      );
    }
  });

  test("accepts the server's certificate for a server and nothing else", async () => {
    const authority = newAuthority();
    const { pem } = issueServerCertificate(authority, generateKeyPair().spki, now);
    const name = ["-verify_hostname", "rendezvous.paloma"];
    expect(await verify(authority, pem, now, "-purpose", "sslserver", ...name)).toBe("ok");
    expect(await verify(authority, pem, now, "-purpose", "sslclient")).toMatch(/purpose/);
  });

  test("refuses another authority's certificate", async () => {
    const { pem } = issueUserCertificate(newAuthority(), generateKeyPair().spki, "alice", now);
    expect(await verify(newAuthority(), pem, now)).not.toBe("ok");
  });
});

test("a common name that openssl wrote is read to the letter", async () => {
  const [key, cert] = [join(folder, "hostile-key.pem"), join(folder, "hostile.pem")];
  const subject = "/CN=alice\\, CN=bob\\/CN=carol/O=x/CN=ñandú";
  const args = ["-newkey", "ed25519", "-nodes", "-utf8", "-subj", subject, "-keyout", key, "-out", cert];
  const made = await openssl("req", "-x509", ...args, "-addext", "subjectAltName=DNS:a,IP:127.0.0.1");
  expect(made).toMatchObject({ ok: true });
  const read = readCertificate(new X509Certificate(await Bun.file(cert).text()));
  expect(read.commonNames).toEqual(["alice, CN=bob/CN=carol", "ñandú"]);
  expect([read.dnsNames, read.otherAltNames]).toEqual([["a"], true]);
});

async function filesOf(name: string, authority: Authority, trusted: Authority, at: number): Promise<string> {
  const files = await mkdtemp(join(folder, "party-"));
  const { privateKey, spki } = generateKeyPair();
  await Promise.all([
    writeFile(join(files, "key.pem"), privateKeyToPem(privateKey), { mode: 0o600 }),
    writeFile(join(files, "cert.pem"), issueUserCertificate(authority, spki, name, at).pem),
    writeFile(join(files, "ca.pem"), trusted.certificatePem),
  ]);
  return files;
}

const [python, node, bun] = tlsParties();
const parties = [python, node, bun];
// One end is always the runtime that both programs have.
const pairs = parties
  .flatMap((acceptor) => parties.map((dialler) => ({ acceptor, dialler })))
  .filter(({ acceptor, dialler }) => acceptor === bun || dialler === bun);

describe.each(pairs.map((pair) => [pair.acceptor.name, pair.dialler.name, pair] as const))(
  "between a %s server and a %s client",
  (_, __, { acceptor, dialler }) => {
    test(
      "our certificates make a mutual TLS 1.3 connection in which each sees the other's name",
      async () => {
        const authority = newAuthority();
        const files = [
          filesOf("Ñandú", authority, authority, now),
          filesOf("żółć", authority, authority, now),
        ] as const;
        const [acceptorFiles, diallerFiles] = await Promise.all(files);
        const { port, outcome } = await acceptor.serve(acceptorFiles);
        const seen = await Promise.all([dialler.dial(diallerFiles, port, label("ñandú")), outcome]);
        const version = "TLSv1.3";
        expect(seen).toEqual([
          { version, peer: ["Ñandú"], line: `from the ${acceptor.name} server` },
          { version, peer: ["żółć"], line: `from the ${dialler.name} client` },
        ]);
      },
      TEST_LIMIT,
    );
  },
);

describe.each(parties.map((party) => [party.name, party] as const))("a %s server", (_, acceptor) => {
  const refusals: [string, (authority: Authority) => Promise<string>][] = [
    ["of another authority", (authority) => filesOf("żółć", newAuthority(), authority, now)],
    ["that has expired", (authority) => filesOf("żółć", authority, authority, now - 96 * HOUR)],
    ["that does not hold yet", (authority) => filesOf("żółć", authority, authority, now + 48 * HOUR)],
  ];
  // The others read dates as openssl does, above.
  test.each(acceptor === bun ? refusals : refusals.slice(0, 2))(
    "refuses a client's certificate %s",
    async (__, clientFiles) => {
      const authority = newAuthority();
      const { port, outcome } = await acceptor.serve(await filesOf("Ñandú", authority, authority, now));
      const seen = await Promise.all([bun.dial(await clientFiles(authority), port, label("ñandú")), outcome]);
      for (const end of seen) expect(end).toHaveProperty("error");
    },
    TEST_LIMIT,
  );
});

describe.each(parties.map((party) => [party.name, party] as const))("a %s client", (_, dialler) => {
  test(
    "refuses a server whose certificate has another label",
    async () => {
      const authority = newAuthority();
      const { port, outcome } = await bun.serve(await filesOf("mallory", authority, authority, now));
      const diallerFiles = await filesOf("żółć", authority, authority, now);
      const seen = await Promise.all([dialler.dial(diallerFiles, port, label("ñandú")), outcome]);
      for (const end of seen) expect(end).toHaveProperty("error");
    },
    TEST_LIMIT,
  );
});
