/** A server whose certificate is good and whose answers are not: its link ends with an error, and the client lives. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { issueUserCertificate } from "../../src/identity/certificate.ts";
import { generateKeyPair, parsePublicKey } from "../../src/identity/keys.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { DIAL_PERIOD, MAX_DIALS } from "../../src/client/peer/dial-limits.ts";
import { MAX_REVOCATIONS } from "../../src/client/profile/revocations.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { FakeServer, pongOf } from "./fake-server.ts";
import { newAuthority, serverIdentity, userIdentity } from "./loopback.ts";
import { openPerson, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";
import type { Message } from "./rendezvous-test-client.ts";
import { ServerError } from "../../src/client/rendezvous/server-errors.ts";

const authority = newAuthority();
const other = newAuthority();
const identity = serverIdentity(authority);
const cleanups = cleanupsForEachTest();

type Answer = (message: Message) => string | Uint8Array | Message | undefined;

/** What an honest server answers. */
function honest(message: Message): Message {
  const { id, action } = message;
  switch (action) {
    case "ping":
      return pongOf(authority, message);
    case "login":
    case "resume":
      return login(message);
    case "watch":
      return { action: "watch_response", online: [], id };
    case "get_users":
      return { action: "users_list", users: [], id };
    default:
      return { action: "error", success: false, code: "user_offline", request: action, id };
  }
}

const YEAR = 365 * 86_400_000;

function certificateFor(publicKey: unknown, name: string, by = authority, now = Date.now()): string {
  const spki = parsePublicKey(publicKey as string);
  if (spki === undefined) throw new Error("no public key");
  return issueUserCertificate(by, spki, name, now).pem;
}

function login({ id, public_key }: Message, more: Message = {}): Message {
  return {
    action: "login_response",
    success: true,
    username: "ana",
    session_token: "t".repeat(43),
    certificate: certificateFor(public_key, "ana"),
    authority: authority.certificatePem,
    id,
    ...more,
  };
}

/** Honest, but for this action. */
function lyingAbout(action: string, lie: Answer): Answer {
  return (message) => (message["action"] === action ? lie(message) : honest(message));
}

async function meet(
  answer: Answer,
  more: { readonly now?: () => number } = {},
): Promise<{ server: FakeServer; ana: Person }> {
  const server = new FakeServer({ identity, answer });
  const dataFolder = mkdtempSync(join(tmpdir(), "paloma-lied-to-"));
  const ana = await openPerson("ana", { dataFolder, port: server.port, random: () => 0, ...more });
  cleanups.push(async () => {
    await ana.close();
    server.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  return { server, ana };
}

async function online(answer: Answer): Promise<{ server: FakeServer; ana: Person }> {
  const met = await meet(answer);
  await met.ana.account.connect();
  return met;
}

/** The link has ended; nothing of it is left at the server. */
async function expectEnded(server: FakeServer, ana: Person): Promise<void> {
  await until(() => ana.messenger.rendezvous.state.name === "offline" && server.open === 0);
}

/** So many revocations, of nobody. */
const revocations = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({
    label: (from + index).toString(16).padStart(40, "0"),
    before: 1_800_000_000 + from + index,
  }));

const huge = JSON.stringify({
  action: "presence",
  username: "x".repeat(RENDEZVOUS_OBJECT_LIMIT),
  online: true,
});

test("a certificate that is good by the server's clock is taken by a machine whose clock is a year behind", async () => {
  let behind = 0;
  const answer = lyingAbout("login", (message) => login(message, { time: new Date().toISOString() }));
  const { ana } = await meet(answer, { now: () => Date.now() - behind });
  behind = YEAR;
  await ana.account.connect();
  expect(ana.messenger.rendezvous.state.name).toBe("online");
});

describe("a login that lies is an error, and nothing of it is kept:", () => {
  const lies: [string, Answer][] = [
    ["garbage", () => "garbage\n"],
    ["bytes that are no text", () => Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d, 0x0a)],
    ["an object over the limit", () => huge],
    ["another action", ({ id }) => ({ action: "pong", time: "now", authority: "none", id })],
    ["no certificate", (message) => login(message, { certificate: undefined })],
    ["a certificate that cannot be read", (message) => login(message, { certificate: "-----BEGIN?" })],
    [
      "somebody else's certificate",
      (message) =>
        login(message, { certificate: certificateFor(generateKeyPair().spki.toString("base64"), "ana") }),
    ],
    [
      "a certificate of another name",
      (message) => login(message, { certificate: certificateFor(message["public_key"], "bob") }),
    ],
    [
      "a certificate of another authority",
      (message) => login(message, { certificate: certificateFor(message["public_key"], "ana", other) }),
    ],
    ...[-YEAR, YEAR].flatMap((late): [string, Answer][] => {
      const dated = ({ public_key }: Message) =>
        certificateFor(public_key, "ana", authority, Date.now() + late);
      const what = late < 0 ? "a certificate that has expired" : "a certificate that is not valid yet";
      const time = new Date().toISOString();
      return [
        [what, (message) => login(message, { certificate: dated(message) })],
        [`${what} at the server's time`, (message) => login(message, { certificate: dated(message), time })],
      ];
    }),
    ["the authority's certificate", (message) => login(message, { certificate: authority.certificatePem })],
    ["another authority", (message) => login(message, { authority: other.certificatePem })],
    ["an authority that cannot be read", (message) => login(message, { authority: "no PEM" })],
    ["another username", (message) => login(message, { username: "bob" })],
    ["revocations that are none", (message) => login(message, { revoked: "all" })],
    ["a revocation without a second", (message) => login(message, { revoked: [{ label: "a".repeat(40) }] })],
    ["more than 300 revocations", (message) => login(message, { revoked: revocations(301) })],
    ["a username that is none", (message) => login(message, { username: ["ana"] })],
    ["a token that is none", (message) => login(message, { session_token: { length: 43 } })],
    ["a refusal without a code", ({ id }) => ({ action: "login_response", success: false, id })],
    ["a refusal whose code is none", ({ id }) => ({ action: "login_response", success: false, code: 5, id })],
    ["a prototype", ({ id }) => `{"__proto__":{"action":"login_response"},"id":${String(id)}}\n`],
  ];
  test.each(lies)("%s", async (_, lie) => {
    let truth = false;
    const { server, ana } = await meet(
      lyingAbout("login", (message) => (truth ? honest(message) : lie(message))),
    );
    const error = await ana.account.connect().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServerError);
    expect(ana.profile.certificate).toBeUndefined();
    expect(ana.profile.sessionToken).toBeUndefined();
    await expectEnded(server, ana);
    // The same client takes the truth.
    truth = true;
    await ana.account.connect();
    expect(ana.messenger.rendezvous.state.name).toBe("online");
  });
});

