/** Servers that are trusted by the web's roots, and must prove that the authority stands behind their certificate (PROTOCOL 3). */
import { afterAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readCertificate } from "../../src/identity/certificate-reader.ts";
import { proveAuthority } from "../../src/identity/connection-proof.ts";
import { showFingerprint } from "../../src/identity/fingerprint.ts";
import { AskedProcess } from "./asked-process.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { ClientProcess } from "./cli-process.ts";
import type { Contact } from "./contact-process.ts";
import { FakeServer, pongOf } from "./fake-server.ts";
import { leafOf, newAuthority, serverIdentity } from "./loopback.ts";
import { Company } from "./messenger-pair.ts";
import type { Message } from "./rendezvous-test-client.ts";
import { TlsProxy } from "./tls-proxy.ts";

const cleanups = cleanupsForEachTest();

describe("a server with an operator's certificate", () => {
  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "paloma-web-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  async function company(options: Parameters<typeof Company.meet>[0]): Promise<Company> {
    const met = await Company.meet(options);
    cleanups.push(() => met.close());
    return met;
  }

  const root = newAuthority();
  const operators = leafOf(root, "localhost", "localhost");
  const rootFolder = mkdtempSync(join(tmpdir(), "paloma-web-root-"));
  const rootFile = join(rootFolder, "root.pem");
  writeFileSync(rootFile, root.certificatePem);
  // It trusts the root beside Bun's own.
  const contacts = new AskedProcess("contact-process.ts", [], { NODE_EXTRA_CA_CERTS: rootFile });
  afterAll(async () => {
    await contacts[Symbol.asyncDispose]();
    rmSync(rootFolder, { recursive: true });
  });

  function reach(folder: string, port: number, expectedFingerprint?: string): Promise<unknown> {
    return contacts.ask({ folder, port, expectedFingerprint } satisfies Contact);
  }

  test("a server is trusted by the web's roots, and never again by a pin", async () => {
    const folder = newFolder();
    const web = await company({ identity: operators });
    const { fingerprint } = web.authority;
    const trusted = { kind: "web", authority: fingerprint, storedAuthority: fingerprint };
    expect(await reach(folder, web.port)).toEqual(trusted);
    expect(await reach(folder, web.port)).toEqual(trusted);
    await web.stopServer();
    await web.restartServer({ identity: undefined });
    expect(await reach(folder, web.port)).toMatchObject({ code: "server_not_web" });
    // Another machine that never saw the web's certificate pins it.
    expect(await reach(newFolder(), web.port)).toMatchObject({ kind: "pin", authority: fingerprint });
  }, 60_000);

  test("a pinned server may come to the web with its authority, and with no other", async () => {
    const folder = newFolder();
    const server = await company({});
    const { fingerprint } = server.authority;
    expect(await reach(folder, server.port)).toMatchObject({ kind: "pin", authority: fingerprint });
    await server.stopServer();
    const other = await company({ identity: operators, tlsPort: server.port });
    expect(await reach(folder, server.port)).toEqual({
      code: "server_changed",
      expected: fingerprint,
      found: other.authority.fingerprint,
    });
    await other.stopServer();
    await server.restartServer({ identity: operators });
    expect(await reach(folder, server.port)).toMatchObject({ kind: "web", authority: fingerprint });
  }, 60_000);

  /** What a fake server proves: `right`, the authority; otherwise nothing. */
  type Proving = "right" | "missing" | "of another leaf" | "by another authority" | "nonsense";
  const authority = newAuthority();
  const leaf = new X509Certificate(operators.certificate);

  function proofs(proving: Proving): string | undefined {
    switch (proving) {
      case "right":
        return proveAuthority(authority.privateKey, leaf.raw);
      case "missing":
        return undefined;
      case "of another leaf":
        return proveAuthority(authority.privateKey, authority.certificate.raw);
      case "by another authority":
        return proveAuthority(newAuthority().privateKey, leaf.raw);
      case "nonsense":
        return "=".repeat(88);
      default:
        return proving satisfies never;
    }
  }

  /** A server with the operator's certificate that repeats the authority, and proves it or not. */
  function fake(proving: Proving, port = 0): FakeServer {
    const answer = (message: Message) => pongOf(authority, message, { authority_proof: proofs(proving) });
    const server = new FakeServer({ port, identity: operators, answer });
    cleanups.push(() => server.stop());
    return server;
  }

  const refused = {
    code: "server_changed",
    expected: authority.fingerprint,
    found: readCertificate(leaf).fingerprint,
  };
  const trusted = { kind: "web", authority: authority.fingerprint, storedAuthority: authority.fingerprint };

  /** What has been stored before: nothing, the same server by the web, or by a pin. */
  const before: [string, (folder: string) => Promise<number>][] = [
    ["at first contact", async () => 0],
    [
      "when it was trusted before",
      async (folder) => {
        const server = fake("right");
        expect(await reach(folder, server.port)).toEqual(trusted);
        server.stop();
        return server.port;
      },
    ],
    [
      "when it was pinned before",
      async (folder) => {
        const identity = serverIdentity(authority);
        const server = new FakeServer({ identity, answer: (message) => pongOf(authority, message) });
        expect(await reach(folder, server.port)).toMatchObject({ kind: "pin" });
        server.stop();
        return server.port;
      },
    ],
  ];

  describe.each(before)("one that repeats the authority %s", (_, prepare) => {
    test.each(["missing", "of another leaf", "by another authority", "nonsense"] as const)(
      "is refused after its pong, if its proof is %s",
      async (proving) => {
        const folder = newFolder();
        const server = fake(proving, await prepare(folder));
        expect(await reach(folder, server.port)).toEqual(refused);
        expect(server.messages.map(({ action }) => action)).toEqual(["ping"]);
        // Nothing was stored, and the fingerprint does not help: only the proof does.
        expect(await reach(folder, server.port, authority.fingerprint)).toEqual(refused);
        server.stop();
        fake("right", server.port);
        expect(await reach(folder, server.port)).toEqual(trusted);
      },
      60_000,
    );
  });

  test("a proxy with a certificate of the web in front of the real server is refused, by the program with exit 3", async () => {
    const real = await company({ identity: operators });
    const own = leafOf(root, "localhost", "localhost");
    const proxy = new TlsProxy(own, real.port);
    cleanups.push(() => proxy.stop());
    const folder = newFolder();
    const { fingerprint } = real.authority;
    const found = readCertificate(new X509Certificate(own.certificate)).fingerprint;
    const changed = { code: "server_changed", expected: fingerprint, found };
    expect(await reach(folder, proxy.port)).toEqual(changed);
    const { code, stderr } = await new ClientProcess({
      args: ["--server", `localhost:${proxy.port}`, "--user", "ana", "--data", folder, "register"],
      environment: {
        LC_ALL: "en_US.UTF-8",
        PALOMA_PASSWORD: "secreta12",
        NODE_EXTRA_CA_CERTS: rootFile,
      },
    }).ended;
    expect(code).toBe(3);
    expect(stderr).toContain(showFingerprint(fingerprint));
    expect(stderr).toContain(showFingerprint(found));
    expect(proxy.heard).not.toContain("register");
    expect(await reach(folder, real.port)).toMatchObject({ kind: "web", authority: fingerprint });
  }, 60_000);
});
