/** Who is not let in at the peer port, and that the next good peer is served all the same (PROTOCOL 3 and 5). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  MAX_CONNECTIONS_PER_USER,
  MAX_HANDSHAKES,
  MAX_HANDSHAKES_PER_ADDRESS,
} from "../../src/client/peer/port.ts";
import { HELLO_TIMEOUT } from "../../src/client/peer/link.ts";
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

/** Whatever a stranger did, ana still serves carla. */
afterEach(async () => {
  for (const peer of peers.splice(0)) {
    peer.terminate();
    await peer.closed;
  }
  await expectServed(ana, carla);
});

afterAll(() => company.close());

async function dial(options: Parameters<typeof RawPeer.dial>[1]): Promise<RawPeer> {
  const peer = await RawPeer.dial(ana.port, options);
  peers.push(peer);
  return peer;
}

function hello(username: string): { [name: string]: unknown } {
  return { action: "hello", protocol: 1, username, features: [...FEATURES] };
}

/** A peer whose greeting is done. */
async function greeted(identity = carla): Promise<RawPeer> {
  const peer = await dial({ identity });
  expect(await peer.next()).toEqual(hello("ana"));
  peer.send(hello(peer.name));
  return peer;
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
    eva.messenger.send("ana", "no, I am");
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
  test("a ninth handshake from one address is ended, and one from another is not", async () => {
    for (let count = 0; count < MAX_HANDSHAKES_PER_ADDRESS; count++)
      await dial({ tls: false, from: "127.0.0.2" });
    const ninth = await dial({ tls: false, from: "127.0.0.2" });
    await ninth.closed;
    expect(ninth.received).toEqual([]);
    expect(peers.filter((peer) => peer.isClosed)).toEqual([ninth]);
    await expectServed(ana, carla);
  });

  test("the sixty-fifth handshake is ended; when one is over, the next begins", async () => {
    for (let count = 0; count < MAX_HANDSHAKES; count++)
      await dial({ tls: false, from: `127.0.1.${Math.floor(count / MAX_HANDSHAKES_PER_ADDRESS)}` });
    const late = await dial({ tls: false, from: "127.0.2.1" });
    await late.closed;
    expect(peers.filter((peer) => peer.isClosed)).toEqual([late]);
    const [first] = peers;
    first?.terminate();
    await first?.closed;
    let served = false;
    while (!served) {
      // The port must have noticed the end of the first.
      const peer = await RawPeer.dial(ana.port, { identity: carla });
      served = await Promise.race([peer.next().then(() => true), peer.closed.then(() => false)]);
      peer.terminate();
    }
  });

  test("a fifth connection of one user is ended without a byte, and one of another is not", async () => {
    const four: RawPeer[] = [];
    for (let count = 0; count < MAX_CONNECTIONS_PER_USER; count++) four.push(await greeted());
    const fifth = await dial({ identity: carla });
    await fifth.closed;
    expect(fifth.received).toEqual([]);
    await expectServed(ana, company.identity("dora"));
    for (const peer of four) {
      peer.send({ message: `still here`, id: crypto.randomUUID() });
      expect(await peer.next()).toMatchObject({ action: "delivered" });
      peer.send({ action: "bye" });
      await peer.closed;
    }
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