test("a connection that ends instead of an answer is an error", async () => {
  const { server, ana } = await meet(
    lyingAbout("login", () => {
      server.end();
      return undefined;
    }),
  );
  expect(await ana.account.connect().catch((reason: unknown) => reason)).toMatchObject({
    code: "server_unreachable",
  });
});

describe("an answer that lies ends the link:", () => {
  const lists: [string, Answer][] = [
    ["no list", ({ id }) => ({ action: "users_list", users: "everybody", id })],
    [
      "a user without a port",
      ({ id }) => ({ action: "users_list", users: [{ username: "x", ip: "::1" }], id }),
    ],
    [
      "more users than a page has",
      ({ id }) => ({
        action: "users_list",
        users: Array(501).fill({ username: "x", ip: "1", p2p_port: 1 }),
        id,
      }),
    ],
    ["a list over the limit", () => huge],
    ["garbage", () => "}{\n"],
  ];
  test.each(lists)("%s for the users", async (_, lie) => {
    const { server, ana } = await online(lyingAbout("get_users", lie));
    const error = await ana.messenger.users().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServerError);
    await expectEnded(server, ana);
  });

  test("pages that lead in a circle", async () => {
    let page = 0;
    const { ana } = await online(
      lyingAbout("get_users", ({ id }) => ({
        action: "users_list",
        users: [],
        next: page++ % 2 === 0 ? "ana" : "bob",
        id,
      })),
    );
    expect(await ana.messenger.users().catch((reason: unknown) => reason)).toMatchObject({
      code: "server_protocol",
    });
    expect(page).toBeLessThan(1_000);
  });

  const places: [string, Message][] = [
    ["1,000 candidates", { candidates: Array(1_000).fill({ kind: "direct", ip: "127.0.0.1", port: 9 }) }],
    ["a port that is none", { target_port: "9000" }],
    ["candidates that are none", { candidates: [null, 1, "x"] }],
    ["a fingerprint that is none", { fingerprint: "00" }],
  ];
  test.each(places)("%s for a person", async (_, lie) => {
    const { server, ana } = await online(
      lyingAbout("request_p2p", ({ id }) => ({
        action: "p2p_info",
        target_user: "bob",
        target_ip: "127.0.0.1",
        target_port: 9,
        id,
        ...lie,
      })),
    );
    ana.messenger.outbox.send("bob", "hola");
    await until(() => ana.of("unreachable").length > 0);
    expect(ana.of("unreachable")[0]).toMatchObject({ reason: "no_server" });
    await expectEnded(server, ana);
  });
});

