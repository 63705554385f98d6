/** Revocations among real clients (PROTOCOL 3): links end, nobody is admitted or dialled, and who is welcome renews. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { X509Certificate } from "node:crypto";

import { readCertificate } from "../../src/identity/certificate-reader.ts";
import { generateKeyPair, privateKeyToPem } from "../../src/identity/keys.ts";
import { label } from "../../src/identity/names.ts";
import type { Revocation } from "../../src/identity/revocation.ts";
import type { AdminRequest } from "../../src/server/admin/messages.ts";
import { AdminOperations } from "../../src/server/admin/operations.ts";
import { newToken, tokenId } from "../../src/server/store/session-token.ts";
import { HOUR } from "./loopback.ts";
import { Company, expectServed, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

let company: Company;
let ana: Person;
let bob: Person;

beforeEach(async () => {
  company = await Company.meet();
  ana = await company.person("ana");
  bob = await company.person("bob");
  for (const { account } of [ana, bob]) account.keepOnline();
});
afterEach(() => company.close());

const operator = (request: AdminRequest) => new AdminOperations(company.services).run(request);

function notBefore(person: Person): number {
  return readCertificate(new X509Certificate(person.profile.certificate?.pem ?? "")).notBefore;
}

const isRevokedFor = (person: Person, other: Person): boolean =>
  person.profile.revocations.isRevoked({
    label: label(other.name),
    notBefore: notBefore(other),
    fingerprint: "",
  });

async function talk(): Promise<void> {
  ana.messenger.openChat("bob");
  ana.messenger.outbox.send("bob", "hello");
  await until(() => ana.received("bob") === 1);
}

describe("a link to somebody", () => {
  test("who was disabled ends within a second of the push, with its reason, and is not opened again", async () => {
    await talk();
    await operator({ command: "disable", name: "bob" });
    const begun = performance.now();
    await until(() => ana.of("disconnected").length === 1);
    // Half a second is for gathering.
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(ana.of("disconnected")[0]).toMatchObject({ username: "bob", bye: false, revoked: true });
    ana.messenger.outbox.send("bob", "later");
    await until(() => ana.of("unreachable").length > 0);
    expect(ana.of("unreachable")[0]?.reason).toMatch(/^(?:offline|revoked)$/);
    expect(bob.texts("ana")).toEqual(["hello"]);
    await operator({ command: "enable", name: "bob" });
    await bob.account.connect();
    await until(() => ana.received("bob") === 2);
    expect(bob.texts("ana")).toEqual(["hello", "later"]);
  });

  test("whose session was revoked is opened again when they have come back, and what was queued arrives", async () => {
    await talk();
    const former = notBefore(bob);
    await operator({ command: "revoke", name: "bob", id: undefined });
    await until(() => ana.of("disconnected").some(({ revoked }) => revoked === true));
    ana.messenger.outbox.send("bob", "again");
    bob.account.keepOnline();
    await bob.account.connect();
    await until(() => ana.received("bob") === 2);
    expect(notBefore(bob)).toBeGreaterThan(former);
    expect(ana.of("unreachable").length).toBeLessThan(5);
  });

  test("who has changed the password goes on: the key with which it was said is excepted", async () => {
    await talk();
    await bob.messenger.rendezvous.link?.request("change_password", {
      password: "secreta12",
      new_password: "otra secreta",
    });
    await untilQuiet(() => ana.profile.revocations.size === 1);
    expect(isRevokedFor(ana, bob)).toBe(true);
    ana.messenger.outbox.send("bob", "still here");
    await until(() => ana.received("bob") === 2);
    expect(ana.of("disconnected")).toEqual([]);
  });
});

test("a changed password that excepts a key makes its certificates of before an operator's revocation no good", async () => {
  const { certificate, keys } = bob.profile;
  const former = { key: privateKeyToPem(keys.privateKey), certificate: certificate?.pem ?? "" };
  await expectServed(ana, former);
  await operator({ command: "revoke", name: "bob", id: undefined });
  await untilQuiet(() => bob.messenger.rendezvous.state.name !== "online");
  bob.account.keepOnline();
  await bob.account.connect();
  await bob.messenger.rendezvous.link?.request("change_password", {
    password: "secreta12",
    new_password: "otra secreta",
  });
  await untilQuiet(() => isRevokedFor(ana, bob));
  const present = { ...former, certificate: bob.profile.certificate?.pem ?? "" };
  await expectServed(ana, present);
  const peer = await RawPeer.dial(ana.port, { identity: former });
  await peer.closed;
  expect(peer.received).toEqual([]);
  await untilQuiet(() => ana.of("refusal").at(-1)?.code === "revoked");
});

describe("without a server", () => {
  test("the revocations of the last login count, also after a restart", async () => {
    await company.addAccount("carla");
    const former = company.identity("carla", HOUR);
    await expectServed(ana, former);
    await operator({ command: "disable", name: "carla" });
    await untilQuiet(() => ana.profile.revocations.size === 1);
    await company.stopServer();
    await ana.close();
    const again = await company.person("ana", { offline: true });
    again.account.keepOnline();
    for (let times = 0; times < 2; times++) {
      const peer = await RawPeer.dial(again.port, { identity: former });
      await peer.closed;
      expect(peer.received).toEqual([]);
    }
    expect(again.of("refusal")[0]).toMatchObject({ code: "revoked" });
  });
});

describe("a stranger", () => {
  test("with a revoked certificate is not admitted, and with a later one is", async () => {
    await company.addAccount("carla");
    const former = company.identity("carla", 1_000);
    await operator({ command: "revoke", name: "carla", id: undefined });
    await untilQuiet(() => ana.profile.revocations.size === 1);
    const peer = await RawPeer.dial(ana.port, { identity: former });
    await peer.closed;
    expect(peer.received).toEqual([]);
    await untilQuiet(() => ana.of("refusal").length > 0);
    expect(ana.of("refusal").map(({ code }) => code)).toEqual(["revoked"]);
    await expectServed(ana, company.identity("carla", -2_000));
  });
});

test("somebody who answers with a revoked certificate is told nothing, and is tried again after growing waits", async () => {
  await company.addAccount("carla");
  const { key, certificate } = company.identity("carla", 1_000);
  const received: Buffer[] = [];
  const stand = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key, cert: certificate, ca: company.authority.certificatePem, requestCert: true },
    socket: {
      handshake: (socket) =>
        void socket.write(`${JSON.stringify({ action: "hello", protocol: 1, username: "carla" })}\n`),
      data: (_socket, chunk) => void received.push(chunk),
      error: () => undefined,
    },
  });
  company.onClose(() => stand.stop(true));
  await operator({ command: "revoke", name: "carla", id: undefined });
  await untilQuiet(() => ana.profile.revocations.size === 1);
  await company.stopServer();
  const contact = ana.profile.contacts.ensure("carla");
  ana.profile.contacts.saveTargets(contact, [{ ip: "127.0.0.1", port: stand.port }]);
  ana.messenger.outbox.send("carla", "for carla only");
  const failures = () => ana.of("unreachable").filter(({ username }) => username === "carla");
  await until(() => failures().length === 2);
  expect(failures().map(({ reason }) => reason)).toEqual(["revoked", "revoked"]);
  const [first = 0, second = 0] = failures().map(({ retryIn }) => retryIn);
  expect(second).toBeGreaterThan(first + 2_000);
  expect(received).toEqual([]);
  expect(ana.profile.contacts.pins(contact)).toEqual([]);
});

describe("who finds their own label", () => {
  const ownRevocation = (person: Person): Revocation => ({
    label: label(person.name),
    before: Math.floor(Date.now() / 1_000) + 1,
  });

  test("renews at once, and then reaches everybody", async () => {
    const former = notBefore(bob);
    // Another session of his is revoked, so that this one goes on.
    const { store } = company.services;
    const { account } = (await store.account("bob")) ?? {};
    const { hash } = newToken();
    if (account !== undefined) await store.issue(account, hash, generateKeyPair().spki);
    await operator({ command: "revoke", name: "bob", id: tokenId(hash) });
    await untilQuiet(() => bob.profile.revocations.size === 1);
    await untilQuiet(() => bob.messenger.canBeReached && notBefore(bob) > former);
    await untilQuiet(() => ana.profile.revocations.size === 1);
    bob.messenger.outbox.send("ana", "with a new certificate");
    await until(() => bob.received("ana") === 1);
  });

  test("and cannot renew, neither dials nor admits anybody", async () => {
    await company.stopServer();
    bob.profile.revocations.add([ownRevocation(bob)]);
    expect(bob.messenger.canBeReached).toBe(false);
    const { contacts } = bob.profile;
    contacts.saveTargets(contacts.ensure("ana"), [{ ip: "127.0.0.1", port: ana.port }]);
    bob.messenger.outbox.send("ana", "for later");
    await until(() => bob.of("unreachable").length > 0);
    expect(bob.of("unreachable")[0]).toMatchObject({ reason: "no_certificate" });
    const peer = await RawPeer.dial(bob.port, { identity: company.identity("carla") }).catch(() => undefined);
    await peer?.closed;
    expect(bob.of("refusal").map(({ code }) => code)).toContain("no_certificate");
  });
});
