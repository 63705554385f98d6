/** Reach and meetings at a real server, with bare clients on loopback (PROTOCOL 7). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";

import { label } from "../../src/identity/names.ts";
import { acceptorContext, diallerContext, type TlsContext } from "../../src/net/tls.ts";
import { listen } from "../../src/net/listener.ts";
import { READS_NOTHING } from "../../src/net/connection.ts";
import { readFields, type Fields } from "../../src/protocol/fields.ts";
import { RESPONSES } from "../../src/protocol/rendezvous-messages.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { newAuthority, userIdentity } from "./loopback.ts";
import { MeetingParty } from "./meeting-party.ts";
import { TestServer } from "./rendezvous-test-server.ts";
import { loginOf, privateKeyOf, type Message, type TestClient } from "./rendezvous-test-client.ts";

const MEETING = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };
let server: TestServer;
const parties: MeetingParty[] = [];

beforeAll(async () => {
  server = await TestServer.start({ meeting: MEETING });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const party of parties.splice(0)) party.close();
});

let count = 0;
/** A name of this file's own, so that limits of others do not matter; side 0 before side 1. */
function twoNames(): [string, string] {
  count++;
  const [one, two] = [`ana${count}`, `benito${count}`];
  return label(one) < label(two) ? [one, two] : [two, one];
}

/** Checks a message of the server against what clients read of it. */
function fits(action: keyof typeof RESPONSES, message: Message): Message {
  expect(message["action"]).toBe(action);
  const read = readFields(RESPONSES[action] as Fields, message);
  expect(read).toHaveProperty("ok", true);
  return message;
}

/** Logged in, and has said `reach`. */
async function reaching(name: string, more: Message = {}): Promise<{ client: TestClient; reach: Message }> {
  const { client } = await server.online(name, more);
  const reach = await client.ask({ action: "reach" });
  expect(reach["code"]).toBe("ok");
  return { client, reach };
}

function meetingPort(): number {
  return server.server.services.meetingPlaces()[0]?.port ?? 0;
}

async function party(options: Parameters<typeof MeetingParty.connect>[1] = {}): Promise<MeetingParty> {
  const made = await MeetingParty.connect(meetingPort(), options);
  parties.push(made);
  return made;
}

/** Both ask to meet, and the tickets of both; side 0 asks. */
async function invited(more: Message = {}) {
  const [one, two] = twoNames();
  const [first, second] = [await reaching(one), await reaching(two)];
  const response = await first.client.ask({ action: "connect", target_user: two, ...more });
  const request = await second.client.answer();
  return { one, two, clients: [first.client, second.client] as const, response, request };
}