test("addresses that nobody may be asked to dial are not dialled", async () => {
  const hostile = [
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "::",
    "ff02::1",
    "localhost",
    "127.0.0.1;reboot",
    "",
  ];
  const candidates: Message[] = hostile.slice(0, 6).map((ip) => ({ kind: "direct", ip, port: 9_000 }));
  candidates.push({ kind: "relay", ip: "127.0.0.1", port: 9_000 });
  const { ana } = await online(
    lyingAbout("request_p2p", ({ id }) => ({
      action: "p2p_info",
      target_user: "bob",
      target_ip: "127.0.0.1",
      target_port: 22,
      candidates: candidates.slice(0, 8),
      id,
    })),
  );
  candidates.unshift({ kind: "direct", ip: "127.0.0.1", port: ana.port });
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.of("unreachable").length > 0);
  // The server knows of nobody of that name whom ana could meet.
  expect(ana.of("unreachable")[0]).toMatchObject({ reason: "offline" });
  expect(ana.profile.contacts.targets(ana.profile.contacts.ensure("bob"))).toEqual([]);
});

test("a server that names somebody's address again and again makes nobody dial it more than eight times in 10 s", async () => {
  const victim = new FakeServer({ closes: true });
  cleanups.push(() => victim.stop());
  const { server, ana } = await online(
    lyingAbout("request_p2p", ({ id, target_user }) => ({
      action: "p2p_info",
      target_user,
      target_ip: "127.0.0.1",
      target_port: victim.port,
      id,
    })),
  );
  const begun = performance.now();
  ana.messenger.openChat("bob");
  for (let flap = 0; flap < 200; flap++) {
    for (const isOnline of [false, true])
      server.push({ action: "presence", username: "bob", online: isOnline });
    await ana.messenger.users();
  }
  const periods = 1 + Math.floor((performance.now() - begun) / DIAL_PERIOD);
  expect(victim.connections).toBeGreaterThan(1);
  expect(victim.connections).toBeLessThanOrEqual(MAX_DIALS * periods);
});

describe("revocations", () => {
  const label = "a".repeat(40);
  test.each([
    ["none", undefined],
    ["no list", { label, before: 1 }],
    ["a label in capitals", [{ label: "A".repeat(40), before: 1 }]],
    ["a short label", [{ label: "a", before: 1 }]],
    ["a long label", [{ label: "a".repeat(60_000), before: 1 }]],
    ["a second before 1970", [{ label, before: -1 }]],
    ["half a second", [{ label, before: 0.5 }]],
    ["a second after the year 9999", [{ label, before: 253_402_300_800 }]],
    ["a second that is no number", [{ label, before: "1" }]],
    ["an exception that is no fingerprint", [{ label, before: 1, except: "a".repeat(63) }]],
    ["one good and one bad", [{ label, before: 1 }, null]],
    ["more than 300", revocations(301)],
  ])("pushed with %s change nothing", async (_, revoked) => {
    const { server, ana } = await online(honest);
    server.push({ action: "revoked", revoked });
    expect(await ana.messenger.users()).toEqual([]);
    expect(ana.profile.revocations.size).toBe(0);
    expect(ana.messenger.rendezvous.state.name).toBe("online");
  });

  test("pushed over the limit of a message end the link", async () => {
    const { server, ana } = await online(honest);
    server.push(JSON.stringify({ action: "revoked", revoked: revocations(900) }));
    await expectEnded(server, ana);
    expect(ana.profile.revocations.size).toBe(0);
  });

  test("pushed without end are kept up to a limit, the newest, and the client goes on", async () => {
    const { server, ana } = await online(honest);
    for (let from = 0; from < MAX_REVOCATIONS + 3_000; from += 300) {
      server.push({ action: "revoked", revoked: revocations(300, from) });
    }
    expect(await ana.messenger.users()).toEqual([]);
    expect(ana.profile.revocations.size).toBeWithin(1, MAX_REVOCATIONS + 1);
    const newest = revocations(1, MAX_REVOCATIONS + 2_999 - (MAX_REVOCATIONS % 300))[0];
    const certificate = { label: newest?.label ?? "", notBefore: 0, fingerprint: "" };
    expect(ana.profile.revocations.isRevoked(certificate)).toBe(true);
  });

  test("with pages without end are read up to a limit", async () => {
    let pages = 0;
    const { ana } = await online((message) => {
      const { action, id } = message;
      const next = `1.${label}`;
      if (action === "login") return login(message, { revoked: revocations(300), revoked_next: next });
      if (action !== "revocations") return honest(message);
      const revoked = revocations(300, ++pages * 300);
      return { action: "revocations_response", success: true, revoked, next, id };
    });
    await untilQuiet(() => pages >= MAX_REVOCATIONS / 300);
    expect(await ana.messenger.users()).toEqual([]);
    expect(pages).toBeLessThan(MAX_REVOCATIONS / 300 + 2);
    expect(ana.profile.revocations.size).toBeWithin(1, MAX_REVOCATIONS + 1);
  });
});

