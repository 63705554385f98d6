/**
 * What others make of a client with meetings. A hostile server, with invitations and `go`, wants it to dial somebody who is
 * no peer, again and again, or to spend itself; hostile people at the relay of an honest one want its friends' places.
 */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RENDEZVOUS_DNS_NAME } from "../../../src/identity/certificate-reader.ts";
import { label } from "../../../src/identity/names.ts";
import { acceptorContext, diallerContext, type TlsIdentity } from "../../../src/net/tls.ts";
import { KNOCKS } from "../../../src/client/peer/limits/knock-rate.ts";
import { RELAY } from "../../../src/client/peer/admission.ts";
import { DIAL_PERIOD, MAX_DIALS } from "../../../src/client/peer/dial-limits.ts";
import { INVITED } from "../../../src/client/reach/inviters.ts";
import { DEFAULT_RELAY_LIMITS } from "../../../src/server/limits/limits.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { FakeServer } from "../fake-server.ts";
import { HonestServer } from "../honest-answers.ts";
import { newAuthority, userIdentity } from "../loopback.ts";
import { MeetingParty } from "../meeting-party.ts";
import { Company, later, openPerson, until, untilQuiet, type Person } from "../messenger-pair.ts";
import { RawPeer } from "../raw-peer.ts";
import { loginOf, newPublicKey, privateKeyOf, TestClient, type Message } from "../rendezvous-test-client.ts";

const cleanups = cleanupsForEachTest();

function keep(server: FakeServer): FakeServer {
  cleanups.push(() => server.stop());
  return server;
}

