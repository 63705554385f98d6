/** Who is not let in at the peer port, and that the next good peer is served all the same (PROTOCOL 3 and 5). */
import { X509Certificate } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  CONTACT_HANDSHAKES,
  MAX_CONNECTIONS_PER_STRANGER,
  MAX_CONNECTIONS_PER_USER,
  MAX_HANDSHAKES,
  MAX_HANDSHAKES_PER_NETWORK,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_NETWORK,
  STRANGER_IDLE,
} from "../../src/client/peer/admission.ts";
import { KNOCKS } from "../../src/client/peer/limits/knock-rate.ts";
import { HELLO_TIMEOUT } from "../../src/client/peer/link.ts";
import { readCertificate } from "../../src/identity/certificate-reader.ts";
import { issueServerCertificate } from "../../src/identity/certificate.ts";
import { certificateToPem, issueCertificate, SERIAL_BYTES } from "../../src/identity/certificate-template.ts";
import { generateKeyPair, privateKeyToPem } from "../../src/identity/keys.ts";
import { label } from "../../src/identity/names.ts";
import { HANDSHAKE_TIMEOUT, OBJECT_TIMEOUT } from "../../src/net/connection.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { FEATURES } from "../../src/protocol/peer-messages.ts";
import { oddCertificates } from "../odd-certificates.ts";
import { HOUR, newAuthority, userIdentity } from "./loopback.ts";
import { Company, expectServed, later, until, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

const TLS_1_2 = 0x0303;
const DAY = 24 * HOUR;

let company: Company;
let ana: Person;
let carla: TlsIdentity;
const peers: RawPeer[] = [];

beforeAll(async () => {
  company = await Company.meet();
  ana = await company.person("ana");
  carla = company.identity("carla");
});

afterEach(async () => {
  for (const peer of peers.splice(0)) {
    peer.terminate();
    await peer.closed;
  }
});

afterAll(() => company.close());

/** Whatever a stranger did, ana still serves carla; elsewhere, since of one address only so many handshakes begin in a second. */
const serves = () => expectServed(ana, carla, "127.0.0.9");

async function dial(options: Parameters<typeof RawPeer.dial>[1]): Promise<RawPeer> {
  const peer = await RawPeer.dial(ana.port, options);
  peers.push(peer);
  return peer;
}

function hello(username: string): { [name: string]: unknown } {
  return { action: "hello", protocol: 1, username, features: [...FEATURES] };
}

/** A peer whose greeting is done. */
async function greeted(identity = carla, from = "127.0.0.1"): Promise<RawPeer> {
  const peer = await dial({ identity, from });
  expect(await peer.next()).toEqual(hello(ana.name));
  peer.send(hello(peer.name));
  return peer;
}

/** Somebody to whom ana has never written, and about whom she need not ask the server. */
function pinnedStranger(name: string): TlsIdentity {
  const identity = company.identity(name);
  const { spki, fingerprint } = readCertificate(new X509Certificate(identity.certificate));
  const { contacts } = ana.profile;
  contacts.pin(contacts.ensure(name), { spki, fingerprint }, Date.now());
  return identity;
}

/** A certificate of ana's own authority with these names, for a new key. */
function certified(commonName: string, dnsName: string | undefined): TlsIdentity {
  const keys = generateKeyPair();
  const { name, keyIdentifier, privateKey } = company.authority;
  const certificate = issueCertificate(
    { name, keyIdentifier, privateKey },
    {
      role: "peer",
      commonName,
      ...(dnsName === undefined ? {} : { dnsName }),
      spki: keys.spki,
      notBefore: Date.now() - HOUR,
      notAfter: Date.now() + HOUR,
      random: crypto.getRandomValues(new Uint8Array(SERIAL_BYTES)),
    },
  );
  return { key: privateKeyToPem(keys.privateKey), certificate: certificateToPem(certificate) };
}

function serverCertificate(): TlsIdentity {
  const keys = generateKeyPair();
  const { pem } = issueServerCertificate(company.authority, keys.spki, Date.now());
  return { key: privateKeyToPem(keys.privateKey), certificate: pem };
}

describe("before it is proven who is there, not one byte is sent:", () => {
  afterEach(serves);

  const strangers: [string, () => TlsIdentity | undefined][] = [
    ["no certificate", () => undefined],
    ["one of another authority", () => userIdentity(newAuthority(), "carla")],
    ["one that has ended", () => company.identity("carla", 3 * DAY + HOUR)],
    ["one that does not hold yet", () => company.identity("carla", -2 * HOUR)],
    ["ana's own name", () => company.identity("ana")],
    ["a name that is not the label's", () => certified("carla", label("bob"))],
    ["a name without a label", () => certified("carla", undefined)],
    ["the server's own certificate", serverCertificate],
  ];
  test.each(strangers)("%s", async (_, identity) => {
    const shown = identity();
    const peer = await dial(shown === undefined ? {} : { identity: shown });
    peer.send(hello("carla"), { message: "let me in", id: "1" });
    await peer.closed;
    expect(peer.received).toEqual([]);
    expect(ana.texts()).not.toContain("let me in");
  });

  test("whatever else the authority has signed", async () => {
    for (const [what, make] of oddCertificates(company.authority, "carla", Date.now())) {
      const peer = await dial({ identity: make() });
      peer.send(hello("carla"), { message: "let me in", id: "1" });
      await peer.closed;
      expect([what, peer.received]).toEqual([what, []]);
    }
    expect(ana.texts()).not.toContain("let me in");
  });

  test("TLS 1.2", async () => {
    const peer = await dial({
      identity: carla,
      tls: { minVersion: TLS_1_2, maxVersion: TLS_1_2 },
    });
    await peer.closed;
    expect(peer.received).toEqual([]);
  });

  test("plain text", async () => {
    const peer = await dial({ tls: false });
    peer.send(hello("carla"), { message: "in the clear", id: "1" });
    await peer.closed;
    // At most an alert of TLS; nothing of ours.
    expect(Buffer.concat(peer.received).toString()).not.toContain("hello");
    expect(ana.texts()).not.toContain("in the clear");
  });

  test("silence, which ends after ten seconds", async () => {
    const silent = await dial({ tls: false });
    await later(HANDSHAKE_TIMEOUT - 1_000, async () => {
      expect(silent.isClosed).toBe(false);
    });
    await later(HANDSHAKE_TIMEOUT, () => silent.closed);
    expect(silent.received).toEqual([]);
  });

  test("a key that the server does not name for this user", async () => {
    const eva = await company.person("eva");
    const peer = await dial({ identity: company.identity("eva") });
    peer.send(hello("eva"), { message: "I am eva", id: "1" });
    await peer.closed;
    expect(peer.received).toEqual([]);
    expect(ana.texts()).not.toContain("I am eva");
    // The one whom the server names is served.
    eva.messenger.outbox.send("ana", "no, I am");
    await until(() => eva.received("ana") === 1);
    await eva.close();
  });
});

test("no ticket is given, so no session can be resumed", async () => {
  const folder = join(company.folder, "python");
  mkdirSync(folder);
  writeFileSync(join(folder, "key.pem"), carla.key);
  writeFileSync(join(folder, "cert.pem"), carla.certificate);
  writeFileSync(join(folder, "ca.pem"), company.authority.certificatePem);
  const python = Bun.spawn(["python3", join(import.meta.dir, "tls_ticket.py"), folder, String(ana.port)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const answer = JSON.parse(await new Response(python.stdout).text()) as { lines: string[] };
  expect(answer).toMatchObject({ tickets: [false, false], reused: [false, false] });
  expect(answer.lines.map((line) => JSON.parse(line) as unknown)).toEqual([hello("ana"), hello("ana")]);
});

describe("once proven, a fault is answered with its code and ends the link:", () => {
  afterEach(serves);

  const textWithoutEnd = `{"message":"${"x".repeat(PEER_OBJECT_LIMIT)}`;
  const faults: [string, () => string | Uint8Array, string][] = [
    ["a hello that names someone else", () => JSON.stringify(hello("bob")), "wrong_name"],
    [
      "a hello of no protocol",
      () => JSON.stringify({ ...hello("carla"), protocol: 0 }),
      "unsupported_protocol",
    ],
    ["a hello without a name", () => '{"action":"hello","protocol":1,"features":[]}', "bad_request"],
    ["a text before the hello", () => '{"message":"too early","id":"1"}', "bad_request"],
    ["an object over the limit", () => textWithoutEnd, "message_too_large"],
    ["two megabytes without a brace", () => Buffer.alloc(2 * 1024 * 1024, "x"), "bad_json"],
    ["garbage", () => "hello?\n", "bad_json"],
    ["an object that is no JSON", () => "{hello}", "bad_json"],
    ["invalid UTF-8", () => Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), "bad_json"],
  ];
  test.each(faults)("%s", async (_, bytes, code) => {
    const peer = await dial({ identity: carla });
    expect(await peer.next()).toEqual(hello("ana"));
    peer.write(bytes());
    await peer.closed;
    expect(peer.errors).toEqual([code]);
    expect(ana.texts()).not.toContain("too early");
  });

  test("no hello in ten seconds", async () => {
    const peer = await dial({ identity: carla });
    await peer.next();
    await later(HELLO_TIMEOUT, () => peer.closed);
    expect(peer.messages).toHaveLength(1);
  });

  test("an object that is not finished in ten seconds", async () => {
    const peer = await greeted();
    peer.write('{"action":"ping"}{"message":"');
    expect(await peer.next()).toEqual({ action: "pong" });
    await later(OBJECT_TIMEOUT, () => peer.closed);
    expect(peer.errors).toEqual(["bad_request"]);
  });
});

describe("the port is bounded:", () => {
  let count = 0;

  /** With nothing of her bounds used up. */
  beforeEach(async () => {
    ana = await company.person(`ana${count++}`);
  });

  test("a ninth handshake from one address is ended, and one from another is not", async () => {
    for (let count = 0; count < MAX_HANDSHAKES_PER_NETWORK; count++)
      await dial({ tls: false, from: "127.0.0.2" });
    const ninth = await dial({ tls: false, from: "127.0.0.2" });
    await ninth.closed;
    expect(ninth.received).toEqual([]);
    expect(peers.filter((peer) => peer.isClosed)).toEqual([ninth]);
    await expectServed(ana, carla);
  });

  test("64 half-open connections from 8 addresses shut out nobody", async () => {
    for (let count = 0; count < MAX_HANDSHAKES; count++)
      await dial({ tls: false, from: `127.0.1.${count % MAX_HANDSHAKES_PER_NETWORK}` });
    const halfOpen = () => peers.filter(({ isClosed }) => !isClosed).length;
    await until(() => halfOpen() === MAX_HANDSHAKES - CONTACT_HANDSHAKES);
    await expectServed(ana, company.identity("dora"));
    expect(halfOpen()).toBe(MAX_HANDSHAKES - CONTACT_HANDSHAKES - 1);
    expect(Buffer.concat(peers.flatMap(({ received }) => received))).toHaveLength(0);
  });

  test("they displace nobody at an address of a contact", async () => {
    const { contacts } = ana.profile;
    ana.messenger.outbox.send("frida", "hello");
    ana.messenger.outbox.commit();
    contacts.saveTargets(contacts.ensure("frida"), [{ ip: "127.0.3.1", port: 1 }]);
    // The addresses of contacts are read again after a second.
    await later(1_000, async () => {
      const friend = await dial({ tls: false, from: "127.0.3.1" });
      for (let count = 0; count < 2 * MAX_HANDSHAKES; count++)
        await dial({ tls: false, from: `127.0.4.${Math.floor(count / 2)}` });
      await until(() => peers.filter(({ isClosed }) => isClosed).length > MAX_HANDSHAKES);
      expect(friend.isClosed).toBe(false);
    });
  });

  test("however many they are, a contact who was there before comes in from the same network", async () => {
    ana.messenger.outbox.send("gina", "hello");
    ana.messenger.outbox.commit();
    const gina = company.identity("gina");
    const before = await greeted(gina, "127.0.8.1");
    before.terminate();
    await before.closed;
    const crowd = Array.from({ length: KNOCKS.stranger.all.burst + 50 }, (_, index) =>
      dial({ tls: false, from: `127.0.9.${Math.floor(index / 2)}` }),
    );
    await Promise.all(crowd);
    await greeted(gina, "127.0.8.1");
  });

  test("a third connection of a stranger is ended without a byte, and one of another is not", async () => {
    const links: RawPeer[] = [];
    for (let count = 0; count < MAX_CONNECTIONS_PER_STRANGER; count++) links.push(await greeted());
    const next = await dial({ identity: carla });
    await next.closed;
    expect(next.received).toEqual([]);
    await expectServed(ana, company.identity("elsa"));
    for (const peer of links) {
      peer.send({ message: `still here`, id: crypto.randomUUID() });
      let answer = await peer.next();
      // On a busy machine the link may have been silent for long enough to be asked.
      while (answer["action"] === "ping") answer = await peer.next();
      expect(answer).toMatchObject({ action: "delivered" });
      peer.send({ action: "bye" });
      await peer.closed;
    }
  });

  test("a fifth connection of somebody to whom ana has written is ended without a byte", async () => {
    const gina = company.identity("gina");
    ana.messenger.outbox.send("gina", "hello");
    ana.messenger.outbox.commit();
    for (let count = 0; count < MAX_CONNECTIONS_PER_USER; count++) await greeted(gina);
    const fifth = await dial({ identity: gina });
    await fifth.closed;
    expect(fifth.received).toEqual([]);
    expect(peers.filter(({ isClosed }) => isClosed)).toEqual([fifth]);
  });

  test("two links each of 64 strangers shut out neither a friend nor, once they are idle, another stranger", async () => {
    const friend = await company.person("hugo");
    friend.messenger.outbox.send(ana.name, "hello");
    ana.messenger.outbox.send("hugo", "hello");
    await until(() => friend.received(ana.name) === 1 && ana.received("hugo") === 1);
    await friend.close();
    const strangers = Array.from({ length: MAX_STRANGERS }, (_, index) => pinnedStranger(`s${index}`));
    for (const [index, identity] of strangers.entries()) {
      for (let count = 0; count < MAX_CONNECTIONS_PER_STRANGER; count++)
        await dial({ identity, from: `127.0.5.${index}` });
    }
    const open = () => peers.filter(({ isClosed }) => !isClosed).length;
    await until(() => open() === MAX_STRANGERS);
    const again = await company.person("hugo");
    again.messenger.outbox.send(ana.name, "and again");
    await until(() => again.received(ana.name) === 1);
    expect(open()).toBe(MAX_STRANGERS);
    await later(STRANGER_IDLE, () => expectServed(ana, carla));
    await again.close();
  }, 20_000);

  test("a stranger who only pings gives way to a newcomer, and one who writes does not", async () => {
    const from = "127.0.6.1";
    const pinging: RawPeer[] = [];
    for (let count = 1; count < MAX_STRANGERS_PER_NETWORK; count++)
      pinging.push(await greeted(pinnedStranger(`p${count}`), from));
    const writing = await greeted(pinnedStranger("w"), from);
    const newcomer = pinnedStranger("n");
    const refused = await dial({ identity: newcomer, from });
    await refused.closed;
    await later(STRANGER_IDLE, async () => {
      writing.send({ message: "a text", id: crypto.randomUUID() });
      expect(await writing.next()).toMatchObject({ action: "delivered" });
      for (const peer of pinging) {
        peer.send({ action: "ping" });
        // The clock has jumped over a minute, so our side may ask as well.
        let answer = await peer.next();
        while (answer?.["action"] === "ping") answer = await peer.next();
        expect(answer).toEqual({ action: "pong" });
      }
      await greeted(newcomer, from);
      await until(() => pinging.some(({ isClosed }) => isClosed));
      expect(pinging.map(({ isClosed }) => isClosed)).toEqual(pinging.map((peer) => peer === pinging[0]));
      expect(writing.isClosed).toBe(false);
    });
  });

  test("refusals are reported at most once a second", async () => {
    const before = ana.of("refusal").length;
    await later(60_000, async () => {
      for (let count = 0; count < 20; count++) {
        const peer = await dial({});
        await peer.closed;
      }
    });
    const refusals = ana.of("refusal").slice(before);
    expect(refusals.length).toBeGreaterThanOrEqual(1);
    expect(refusals.length).toBeLessThan(5);
    expect(refusals[0]).toMatchObject({ address: "127.0.0.1" });
  });
});