test("a server that calls ana's key new at each login is believed once an hour, and never at her first login", async () => {
  let ahead = 0;
  const lie: Answer = (message) => login(message, { new_key: true });
  const { server, ana } = await meet(
    (message) => (["login", "resume"].includes(String(message["action"])) ? lie(message) : honest(message)),
    { now: () => Date.now() + ahead },
  );
  const comeBack = async (): Promise<number> => {
    await ana.account.connect();
    server.end();
    await until(() => ana.messenger.rendezvous.state.name === "offline");
    return ana.of("newKey").length;
  };
  expect([await comeBack(), await comeBack(), await comeBack()]).toEqual([0, 1, 1]);
  ahead += 60 * 60 * 1_000;
  expect(await comeBack()).toBe(2);
});

test("notifications that nobody asked for change nothing", async () => {
  const { server, ana } = await online(honest);
  const news: (Message | string)[] = [
    ...Array.from({ length: 1_000 }, (_, index) => ({
      action: "presence",
      username: `stranger ${index}`,
      online: true,
    })),
    { action: "presence", username: 5, online: "yes" },
    { action: "presence" },
    { action: "__proto__" },
    { action: "constructor", id: 1 },
    { id: 4_711, action: "login_response", username: "bob" },
    { action: "error" },
    { action: "error", success: false, code: "x".repeat(65) },
    { message: "hola from the server" },
    '{"__proto__":{"action":"error","code":"session_replaced"}}\n',
    {},
  ];
  for (const each of news) server.push(each);
  // An answer comes after all of that.
  expect(await ana.messenger.users()).toEqual([]);
  expect(ana.messenger.rendezvous.state.name).toBe("online");
  expect(ana.of("presence")).toEqual([]);
  expect(ana.of("message")).toEqual([]);
  expect(server.connections).toBeLessThanOrEqual(3);
});

test("somebody who comes and goes a thousand times is looked up a few times", async () => {
  const { server, ana } = await online(honest);
  ana.messenger.outbox.send("bob", "hola");
  await until(() => ana.of("unreachable").length > 0);
  for (let round = 0; round < 1_000; round++) {
    server.push({ action: "presence", username: "bob", online: true });
    server.push({ action: "presence", username: "bob", online: false });
    // So that each is news of its own, after the answer to the last lookup.
    if (round % 10 === 0) await ana.messenger.users();
  }
  await until(() => ana.of("presence").length === 2_000);
  const lookups = server.messages.filter(({ action }) => action === "request_p2p");
  // One for the text, and a burst of five.
  expect(lookups.length).toBeLessThanOrEqual(6);
});

test("a server that says a thousand times that somebody has moved makes nobody ping them a thousand times", async () => {
  const { server, ana } = await online(honest);
  ana.accept("bob");
  const bob = await RawPeer.dial(ana.port, { identity: userIdentity(authority, "bob") });
  cleanups.push(() => bob.terminate());
  bob.send({ action: "hello", protocol: 1, username: "bob", features: [] });
  await until(() => ana.of("connected").length === 1);
  const pings = () => bob.messages.filter(({ action }) => action === "ping").length;
  for (let round = 0; round < 30; round++) {
    for (let news = 0; news < 33; news++)
      server.push({ action: "presence", username: "bob", online: true, moved: true });
    await ana.messenger.users();
    bob.send({ action: "pong" });
  }
  await until(() => pings() > 0);
  expect(pings()).toBeLessThan(20);
});

describe("who comes and goes while a list is opened", () => {
  const person = { username: "zoe", ip: "192.0.2.1", p2p_port: 9_000 };

  /** What is said of zoe while she stands in a list. */
  async function said(watched: (message: Message) => string | Message): Promise<unknown[]> {
    const { ana } = await online((message) => {
      if (message["action"] === "get_users") {
        return { action: "users_list", users: [person], id: message["id"] };
      }
      return message["action"] === "watch" ? watched(message) : honest(message);
    });
    await ana.messenger.users();
    ana.messenger.watchPeople(ana, ["zoe"]);
    const presence = () => ana.events.filter(({ name }) => name === "watched");
    await until(() => presence().some((event) => "online" in event && !event.online));
    return presence().map((event) => "online" in event && event.online);
  }

  test("is gone who left behind the answer, also where both come in one piece", async () => {
    const gone = JSON.stringify({ action: "presence", username: "zoe", online: false });
    const answer = ({ id }: Message) => JSON.stringify({ action: "watch_response", online: ["zoe"], id });
    expect(await said((message) => `${answer(message)}\n${gone}\n`)).toEqual([true, false]);
  });

  test("is gone who left between the list and the answer", async () => {
    expect(await said(({ id }) => ({ action: "watch_response", online: [], id }))).toEqual([false]);
  });
});