describe("reach", () => {
  test("says where the link is seen and where the meeting port is", async () => {
    const { client } = await server.online("rosa");
    const answer = fits("reach_response", await client.ask({ action: "reach", addresses: ["192.168.1.7"] }));
    expect(answer).toMatchObject({
      observed: { ip: "127.0.0.1" },
      meeting: [{ port: meetingPort() }],
      checking: false,
      relay_bytes_left: DEFAULT_RELAY_LIMITS.bytesPerDay,
    });
  });

  test("needs a key, and comes 6 times a minute", async () => {
    await server.addAccounts("sinclave");
    const bare = await server.tls();
    await bare.ask(loginOf("sinclave", { lang: "en" }));
    expect(await bare.ask({ action: "reach" })).toMatchObject({ action: "error", code: "tls_required" });
    const { client } = await server.online("inquieta");
    for (let time = 0; time < 6; time++) {
      expect(await client.ask({ action: "reach" })).toHaveProperty("code", "ok");
    }
    expect(await client.ask({ action: "reach" })).toMatchObject({ code: "rate_limited", retry_after: 10 });
  });

  test("a ticket shown from another port says that the mapping varies, once a family", async () => {
    const { reach } = await reaching("variable");
    const first = await party();
    first.say({ action: "observe", ticket: reach["ticket"] });
    expect(await first.next()).toEqual({
      action: "observed",
      ip: "127.0.0.1",
      port: first.port,
      mapping: "varies",
    });
    await first.closed;
    const again = await party();
    again.say({ action: "observe", ticket: reach["ticket"] });
    expect(await again.next()).toBeUndefined();
    const six = await party({ host: "::1" });
    six.say({ action: "observe", ticket: reach["ticket"] });
    expect(await six.next()).toEqual({ action: "observed", ip: "::1", port: six.port });
  });

  test("watchers that speak it learn of other addresses, and others do not", async () => {
    const { client } = await reaching("nomada");
    const { client: old } = await server.online("antigua");
    const { client: watcher } = await reaching("vigia");
    await old.ask({ action: "watch", users: ["nomada"] });
    await watcher.ask({ action: "watch", users: ["nomada"] });
    await client.ask({ action: "reach", addresses: ["192.168.1.9"] });
    expect(fits("presence", await watcher.answer())).toEqual({
      action: "presence",
      username: "nomada",
      online: true,
      moved: true,
    });
    expect(await old.ask({ action: "ping", id: 7 })).toHaveProperty("id", 7);
  });

  test("a client that comes back from elsewhere has moved, too", async () => {
    const { key } = await server.online("viajera", { addresses: ["192.168.1.9"] });
    const { client: watcher } = await reaching("espera");
    await watcher.ask({ action: "watch", users: ["viajera"] });
    await server.online("viajera", { public_key: key, addresses: ["192.168.1.9"] });
    await server.online("viajera", { public_key: key, addresses: ["192.168.1.10"] });
    expect(await watcher.answer()).toMatchObject({ action: "presence", username: "viajera", moved: true });
  });

  test("a check finds the peer port with this key, and candidates say so", async () => {
    for (const isOwnKey of [true, false]) {
      const name = isOwnKey ? "abierta" : "robada";
      let context: TlsContext | undefined;
      const listener = listen({
        host: "127.0.0.1",
        port: 0,
        objectLimit: 1,
        tls: () => ({ context: context as TlsContext }),
        accept: () => ({ ...READS_NOTHING, secured: () => false, closed: () => undefined }),
      });
      const { port } = listener;
      const { client, key, login } = await server.online(name, { p2p_port: port });
      const [certificate, authority] = [String(login["certificate"]), server.authority];
      context = acceptorContext({ key: privateKeyOf(key), certificate }, authority);
      const current = isOwnKey
        ? client
        : (await server.online(name, { p2p_port: port, replace: true })).client;
      expect(await current.ask({ action: "reach", check: true })).toHaveProperty("checking", true);
      const results = [{ ip: "127.0.0.1", port, open: isOwnKey }];
      expect(fits("reachable", await current.answer())).toEqual({ action: "reachable", results });
      expect(await current.ask({ action: "reach", check: true })).toHaveProperty("checking", false);
      listener.stop();
      const { client: other } = await server.online(`pregunta${port}`);
      const [candidate] = (await other.ask({ action: "request_p2p", target_user: name }))[
        "candidates"
      ] as Message[];
      expect(candidate?.["open"]).toBe(isOwnKey ? true : undefined);
    }
  });

  test("keeps mapped ports of addresses that are one's own, and gives them as candidates", async () => {
    const { client } = await server.online("mapeada");
    const mapped = [
      { ip: "127.0.0.1", port: 9_321 },
      { ip: "203.0.113.9", port: 9_322 },
    ];
    await client.ask({ action: "reach", mapped });
    const { client: other } = await server.online("lectora");
    expect(await other.ask({ action: "request_p2p", target_user: "mapeada" })).toHaveProperty("candidates", [
      { kind: "direct", ip: "127.0.0.1", port: 9_001 },
      { kind: "mapped", ip: "127.0.0.1", port: 9_321 },
    ]);
    const low = { action: "reach", mapped: [{ ip: "127.0.0.1", port: 1_023 }] };
    expect(await client.ask(low)).toHaveProperty("code", "bad_request");
  });
});

