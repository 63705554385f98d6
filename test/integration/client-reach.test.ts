/** Reaching a person: why it fails, when it is tried again, and what the clock does to a session. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RelayUse } from "../../src/client/disk/schema.ts";
import { issueUserCertificate } from "../../src/identity/certificate.ts";
import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { parsePublicKey } from "../../src/identity/keys.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { FakeServer, pongOf } from "./fake-server.ts";
import { HOUR, newAuthority, serverIdentity, userIdentity } from "./loopback.ts";
import { Company, openPerson, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";
import { loginOf, newPublicKey, TestClient, type Message } from "./rendezvous-test-client.ts";

const cleanups = cleanupsForEachTest();

const meet = () => Company.meetFor(cleanups);

/** Says to the server that `name` is to be found at `port`, with a key of nobody. */
async function announce(company: Company, name: string, port: number, more: Message = {}): Promise<void> {
  await company.addAccount(name);
  const tls = { ca: company.authority.certificatePem, serverName: RENDEZVOUS_DNS_NAME };
  const client = await TestClient.connect(company.port, { tls });
  const login = await client.ask(loginOf(name, { p2p_port: port, ...more }));
  expect(login["success"]).toBe(true);
  cleanups.push(() => client.close());
}

async function failedDial(ana: Person, to: string): Promise<{ reason: string; retryIn: number | undefined }> {
  ana.messenger.outbox.send(to, "hola");
  await until(() => ana.of("unreachable").length > 0);
  const [event] = ana.of("unreachable");
  return { reason: event?.reason ?? "", retryIn: event?.retryIn };
}

function keep(fake: FakeServer): FakeServer {
  cleanups.push(() => fake.stop());
  return fake;
}

describe("a dial that fails", () => {
  test("at a port that accepts and closes is tried again, since a full port does that too", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const full = keep(new FakeServer({ closes: true }));
    await announce(company, "bob", full.port, { public_key: newPublicKey() });
    const { reason, retryIn } = await failedDial(ana, "bob");
    expect(reason).toBe("no_meeting");
    expect(retryIn).toBeGreaterThan(700);
  });

  test("at somebody else's port waits for the person or the server, and sends nothing", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const carla = keep(new FakeServer({ identity: company.identity("carla") }));
    await announce(company, "bob", carla.port, { public_key: newPublicKey() });
    expect(await failedDial(ana, "bob")).toEqual({ reason: "not_proven", retryIn: undefined });
    expect(carla.received).toEqual([]);
  });

  test("at one whose certificate is another authority's sends nothing", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const bob = keep(new FakeServer({ identity: userIdentity(newAuthority(), "bob") }));
    await announce(company, "bob", bob.port, { public_key: newPublicKey() });
    expect(await failedDial(ana, "bob")).toEqual({ reason: "not_proven", retryIn: undefined });
    expect(bob.received).toEqual([]);
  });

  test("to a legacy client is not begun", async () => {
    const company = await meet();
    const ana = await company.person("ana");
    const seed = keep(new FakeServer({}));
    await announce(company, "bob", seed.port);
    expect(await failedDial(ana, "bob")).toEqual({ reason: "insecure", retryIn: undefined });
    expect(seed.connections).toBe(0);
  });
});

const authority = newAuthority();

/** A server of a few lines, honest but for what `more` answers. */
async function fakeAndAna(
  more: (message: Message) => Message | string | false | undefined,
  now: () => number = Date.now,
  relay?: RelayUse,
): Promise<{ server: FakeServer; ana: Person }> {
  const answer = (message: Message) => {
    const special = more(message);
    if (special === false) return undefined;
    if (special !== undefined) return special;
    const { id, action, public_key } = message;
    const spki = parsePublicKey(String(public_key));
    const time = new Date().toISOString();
    if (action === "ping") return pongOf(authority, message);
    if (action === "watch") return { action: "watch_response", online: [], id };
    if (spki === undefined) return { action: "error", success: false, code: "bad_request", id };
    return {
      action: action === "renew" ? "renew_response" : "login_response",
      success: true,
      username: "ana",
      session_token: "t".repeat(43),
      certificate: issueUserCertificate(authority, spki, "ana", Date.now()).pem,
      authority: authority.certificatePem,
      expires_at: time,
      time,
      id,
    };
  };
  const server = keep(new FakeServer({ identity: serverIdentity(authority), answer }));
  const dataFolder = mkdtempSync(join(tmpdir(), "paloma-reach-"));
  cleanups.push(() => rmSync(dataFolder, { recursive: true, force: true }));
  const ana = await openPerson("ana", { dataFolder, port: server.port, random: () => 0, now, relay });
  cleanups.push(() => ana.close());
  await ana.account.connect();
  return { server, ana };
}

function asked(server: FakeServer, action: string): number {
  return server.messages.filter((message) => message["action"] === action).length;
}