class Lies {
  /** The meeting port: it says where a client is, and nothing to a seat. */
  readonly seats = keep(
    new FakeServer({
      answer: ({ action }) =>
        action === "observe" ? { action: "observed", ip: "127.0.0.1", port: 9 } : undefined,
    }),
  );
  readonly #honest = new HonestServer();
  readonly server = keep(
    new FakeServer({ identity: this.#honest.identity, answer: (message) => this.#answer(message) }),
  );
  ana!: Person;

  static async begin(): Promise<Lies> {
    const lies = new Lies();
    const dataFolder = mkdtempSync(join(tmpdir(), "paloma-invited-"));
    const { port } = lies.server;
    lies.ana = await openPerson("ana", { dataFolder, port, who: "requests", random: () => 0 });
    cleanups.push(async () => {
      await lies.ana.close();
      rmSync(dataFolder, { recursive: true, force: true });
    });
    await lies.ana.account.connect();
    return lies;
  }

  #answer(message: Message): Message {
    const { action, id } = message;
    if (action !== "reach") return this.#honest.answer(message);
    return {
      action: "reach_response",
      success: true,
      observed: { ip: "127.0.0.1", port: 9 },
      meeting: this.places,
      ticket: ticketOf("reach"),
      checking: false,
      relay_bytes_left: 0,
      id,
    };
  }

  get places(): readonly Message[] {
    return [{ port: this.seats.port }];
  }

  invitation(username: string, number: number | string, more: Message = {}): Message {
    return {
      action: "meet_request",
      username,
      ticket: ticketOf(number),
      purpose: "chat",
      meeting: this.places,
      candidates: [],
      fingerprint: "0".repeat(64),
      relay_only: false,
      ...more,
    };
  }

  /** In one piece. */
  push(...messages: readonly Message[]): void {
    this.server.push(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  /** Tickets with which seats were taken, with what was said besides. */
  get taken(): readonly Message[] {
    return this.seats.messages.filter(({ action }) => action === "meet");
  }

  /** Everything that was pushed has been read. */
  async read(): Promise<void> {
    expect(await this.ana.messenger.users()).toEqual([]);
  }
}

function ticketOf(number: number | string): string {
  return String(number).padEnd(43, "_");
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** How often an address may have been dialled since then, by `performance.now()`. */
function mostDials(since: number): number {
  return MAX_DIALS * (1 + Math.floor((performance.now() - since) / DIAL_PERIOD));
}

test("of 2,000 invitations of strangers four are followed, over the relay, and a contact's place is free", async () => {
  const lies = await Lies.begin();
  lies.ana.accept("bob");
  lies.push(...numbers(2_000).map((number) => lies.invitation(`stranger${number}`, number)));
  await until(() => lies.taken.length >= INVITED.stranger.atOnce);
  await lies.read();
  lies.push(lies.invitation("bob", "bob"));
  await until(() => lies.taken.some(({ ticket }) => ticket === ticketOf("bob")));
  const relayed = lies.taken.map(({ ticket, relay }) => (ticket === ticketOf("bob") ? "bob" : relay));
  expect(relayed.toSorted()).toEqual(["bob", true, true, true, true]);
  expect(lies.ana.profile.contacts.all().map(({ username }) => username)).toEqual(["bob"]);
});

test("an invitation for a transfer that nobody waits for takes no seat", async () => {
  const lies = await Lies.begin();
  lies.ana.accept("bob");
  const stream = { purpose: "stream", transfer: "file" };
  lies.push(lies.invitation("bob", "stream", stream), lies.invitation("bob", "chat"));
  await until(() => lies.taken.length > 0);
  await lies.read();
  expect(lies.taken.map(({ ticket }) => ticket)).toEqual([ticketOf("chat")]);
});

test("invitations that come and go are followed only so often", async () => {
  const lies = await Lies.begin();
  const begun = performance.now();
  for (const number of numbers(500)) {
    const ticket = ticketOf(number);
    lies.push(lies.invitation(`stranger${number}`, number), { action: "gone", ticket });
    if (number % 10 === 0) await lies.read();
  }
  await lies.read();
  const { burst, perSecond } = INVITED.stranger;
  const most = burst + (perSecond * (performance.now() - begun)) / 1_000;
  await until(() => lies.seats.open === 0);
  const observations = lies.seats.messages.filter(({ action }) => action === "observe").length;
  expect(lies.seats.connections - observations).toBeWithin(1, most + 1);
});

test("no «go», and no candidate of an invitation, makes anybody dial one address more than eight times in 10 s", async () => {
  const lies = await Lies.begin();
  lies.ana.accept("bob");
  const [punched, dialled] = [1, 2].map(() => keep(new FakeServer({ closes: true }))) as [
    FakeServer,
    FakeServer,
  ];
  const begun = performance.now();
  for (const number of numbers(INVITED.contact.burst / 2)) {
    const ticket = ticketOf(number);
    lies.push(lies.invitation("bob", number));
    await until(() => lies.taken.some((seat) => seat["ticket"] === ticket));
    const go = { action: "go", ticket, family: 4, in_ms: 0, rtt_ms: 0 };
    lies.push({ ...go, ip: "127.0.0.1", port: punched.port }, { action: "gone", ticket });
    await lies.read();
  }
  const candidates = [{ kind: "direct", ip: "127.0.0.1", port: dialled.port }];
  lies.push(...numbers(100).map((number) => lies.invitation("bob", `again${number}`, { candidates })));
  await until(() => dialled.connections > 0);
  await lies.read();
  await until(() => punched.open === 0 && dialled.open === 0);
  expect(punched.connections).toBeWithin(2, mostDials(begun) + 1);
  expect(dialled.connections).toBeWithin(1, mostDials(begun) + 1);
});

test("lies about a meeting change nothing: of other tickets, with times that are none, at no peer's port", async () => {
  const lies = await Lies.begin();
  lies.ana.accept("bob");
  const victim = keep(new FakeServer({ closes: true }));
  lies.push(lies.invitation("bob", "bob"));
  await until(() => lies.taken.length === 1);
  const at = { ip: "127.0.0.1", port: victim.port };
  const go = { action: "go", ticket: ticketOf("bob"), family: 4, in_ms: 0, rtt_ms: 0, ...at };
  const wrong: Message[] = [
    { ticket: ticketOf("nobody") },
    { ticket: "bob" },
    { ticket: `${"x".repeat(42)}\n` },
    ...[-1, 60_001, 1e300, 0.5, "0", null].map((in_ms) => ({ in_ms })),
    ...[-1, 5_001, 1e300, 0.5, "0", null].map((rtt_ms) => ({ rtt_ms })),
    ...[0, -1, 65_536, "9000"].map((port) => ({ port })),
    { family: 46 },
    // There is no seat in this family.
    { family: 6, ip: "::1" },
  ];
  lies.push(
    ...wrong.map((each) => ({ ...go, ...each })),
    { action: "gone", ticket: ticketOf("nobody") },
    { action: "gone" },
    // We ourselves, the same ticket again, and no ticket.
    lies.invitation("ana", "ana"),
    lies.invitation("bob", "bob"),
    lies.invitation("bob", "bob", { ticket: "x".repeat(42) }),
    { action: "reachable", results: [{ ip: "127.0.0.1", port: 9, open: "yes" }] },
  );
  await lies.read();
  expect(lies.taken).toHaveLength(1);
  expect(victim.connections).toBe(0);
  expect(lies.ana.messenger.rendezvous.state.name).toBe("online");
  // The seat still waits for what is right.
  lies.push(go);
  await until(() => victim.connections > 0);
});

/** Somebody who meets ana at the relay, and does there what they like. */
class Visitor {
  readonly name: string;
  readonly identity: TlsIdentity;
  readonly party: MeetingParty;
  readonly #company: Company;

  constructor(company: Company, name: string, identity: TlsIdentity, party: MeetingParty) {
    this.#company = company;
    this.name = name;
    this.identity = identity;
    this.party = party;
  }

  /** Up to the turn in which TLS begins. */
  static async come(company: Company, name: string): Promise<Visitor> {
    await company.addAccount(name);
    const tls = { ca: company.authority.certificatePem, serverName: RENDEZVOUS_DNS_NAME };
    const client = await TestClient.connect(company.port, { tls });
    cleanups.push(() => client.close());
    const key = newPublicKey();
    const login = await client.ask(loginOf(name, { public_key: key }));
    const identity = { key: privateKeyOf(key), certificate: String(login["certificate"]) };
    await client.ask({ action: "reach" });
    const { ticket } = await client.ask({ action: "connect", target_user: "ana" });
    const party = await MeetingParty.connect(company.services.meetingPlaces()[0]?.port ?? 0);
    cleanups.push(() => party.close());
    await party.sit(ticket, { relay: true });
    expect(await client.answer()).toHaveProperty("action", "go");
    party.say({ action: "relay" });
    expect(await party.next()).toEqual({ action: "spliced" });
    return new Visitor(company, name, identity, party);
  }

  /** @returns what ana says first. @throws where she closes instead */
  secure(identity: TlsIdentity, ...messages: readonly Message[]): Promise<string> {
    const { certificatePem: authority } = this.#company.authority;
    const text = messages.map((message) => `${JSON.stringify(message)}\n`).join("");
    if (label("ana") < label(this.name)) {
      const context = diallerContext({ serverName: label("ana"), authority, identity });
      return this.party.secure("dialler", context, text);
    }
    this.party.say({ action: "ready" });
    return this.party.secure("acceptor", acceptorContext(identity, authority), text);
  }

  greeting(): Message {
    return { action: "hello", protocol: 1, username: this.name, features: [] };
  }
}

/** A name for which ana is, or is not, the decider. */
function nameOf(stem: string, isAnaDecider: boolean): string {
  let name = stem;
  for (let number = 1; label("ana") < label(name) !== isAnaDecider; number++) name = `${stem}${number}`;
  return name;
}

async function companyOfAna(): Promise<{ company: Company; ana: Person }> {
  const meeting = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };
  const company = await Company.meet({ meeting });
  cleanups.push(() => company.close());
  const ana = await company.person("ana", { who: "requests" });
  await untilQuiet(() => ana.messenger.reach.view !== undefined);
  return { company, ana };
}

describe.each([
  ["accepts", true],
  ["dials", false],
])("where ana %s at the relay,", (_, isDecider) => {
  test("who is silent, says garbage or shows another certificate gets no word, and the next one is served", async () => {
    const { company, ana } = await companyOfAna();
    const before = ana.events.length;
    const visitor = (stem: string) => Visitor.come(company, nameOf(stem, isDecider));
    const silent = await visitor("silent");
    const noisy = await visitor("noisy");
    noisy.party.write("ready, or so\n".repeat(100));
    await noisy.party.closed;
    const forged = await visitor("forged");
    await expect(forged.secure(userIdentity(newAuthority(), forged.name))).rejects.toThrow();
    const another = await visitor("another");
    // The server names another key for this name.
    await expect(another.secure(company.identity(another.name))).rejects.toThrow();
    await later(10_000, () => silent.party.closed);
    expect(ana.events.slice(before).filter(({ name }) => name !== "refusal")).toEqual([]);
    const honest = await visitor("honest");
    const text = { message: "hola", id: "1" };
    const hello = await honest.secure(honest.identity, honest.greeting(), text);
    expect(JSON.parse(hello.split("\n")[0] ?? "")).toMatchObject({ action: "hello", username: "ana" });
    await until(() => ana.of("request").length === 1);
    expect(ana.of("request")[0]?.from).toBe(honest.name);
    // All that come over the relay count as one network.
    expect(ana.profile.consents.requestCounts(RELAY, 0)).toHaveProperty("ofNetwork", 1);
  });
});

test("strangers who fill ana's port keep no contact out who comes over the relay", async () => {
  const { company, ana } = await companyOfAna();
  const contact = nameOf("carla", true);
  ana.accept(contact);
  const { burst } = KNOCKS.stranger.all;
  for (const number of numbers(2 * burst)) {
    const crowd = await RawPeer.dial(ana.port, { tls: false, from: `127.100.${number >> 3}.1` });
    crowd.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    cleanups.push(() => crowd.end());
  }
  const visitor = await Visitor.come(company, contact);
  const hello = await visitor.secure(visitor.identity, visitor.greeting());
  expect(hello).toContain('"hello"');
  await until(() => ana.of("connected").some(({ username }) => username === contact));
});
