/** Servers that are not the right one: each is named as what it is, and is sent nothing (PROTOCOL 3). */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { LinkEvents } from "../../src/client/rendezvous/link.ts";
import {
  reachServer,
  type AuthorityQuestion,
  type ReachOptions,
} from "../../src/client/rendezvous/reach-server.ts";
import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { authorityFingerprint } from "../../src/client/rendezvous/trust.ts";
import { createAuthority, loadAuthority, type Authority } from "../../src/identity/certificate.ts";
import { label } from "../../src/identity/names.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { FakeServer, pongOf, type FakeOptions } from "./fake-server.ts";
import { HOUR, leafOf, newAuthority, serverIdentity, userIdentity } from "./loopback.ts";
import { Company, openPerson } from "./messenger-pair.ts";
import type { Message } from "./rendezvous-test-client.ts";
import { ServerError } from "../../src/client/rendezvous/server-errors.ts";

const TLS_1_2 = 0x0303;
const HOST = "127.0.0.1";
const QUIET: LinkEvents = {
  presence: () => undefined,
  reach: () => undefined,
  revoked: () => undefined,
  notified: () => undefined,
  closed: () => undefined,
};

const cleanups = cleanupsForEachTest();

function keep<T extends { stop(): void }>(fake: T): T {
  cleanups.push(() => fake.stop());
  return fake;
}