describe("connect", () => {
  test("gives both a ticket of their own, and what is known of the other", async () => {
    const { one, two, response, request } = await invited();
    fits("connect_response", response);
    fits("meet_request", request);
    expect(response).toMatchObject({
      target_user: two,
      relay_only: false,
      meeting: [{ port: meetingPort() }],
    });
    expect(response["candidates"]).toEqual([{ kind: "direct", ip: "127.0.0.1", port: 9001 }]);
    expect(request).toMatchObject({ username: one, purpose: "chat" });
    expect(response["ticket"]).not.toBe(request["ticket"]);
  });

  test("names to who is asked no public address that the server has not seen", async () => {
    const [one, two] = twoNames();
    const addresses = ["203.0.113.77", "192.168.1.7"];
    const [first, second] = [await reaching(one, { addresses }), await reaching(two, { addresses })];
    const response = await first.client.ask({ action: "connect", target_user: two });
    const request = await second.client.answer();
    const ips = ({ candidates }: Message) => (candidates as Message[]).map(({ ip }) => ip);
    expect(ips(response)).toEqual(["127.0.0.1", ...addresses]);
    expect(ips(request)).toEqual(["127.0.0.1", "192.168.1.7"]);
  });

  test("of the other at the same time gets the seat in the same meeting", async () => {
    const { one, clients, request } = await invited();
    const crossing = await clients[1].ask({ action: "connect", target_user: one });
    expect(crossing["ticket"]).toBe(request["ticket"]);
    expect(await clients[0].ask({ action: "ping", id: 1 })).toHaveProperty("id", 1);
  });

  test("is refused to who is not there, speaks no reach, or has asked too often", async () => {
    const { client } = await reaching("pide");
    const { client: old } = await server.online("sinreach");
    void old;
    const ask = (target_user: string) => client.ask({ action: "connect", target_user });
    expect(await ask("nadie")).toMatchObject({ action: "connect_response", code: "user_offline" });
    expect(await ask("pide")).toHaveProperty("code", "user_offline");
    expect(await ask("sinreach")).toHaveProperty("code", "cannot_meet");
    await reaching("pedida");
    for (let time = 0; time < 6; time++) expect(await ask("pedida")).toHaveProperty("code", "ok");
    expect(await ask("pedida")).toHaveProperty("code", "rate_limited");
  });

  test("of four strangers leaves places to those whom the other watches", async () => {
    const { client: target } = await reaching("famosa");
    await target.ask({ action: "watch", users: ["conocida"] });
    const codes: unknown[] = [];
    for (const name of ["uno1", "dos2", "tres3", "cuatro4", "cinco5", "conocida"]) {
      const { client } = await reaching(name);
      codes.push((await client.ask({ action: "connect", target_user: "famosa" }))["code"]);
    }
    expect(codes).toEqual(["ok", "ok", "ok", "ok", "rate_limited", "ok"]);
  });

  test("beyond four meetings of one user is refused", async () => {
    const { client } = await reaching("ansiosa");
    const codes: unknown[] = [];
    for (const name of ["meta1", "meta2", "meta3", "meta4", "meta5"]) {
      await reaching(name);
      codes.push((await client.ask({ action: "connect", target_user: name }))["code"]);
    }
    expect(codes).toEqual(["ok", "ok", "ok", "ok", "rate_limited"]);
  });
});

describe("a meeting", () => {
  test("tells both where to dial, at one moment", async () => {
    const { clients, response, request } = await invited();
    const [first, second] = [await party(), await party()];
    await first.sit(response["ticket"]);
    await second.sit(request["ticket"]);
    const [one, two] = [await clients[0].answer(), await clients[1].answer()];
    expect(fits("go", one)).toMatchObject({ family: 4, ip: "127.0.0.1", port: second.port });
    expect(fits("go", two)).toMatchObject({ family: 4, ip: "127.0.0.1", port: first.port });
    expect(one["ticket"]).toBe(response["ticket"]);
    expect(Math.min(Number(one["in_ms"]), Number(two["in_ms"]))).toBe(0);
    first.close();
    expect(fits("gone", await clients[1].answer())).toHaveProperty("ticket", request["ticket"]);
    await second.closed;
  });

  test("hands over the relay, and passes bytes both ways", async () => {
    const { clients, response, request } = await invited();
    const [acceptor, dialler] = [await party(), await party()];
    await acceptor.sit(response["ticket"]);
    await dialler.sit(request["ticket"], { relay: true });
    for (const client of clients) expect(await client.answer()).not.toHaveProperty("ip");
    dialler.say({ action: "relay" });
    acceptor.say({ action: "relay" });
    expect(await acceptor.next()).toEqual({ action: "spliced" });
    acceptor.pass();
    acceptor.say({ action: "ready" });
    expect(await dialler.next()).toEqual({ action: "spliced" });
    dialler.pass();
    dialler.write("sealed");
    await acceptor.until("sealed");
    acceptor.write("sealed too");
    await dialler.until("sealed too");
    expect(server.server.services.relay.pairs).toBe(1);
    expect(server.server.services.metrics.relayedBytes).toBeGreaterThanOrEqual(16);
    dialler.close();
    await acceptor.closed;
    expect(server.server.services.relay.pairs).toBe(0);
  });

  test("hands over in an order in which TLS always begins, both ends proven", async () => {
    const authority = newAuthority();
    for (let round = 0; round < 5; round++) {
      const { clients, response, request } = await invited();
      const [acceptor, dialler] = [await party(), await party()];
      await acceptor.sit(response["ticket"]);
      await dialler.sit(request["ticket"], { relay: true });
      for (const client of clients) await client.answer();
      for (const side of [dialler, acceptor]) side.say({ action: "relay" });
      expect(await acceptor.next()).toEqual({ action: "spliced" });
      acceptor.say({ action: "ready" });
      const accepting = acceptorContext(userIdentity(authority, "ana"), authority.certificatePem);
      const heard = acceptor.secure("acceptor", accepting, "from the acceptor");
      expect(await dialler.next()).toEqual({ action: "spliced" });
      const dialling = diallerContext({
        serverName: label("ana"),
        authority: authority.certificatePem,
        identity: userIdentity(authority, "benito"),
      });
      expect(await dialler.secure("dialler", dialling, "from the dialler")).toBe("from the acceptor");
      expect(await heard).toBe("from the dialler");
    }
  });

  test("takes no seat for a ticket that is wrong or used, and closes without a word", async () => {
    const { response } = await invited();
    const first = await party();
    await first.sit(response["ticket"]);
    for (const ticket of [response["ticket"], "x".repeat(43), 7]) {
      const other = await party();
      other.say({ action: "meet", ticket });
      expect(await other.next()).toBeUndefined();
    }
    for (const line of [{ action: "relay" }, { action: "pong", n: 1 }, { message: "hi" }]) {
      const other = await party();
      other.say(line);
      expect(await other.next()).toBeUndefined();
    }
  });

  test("ends when one of them goes offline", async () => {
    const { clients, request } = await invited();
    clients[0].close();
    expect(fits("gone", await clients[1].answer())).toHaveProperty("ticket", request["ticket"]);
  });

  test("of 16 connections without a seat from one address, the 17th is closed", async () => {
    const crowd: MeetingParty[] = [];
    for (let each = 0; each < 17; each++) crowd.push(await party());
    expect(await crowd[16]?.next()).toBeUndefined();
    crowd[0]?.say({ action: "observe", ticket: "no" });
    expect(await crowd[0]?.next()).toBeUndefined();
  });
});