test("who is hidden dials nobody of whom a server tells: no candidate, and not the address of a `go`", async () => {
  const decoy = keep(new FakeServer({}));
  const ticket = "t".repeat(43);
  const named = { ip: "127.0.0.1", port: decoy.port };
  const meetings = keep(
    new FakeServer({
      answer: ({ action }) => {
        if (action === "meet")
          server.push({ action: "go", ticket, family: 4, ...named, in_ms: 0, rtt_ms: 0 });
        return undefined;
      },
    }),
  );
  const { server, ana } = await fakeAndAna(() => undefined, Date.now, "only");
  ana.accept("bob");
  server.push({
    action: "meet_request",
    username: "bob",
    ticket,
    purpose: "chat",
    meeting: [{ port: meetings.port }],
    candidates: [{ kind: "direct", ...named }],
    fingerprint: "0".repeat(64),
    relay_only: false,
  });
  await until(() => meetings.messages.length === 2);
  expect(meetings.messages).toEqual([{ action: "meet", ticket, relay: true }, { action: "relay" }]);
  expect(decoy.connections).toBe(0);
});

test("somebody who comes online during the lookup is looked up again", async () => {
  const { server, ana } = await fakeAndAna(({ action, id }) => {
    if (action !== "request_p2p") return undefined;
    const offline = { action: "error", success: false, code: "user_offline", id };
    const presence = { action: "presence", username: "bob", online: true };
    // One write, so that both are read in one turn.
    const first = server.messages.filter((message) => message["action"] === "request_p2p").length === 1;
    return `${JSON.stringify(offline)}\n${first ? `${JSON.stringify(presence)}\n` : ""}`;
  });
  ana.messenger.outbox.send("bob", "hola");
  await until(() => asked(server, "request_p2p") === 2 && ana.of("unreachable").length === 1);
  expect(ana.of("unreachable")[0]).toMatchObject({ reason: "offline" });
});

test("a messenger that closes while the server is asked about a key lets nobody in", async () => {
  const { server, ana } = await fakeAndAna(({ action }) => (action === "request_p2p" ? false : undefined));
  const peer = await RawPeer.dial(ana.port, { identity: userIdentity(authority, "carla") });
  await until(() => asked(server, "request_p2p") === 1);
  await ana.close();
  await peer.closed;
  expect(peer.received).toEqual([]);
});

test("a messenger that closes while it dials a silent server does not wait for it", async () => {
  const { server, ana } = await fakeAndAna(() => undefined);
  await ana.close();
  server.stop();
  const silent = keep(new FakeServer({ port: server.port }));
  const dataFolder = join(ana.profile.folder, "../..");
  const again = await openPerson("ana", { dataFolder, port: server.port });
  const attempt = again.account.connect().catch((error: unknown) => error);
  await until(() => silent.connections === 1);
  await again.close();
  expect(await attempt).toMatchObject({ code: "server_unreachable" });
  await until(() => silent.open === 0);
});

test("a messenger whose addresses change while it dials a silent server dials it anew", async () => {
  const { server, ana } = await fakeAndAna(() => undefined);
  ana.messenger.rendezvous.keepOnline();
  server.stop();
  const silent = keep(new FakeServer({ port: server.port }));
  await until(() => silent.connections === 1);
  ana.messenger.rendezvous.lineMayHaveChanged("moved");
  await until(() => silent.connections === 2 && silent.open === 1);
});

describe("the certificate", () => {
  test("is renewed after twelve hours, also when the clock was set back", async () => {
    let ahead = 0;
    const { server, ana } = await fakeAndAna(
      () => undefined,
      () => Date.now() + ahead,
    );
    const pem = () => ana.profile.certificate?.pem;
    const first = pem();
    ahead = 11 * HOUR;
    ana.messenger.rendezvous.checkClock();
    ahead = 12 * HOUR;
    ana.messenger.rendezvous.checkClock();
    await untilQuiet(() => pem() !== first);
    expect(asked(server, "renew")).toBe(1);
    const second = pem();
    ahead = -HOUR;
    ana.messenger.rendezvous.checkClock();
    await untilQuiet(() => pem() !== second);
    expect(asked(server, "renew")).toBe(2);
  });

  test.each([
    ["nonsense", "no certificate"],
    [
      "somebody else's",
      issueUserCertificate(authority, parsePublicKey(newPublicKey()) as Buffer, "ana", 0).pem,
    ],
  ])("that was good stays when the renewed one is %s", async (_, certificate) => {
    let ahead = 0;
    const { ana } = await fakeAndAna(
      ({ action, id }) =>
        action === "renew"
          ? { action: "renew_response", certificate, expires_at: "x", time: "x", id }
          : undefined,
      () => Date.now() + ahead,
    );
    const first = ana.profile.certificate?.pem;
    ahead = 13 * HOUR;
    ana.messenger.rendezvous.checkClock();
    await until(() => ana.messenger.rendezvous.state.name === "offline");
    expect(ana.profile.certificate?.pem).toBe(first);
  });
});
