/** A contact whose key has changed: nothing passes in either direction until the person has said so (PROTOCOL 3, step 5). */
import { afterEach, describe, expect, test } from "bun:test";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { KEY_WARNING_INTERVAL, PENDING_KEY_INTERVAL } from "../../src/client/peer/contact-record.ts";
import { CALLER_LOOKUP_BURST } from "../../src/client/peer/caller-keys.ts";
import { DEFAULT_LIMITS } from "../../src/server/limits/limits.ts";
import { Company, later, until, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";
import { loginOf, newPublicKey, TestClient } from "./rendezvous-test-client.ts";

const companies: Company[] = [];

afterEach(async () => {
  for (const company of companies.splice(0)) await company.close();
});

/** Ana has bob's old key pinned; bob is online with a new one, from another folder. */
async function bobOnANewMachine(
  options: Parameters<typeof Company.meet>[0] = {},
): Promise<{ company: Company; ana: Person; bob: Person }> {
  const company = await Company.meet(options);
  companies.push(company);
  const ana = await company.person("ana");
  const old = await company.person("bob");
  ana.messenger.outbox.send("bob", "before");
  await until(() => ana.received("bob") === 1);
  await old.close();
  await until(() => ana.of("disconnected").length === 1);
  const bob = await company.person("bob", { folder: "new-machine" });
  return { company, ana, bob };
}

function fingerprintOf(person: Person): string {
  return new Bun.CryptoHasher("sha256").update(person.profile.keys.spki).digest("hex");
}

/** What `fingerprint USER --accept` does. */
function accept(ana: Person, name: string): void {
  const { contacts } = ana.profile;
  const contact = contacts.ensure(name);
  const key = contacts.pendingKey(contact);
  if (key === undefined) throw new Error(`no key of ${name} waits`);
  contacts.pin(contact, key, Date.now());
  expect(contacts.pendingKey(contact)).toBeUndefined();
}

test("bob dials: nothing is read, shown or acknowledged until ana accepts his new key", async () => {
  const { ana, bob } = await bobOnANewMachine();
  bob.messenger.outbox.send("ana", "it is me");
  await until(() => ana.of("keyPending").length === 1 && bob.of("unreachable").length === 1);
  expect(ana.of("keyPending")[0]).toMatchObject({ username: "bob", fingerprint: fingerprintOf(bob) });
  expect(bob.of("unreachable")[0]).toMatchObject({ reason: "own_key_pending" });
  expect(ana.texts()).toEqual([]);
  expect(bob.received("ana")).toBe(0);
  expect(bob.of("connected")).toEqual([]);
  // A second attempt is reported to bob, and does not ask ana again.
  bob.messenger.openChat("ana").connect();
  await until(() => bob.of("unreachable").length === 2);
  expect(ana.of("keyPending")).toHaveLength(1);
  accept(ana, "bob");
  bob.messenger.openChat("ana").connect();
  await until(() => bob.received("ana") === 1);
  expect(ana.texts("bob")).toEqual(["it is me"]);
  // The old key stays a key of bob's: a device each.
  expect(ana.profile.contacts.pins(ana.profile.contacts.ensure("bob"))).toHaveLength(2);
});

test("accepting bob's new key ends the link with his old machine: what ana writes then goes to the new one", async () => {
  const company = await Company.meet();
  companies.push(company);
  const ana = await company.person("ana");
  const old = await company.person("bob");
  ana.messenger.openChat("bob");
  ana.messenger.outbox.send("bob", "before");
  await until(() => ana.received("bob") === 1);
  const bob = await company.person("bob", { folder: "new-machine", replaceOther: async () => true });
  bob.messenger.outbox.send("ana", "it is me");
  await until(() => bob.of("unreachable").length === 1);
  expect(ana.of("disconnected")).toEqual([]);
  ana.messenger.archive.safetyNumbers.with("bob", { markShown: true });
  expect(ana.messenger.acceptKey("bob")).toMatchObject({ result: "accepted" });
  ana.messenger.outbox.send("bob", "for the new one");
  await until(() => ana.texts("bob").length === 1 && ana.received("bob") === 2);
  expect(bob.texts("ana")).toEqual(["for the new one"]);
  expect(old.texts("ana")).toEqual(["before"]);
  expect(old.of("disconnected")).toMatchObject([{ username: "ana", bye: true }]);
});

test("ten different new keys of bob are one warning an hour, and one write a minute", async () => {
  const company = await Company.meet();
  companies.push(company);
  let ahead = 0;
  const ana = await company.person("ana", { now: () => Date.now() + ahead });
  const bob = await company.person("bob");
  ana.messenger.outbox.send("bob", "before");
  await until(() => ana.received("bob") === 1);
  await bob.close();
  const { contacts } = ana.profile;
  const contact = contacts.ensure("bob");
  const stored = () => contacts.pendingKey(contact)?.fingerprint;
  /** Somebody with an old certificate of bob's, which the server does not contradict while he is away. */
  const knock = async (): Promise<void> => {
    const peer = await RawPeer.dial(ana.port, { identity: company.identity("bob") });
    await peer.closed;
    const said = Buffer.concat(peer.received).toString();
    expect(said).toBe(`${JSON.stringify({ action: "error", code: "key_pending" })}\n`);
  };
  await knock();
  const first = stored();
  expect(ana.of("keyPending")).toMatchObject([{ username: "bob", fingerprint: first }]);
  for (let count = 0; count < 9; count++) await knock();
  expect(stored()).toBe(first);
  const seen = new Set([first]);
  for (let minute = 0; minute < 3; minute++) {
    ahead += PENDING_KEY_INTERVAL;
    await knock();
    await knock();
    seen.add(stored());
  }
  expect(seen.size).toBe(4);
  expect(ana.of("keyPending")).toHaveLength(1);
  // A key that came in between is told after the hour.
  ahead += KEY_WARNING_INTERVAL;
  await knock();
  expect(ana.of("keyPending")).toHaveLength(2);
  expect(ana.of("keyPending")[1]).toMatchObject({ fingerprint: stored() });
  // After an answer of ana's the next key is news.
  accept(ana, "bob");
  await knock();
  expect(ana.of("keyPending")).toHaveLength(3);
});

test("ana dials: what she wrote stays with her until she accepts bob's new key", async () => {
  const { ana, bob } = await bobOnANewMachine();
  ana.messenger.outbox.send("bob", "is it you?");
  await until(() => ana.of("unreachable").length === 1);
  expect(ana.of("unreachable")[0]).toMatchObject({ reason: "key_pending", retryIn: undefined });
  expect(ana.of("keyPending")).toMatchObject([{ username: "bob", fingerprint: fingerprintOf(bob) }]);
  expect(bob.texts()).toEqual([]);
  expect(bob.of("connected")).toEqual([]);
  accept(ana, "bob");
  ana.messenger.openChat("bob").connect();
  await until(() => ana.received("bob") === 2);
  expect(bob.texts("ana")).toEqual(["is it you?"]);
});

describe("while the server accepts no more lookups of ana's, a new key is neither let in nor asked about:", () => {
  const WAIT = 20_000;
  const limits = { ...DEFAULT_LIMITS, lookupRate: { burst: 2, perSecond: 1_000 / WAIT } };

  /** Ana uses up her lookups. */
  async function limitedAna(): Promise<{ ana: Person; bob: Person; company: Company }> {
    const { company, ana, bob } = await bobOnANewMachine({ limits });
    const isLimited = () => ana.of("unreachable").some(({ reason }) => reason === "server_limits");
    ana.messenger.openChat("nobody").connect();
    await until(() => isLimited() || ana.of("unreachable").length > 0);
    ana.messenger.openChat("nobody").connect();
    await until(isLimited);
    ana.messenger.closeChat("nobody");
    return { company, ana, bob };
  }

  test("bob, who dials, is told «busy», and tries again by himself", async () => {
    const { ana, bob } = await limitedAna();
    bob.messenger.outbox.send("ana", "it is me");
    await until(() => bob.of("unreachable").length === 1);
    expect(bob.of("unreachable")[0]).toMatchObject({ reason: "busy", retryIn: expect.any(Number) });
    expect(ana.of("keyPending")).toEqual([]);
    await later(2 * WAIT, async () => {
      bob.messenger.openChat("ana").connect();
      await until(() => ana.of("keyPending").length === 1);
    });
    expect(ana.texts()).toEqual([]);
  });

  test("a stranger is told «busy» instead of a greeting, and a pinned key is let in", async () => {
    const { company, ana, bob } = await limitedAna();
    const stranger = await RawPeer.dial(ana.port, { identity: company.identity("carla") });
    await stranger.closed;
    expect(stranger.messages).toEqual([{ action: "error", code: "busy" }]);
    expect(ana.profile.contacts.find("carla")).toBeUndefined();
    const { contacts } = ana.profile;
    const key = { spki: bob.profile.keys.spki, fingerprint: fingerprintOf(bob) };
    contacts.pin(contacts.ensure("bob"), key, Date.now());
    bob.messenger.outbox.send("ana", "it is me");
    await until(() => ana.texts("bob").length === 1);
  });

  test("bob, whom ana dials at his last addresses, is sent nothing", async () => {
    const { ana, bob } = await limitedAna();
    const { contacts } = ana.profile;
    contacts.saveTargets(contacts.ensure("bob"), [{ ip: "127.0.0.1", port: bob.port }]);
    ana.messenger.outbox.send("bob", "is it you?");
    await until(() => ana.of("unreachable").some(({ username }) => username === "bob"));
    const [failure] = ana.of("unreachable").filter(({ username }) => username === "bob");
    expect(failure).toMatchObject({ reason: "server_limits", retryIn: expect.any(Number) });
    expect(ana.of("keyPending")).toEqual([]);
    expect(bob.of("connected")).toEqual([]);
  });
});

test("more strangers than there are lookups for do not use up those of ana herself", async () => {
  const company = await Company.meet();
  companies.push(company);
  const ana = await company.person("ana");
  const answers: unknown[] = [];
  for (let count = 0; count < 2 * CALLER_LOOKUP_BURST; count++) {
    const peer = await RawPeer.dial(ana.port, { identity: company.identity(`stranger ${count}`) });
    answers.push((await peer.next())["code"]);
    peer.terminate();
    await peer.closed;
  }
  expect(answers.slice(0, CALLER_LOOKUP_BURST)).toEqual(Array(CALLER_LOOKUP_BURST).fill(undefined));
  expect(answers.filter((code) => code === "busy").length).toBeGreaterThan(0);
  const bob = await company.person("bob");
  ana.messenger.outbox.send("bob", "hello");
  await until(() => bob.texts("ana").length === 1);
});

test("a certificate for another key than the one that the server names is not even a question", async () => {
  const { company, ana, bob } = await bobOnANewMachine();
  const impostor = company.identity("bob");
  const peer = await RawPeer.dial(ana.port, { identity: impostor });
  peer.send({ action: "hello", protocol: 1, username: "bob", features: [] }, { message: "lies", id: "1" });
  await peer.closed;
  expect(peer.received).toEqual([]);
  expect(ana.of("keyPending")).toEqual([]);
  expect(ana.profile.contacts.pendingKey(ana.profile.contacts.ensure("bob"))).toBeUndefined();
  expect(ana.texts()).toEqual([]);
  expect(bob.of("connected")).toEqual([]);
});

test("a dialler ends before its hello when the server names another key than the one shown", async () => {
  const company = await Company.meet();
  companies.push(company);
  const ana = await company.person("ana");
  await company.addAccount("bob");
  const impostor = company.identity("bob");
  const received: Buffer[] = [];
  const stand = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    tls: {
      key: impostor.key,
      cert: impostor.certificate,
      ca: company.authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    socket: {
      handshake: (socket) => {
        socket.write('{"action":"hello","protocol":1,"username":"bob","features":[]}\n');
      },
      data: (_socket, chunk) => void received.push(chunk),
      error: () => undefined,
    },
  });
  company.onClose(() => stand.stop(true));
  // The server knows bob by another key, at the impostor's address.
  const tls = { ca: company.authority.certificatePem, serverName: RENDEZVOUS_DNS_NAME };
  const bob = await TestClient.connect(company.port, { tls });
  const login = await bob.ask(loginOf("bob", { public_key: newPublicKey(), p2p_port: stand.port }));
  expect(login["success"]).toBe(true);
  ana.messenger.outbox.send("bob", "for bob only");
  await until(() => ana.of("unreachable").length === 1);
  expect(ana.of("unreachable")[0]).toMatchObject({ reason: "not_proven", retryIn: undefined });
  expect(received).toEqual([]);
  expect(ana.of("connected")).toEqual([]);
  expect(ana.profile.contacts.pins(ana.profile.contacts.ensure("bob"))).toEqual([]);
  bob.close();
});