test("who is relay only gives no address to anybody, and is no one to the first program's clients", async () => {
  const { client } = await reaching("escondida", { relay_only: true, addresses: ["192.168.1.3"] });
  const { client: other } = await reaching("curiosa");
  const info = await other.ask({ action: "request_p2p", target_user: "escondida" });
  expect(info).toMatchObject({ target_ip: "0.0.0.0", target_port: 1, candidates: [] });
  const { users } = (await other.ask({ action: "get_users", limit: 500 })) as { users: Message[] };
  expect(users.find(({ username }) => username === "escondida")).toMatchObject({
    ip: "0.0.0.0",
    p2p_port: 1,
  });
  await server.addAccounts("semilla");
  const seed = await server.plain();
  await seed.ask(loginOf("semilla"));
  expect(await seed.ask({ action: "request_p2p", target_user: "escondida" })).toHaveProperty(
    "code",
    "user_offline",
  );
  const list = (await seed.ask({ action: "get_users" })) as { users: Message[] };
  expect(list.users.map(({ username }) => username)).not.toContain("escondida");
  const connect = await other.ask({ action: "connect", target_user: "escondida" });
  expect(connect).toMatchObject({ relay_only: true, candidates: [] });
  const request = await client.answer();
  expect(request).toMatchObject({ username: "curiosa", relay_only: false });
  const [first, second] = [await party(), await party()];
  await first.sit(connect["ticket"]);
  await second.sit(request["ticket"]);
  expect(await client.answer()).not.toHaveProperty("ip");
  expect(await other.answer()).not.toHaveProperty("ip");
});

test("a port that is taken and was not asked for: the log says so once, and the server runs without", async () => {
  const without = await TestServer.start({ meeting: { ...MEETING, port: meetingPort(), isAsked: false } });
  expect(without.server.services.meetingPlaces()).toEqual([]);
  expect(without.log.filter((line) => line.includes("no_meeting_port"))).toHaveLength(1);
  await without.stop();
});

test("without a meeting port, connect says so, and a full relay says so to both", async () => {
  const off = await TestServer.start();
  const small = await TestServer.start({
    meeting: { ...MEETING, relay: { ...DEFAULT_RELAY_LIMITS, pairs: 0 } },
  });
  try {
    const [one, two] = twoNames();
    const asker = await off.online(one);
    const asked = await off.online(two);
    expect(await asker.client.ask({ action: "reach" })).toHaveProperty("meeting", []);
    await asked.client.ask({ action: "reach" });
    expect(await asker.client.ask({ action: "connect", target_user: two })).toHaveProperty(
      "code",
      "no_meeting",
    );
    const [first, second] = [await small.online(one), await small.online(two)];
    for (const { client } of [first, second]) await client.ask({ action: "reach" });
    const response = await first.client.ask({ action: "connect", target_user: two });
    const request = await second.client.answer();
    const { port } = small.server.services.meetingPlaces()[0] as { port: number };
    const seats = [await MeetingParty.connect(port), await MeetingParty.connect(port)] as const;
    await seats[0].sit(response["ticket"]);
    await seats[1].sit(request["ticket"]);
    for (const { client } of [first, second]) await client.answer();
    for (const seat of seats) seat.say({ action: "relay" });
    for (const seat of seats) {
      expect(await seat.next()).toMatchObject({ action: "error", code: "relay_full" });
      await seat.closed;
    }
  } finally {
    await off.stop();
    await small.stop();
  }
});