function newStore(): ServerStore {
  const folder = mkdtempSync(join(tmpdir(), "paloma-trust-"));
  const servers = new ServerStore(folder);
  cleanups.push(() => {
    servers.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return servers;
}

/** Answers `ping` as a server with this authority does. */
function pong(authority: Authority): (message: Message) => Message {
  return (message) => pongOf(authority, message);
}

function ours(authority: Authority, port = 0): FakeServer {
  return keep(new FakeServer({ port, identity: serverIdentity(authority), answer: pong(authority) }));
}

type Contact = Partial<ReachOptions> & { servers: ServerStore };

async function contact(port: number, options: Contact): Promise<string> {
  const { link, authority } = await reachServer({
    host: HOST,
    port,
    expectedFingerprint: undefined,
    confirm: undefined,
    now: Date.now,
    events: QUIET,
    ...options,
  });
  link.close("done");
  return authorityFingerprint(authority);
}

async function failure(port: number, options: Contact): Promise<ServerError> {
  const error = await contact(port, options).catch((reason: unknown) => reason);
  if (!(error instanceof ServerError)) throw new Error(`no ServerError: ${String(error)}`);
  return error;
}

/** A store that has the server of `authority` pinned at the port, and nobody listening there any more. */
async function pinned(authority: Authority): Promise<{ servers: ServerStore; port: number }> {
  const servers = newStore();
  const server = ours(authority);
  expect(await contact(server.port, { servers })).toBe(authority.fingerprint);
  expect(servers.get(HOST, server.port)).toEqual({ kind: "pin", authority: authority.certificatePem });
  server.stop();
  return { servers, port: server.port };
}

const authority = newAuthority();

/** A certificate of nobody we know, for a name that is none of ours. */
function strangeIdentity(): TlsIdentity {
  const root = newAuthority();
  return leafOf(root, "www.example.org", "www.example.org");
}

const wrong: [string, string, () => FakeOptions][] = [
  ["a user's certificate", "server_is_user", () => ({ identity: userIdentity(authority, "bob") })],
  [
    "a user's certificate with the authority behind it",
    "server_is_user",
    () => {
      const { key, certificate } = userIdentity(authority, "bob");
      return { identity: { key, certificate: certificate + authority.certificatePem } };
    },
  ],
  ["a TLS server that is not ours", "server_not_paloma", () => ({ identity: strangeIdentity() })],
  ["one without TLS that answers", "server_plain", () => ({ greeting: "HTTP/1.1 400 Bad Request\r\n\r\n" })],
  [
    "one with TLS 1.2 at most",
    "server_no_tls",
    () => ({ identity: serverIdentity(authority), tls: { maxVersion: TLS_1_2 } }),
  ],
  ["one that accepts and closes", "server_unreachable", () => ({ closes: true })],
];

describe.each(wrong)("%s", (_, code, options) => {
  test(`is ${code} at first contact, and is sent nothing`, async () => {
    const servers = newStore();
    const fake = keep(new FakeServer(options()));
    expect((await failure(fake.port, { servers, confirm: async () => true })).code).toBe(code as never);
    expect(fake.text).not.toContain("action");
    if (options().identity !== undefined) expect(fake.received).toEqual([]);
    expect(servers.get(HOST, fake.port)).toBeUndefined();
  });

  test(`is ${code} where another was pinned, and is sent nothing`, async () => {
    const { servers, port } = await pinned(authority);
    const fake = keep(new FakeServer({ ...options(), port }));
    expect((await failure(port, { servers, confirm: async () => true })).code).toBe(code as never);
    expect(fake.text).not.toContain("action");
    if (options().identity !== undefined) expect(fake.received).toEqual([]);
    expect(servers.get(HOST, port)).toEqual({ kind: "pin", authority: authority.certificatePem });
  });
});

test("our own plain port is server_plain", async () => {
  const company = await Company.meet({ plainFrom: "loopback" });
  cleanups.push(() => company.close());
  expect((await failure(company.plainPort, { servers: newStore() })).code).toBe("server_plain");
});

test("nobody there is server_unreachable, first and later", async () => {
  const { servers, port } = await pinned(authority);
  expect((await failure(port, { servers })).code).toBe("server_unreachable");
  expect((await failure(port, { servers: newStore() })).code).toBe("server_unreachable");
});

test("a host that nobody knows is server_unreachable", async () => {
  const error = await failure(1, { servers: newStore(), host: "no-such-host.invalid" });
  expect(error.code).toBe("server_unreachable");
});

test("silence is server_timeout after ten seconds, first and later", async () => {
  const { servers, port } = await pinned(authority);
  const silent = keep(new FakeServer({ port }));
  const errors = await Promise.all([failure(port, { servers }), failure(port, { servers: newStore() })]);
  expect(errors.map(({ code }) => code)).toEqual(["server_timeout", "server_timeout"]);
  expect(silent.text).not.toContain("action");
}, 25_000);

test("a server whose certificate has expired is server_expired", async () => {
  const old = createAuthority(Date.now());
  const root = loadAuthority(old.certificatePem, old.privateKeyPem);
  const fake = ours(root);
  const nextYear = () => Date.now() + 365 * 24 * HOUR;
  expect((await failure(fake.port, { servers: newStore(), now: nextYear })).code).toBe("server_expired");
  expect(fake.received).toEqual([]);
});

describe("a server whose authority has changed", () => {
  const other = newAuthority();

  test("is refused with both fingerprints, and is sent nothing", async () => {
    const { servers, port } = await pinned(authority);
    const fake = ours(other, port);
    const error = await failure(port, { servers });
    expect(error).toMatchObject({
      code: "server_changed",
      expected: authority.fingerprint,
      found: other.fingerprint,
    });
    expect(error.isTransient).toBe(false);
    expect(fake.received).toEqual([]);
  });

  test("is refused when the person says no, and asked about with both fingerprints", async () => {
    const { servers, port } = await pinned(authority);
    const fake = ours(other, port);
    const questions: AuthorityQuestion[] = [];
    const confirm = async (question: AuthorityQuestion) => {
      questions.push(question);
      return false;
    };
    expect((await failure(port, { servers, confirm })).code).toBe("server_declined");
    expect(questions).toEqual([{ found: other.fingerprint, expected: authority.fingerprint }]);
    expect(fake.received).toEqual([]);
    expect(servers.get(HOST, port)?.authority).toBe(authority.certificatePem);
  });

  test.each([
    ["a typed yes", { confirm: async () => true }],
    ["its fingerprint", { expectedFingerprint: other.fingerprint }],
  ])("replaces the pin after %s", async (_, word) => {
    const { servers, port } = await pinned(authority);
    ours(other, port);
    expect(await contact(port, { servers, ...word })).toBe(other.fingerprint);
    expect(servers.get(HOST, port)).toEqual({ kind: "pin", authority: other.certificatePem });
    expect(await contact(port, { servers })).toBe(other.fingerprint);
  });

  test("does not replace the pin after another fingerprint", async () => {
    const { servers, port } = await pinned(authority);
    const fake = ours(other, port);
    const expectedFingerprint = newAuthority().fingerprint;
    expect((await failure(port, { servers, expectedFingerprint })).code).toBe("server_changed");
    expect(servers.get(HOST, port)?.authority).toBe(authority.certificatePem);
    expect(fake.received).toEqual([]);
  });

  test("is refused too when only its pong shows it", async () => {
    const { servers, port } = await pinned(authority);
    keep(new FakeServer({ port, identity: serverIdentity(authority), answer: pong(other) }));
    expect(await failure(port, { servers })).toMatchObject({
      code: "server_changed",
      expected: authority.fingerprint,
      found: other.fingerprint,
    });
  });
});

test("an account continues at the new authority once its fingerprint is given, with another key", async () => {
  const before = await Company.meet();
  cleanups.push(() => before.close());
  const old = await before.person("ana");
  await old.close();
  await before.stopServer();
  const after = await Company.meet({ tlsPort: before.port });
  cleanups.push(() => after.close());
  await after.addAccount("ana");
  const options = { dataFolder: join(before.folder, label("ana")), port: before.port };
  const refused = await openPerson("ana", options);
  expect(await refused.account.connect().catch((error: unknown) => error)).toMatchObject({
    code: "server_changed",
    expected: before.authority.fingerprint,
    found: after.authority.fingerprint,
  });
  await refused.close();
  const expectedFingerprint = after.authority.fingerprint;
  for (const word of [{ expectedFingerprint }, {}]) {
    const ana = await openPerson("ana", { ...options, ...word });
    await ana.account.connect();
    expect(ana.profile.keys.spki).not.toEqual(old.profile.keys.spki);
    await ana.close();
  }
});

test("a first fingerprint that does not fit is refused, and nothing is sent or stored", async () => {
  const servers = newStore();
  const fake = ours(authority);
  const expectedFingerprint = newAuthority().fingerprint;
  expect(await failure(fake.port, { servers, expectedFingerprint })).toMatchObject({
    code: "server_changed",
    expected: expectedFingerprint,
    found: authority.fingerprint,
  });
  expect(fake.received).toEqual([]);
  expect(servers.get(HOST, fake.port)).toBeUndefined();
});
