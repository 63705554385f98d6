/** `--relay only` and `never`: which ways are used, and that nobody but the server learns the address of who is hidden. */
import { describe, expect, test } from "bun:test";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { FakeServer } from "./fake-server.ts";
import { Company, until, type Person, type PersonOptions } from "./messenger-pair.ts";
import { loginOf, newPublicKey, TestClient } from "./rendezvous-test-client.ts";

const cleanups = cleanupsForEachTest();

const MEETING = { port: 0, isAsked: true, hosts: [], relay: DEFAULT_RELAY_LIMITS };

async function meet(meeting: typeof MEETING | undefined = MEETING): Promise<Company> {
  const company = await Company.meet({ meeting });
  cleanups.push(() => company.close());
  return company;
}

/** Somebody who is traced, and to whom the others are contacts. */
async function person(
  company: Company,
  name: string,
  options: PersonOptions,
  others: readonly string[] = [],
) {
  const opened = await company.person(name, { trace: true, offline: true, ...options });
  for (const other of others) opened.accept(other);
  await opened.account.connect();
  return opened;
}

/** What this person's client has sent to the server, or received, with one of these actions. */
function wires(of: Person, direction: "in" | "out", ...actions: string[]) {
  return of
    .of("wire")
    .filter((event) => event.link === "rendezvous" && event.direction === direction)
    .map(({ message }) => message as { readonly action?: unknown })
    .filter(({ action }) => actions.includes(String(action)));
}

const wayTo = (of: Person, name: string) => of.messenger.linkPresence(name)?.way;

async function talks(from: Person, to: Person, text: string): Promise<void> {
  from.messenger.outbox.send(to.name, text);
  await until(() => to.texts(from.name).includes(text));
}

/** Somebody who is said to listen where nobody but this test does. */
async function decoy(company: Company, name: string): Promise<FakeServer> {
  const listener = new FakeServer({});
  cleanups.push(() => listener.stop());
  await company.addAccount(name);
  const tls = { ca: company.authority.certificatePem, serverName: RENDEZVOUS_DNS_NAME };
  const client = await TestClient.connect(company.port, { tls });
  cleanups.push(() => client.close());
  const login = { p2p_port: listener.port, public_key: newPublicKey() };
  expect(await client.ask(loginOf(name, login))).toMatchObject({ success: true });
  return listener;
}

const HIDDEN = { place: { p2p_port: 1, addresses: [], relay_only: true } };

describe("with --relay only", () => {
  test("people talk through the relay, and learn no address of who is hidden", async () => {
    const company = await meet();
    const ana = await person(company, "ana", { relay: "only", lan: true }, ["benito", "carla"]);
    const benito = await person(company, "benito", {}, ["ana"]);
    const carla = await person(company, "carla", {}, ["ana"]);
    expect(ana.messenger.reach.port).toBeUndefined();
    await talks(ana, benito, "to him");
    await talks(benito, ana, "to her");
    await talks(carla, ana, "from another");
    expect([wayTo(ana, "benito"), wayTo(benito, "ana"), wayTo(carla, "ana")]).toEqual([
      "relayed",
      "relayed",
      "relayed",
    ]);
    // No direct way is promised, on either side.
    const relayed = { way: "relayed", seeksDirect: false, address: undefined };
    for (const each of [ana, benito, carla]) expect(each.of("connected").at(-1)).toMatchObject(relayed);
    expect(wires(ana, "out", "login")).toMatchObject([HIDDEN.place]);
    expect(wires(ana, "out", "reach")).toMatchObject([{ addresses: [], mapped: [], check: false }]);
    const [listed] = await benito.messenger.users();
    expect(listed).toMatchObject({ username: "ana", ip: "0.0.0.0", p2p_port: 1 });
    const told = [benito, carla].flatMap((each) =>
      wires(each, "in", "p2p_info", "connect_response", "meet_request", "go", "presence"),
    );
    const ofAna = told.filter((message) => JSON.stringify(message).includes('"ana"'));
    expect(ofAna).toContainEqual(
      expect.objectContaining({ target_ip: "0.0.0.0", target_port: 1, candidates: [] }),
    );
    const shown = told.filter((message) => message.action === "go" || ofAna.includes(message));
    const addresses = JSON.stringify(shown).match(/\d+\.\d+\.\d+\.\d+|[\da-f]*::[\da-f:]*/g);
    expect(new Set(addresses)).toEqual(new Set(["0.0.0.0"]));
  });

  test("nobody is dialled, with or without a server, and without its relay the text waits", async () => {
    const company = await meet(undefined);
    const listener = await decoy(company, "benito");
    const ana = await person(company, "ana", { relay: "only" });
    const { contacts } = ana.profile;
    contacts.saveTargets(contacts.ensure("benito"), [{ ip: "127.0.0.1", port: listener.port }]);
    ana.messenger.outbox.send("benito", "hola");
    await until(() => ana.of("unreachable").length === 1);
    await company.stopServer();
    ana.messenger.rendezvous.keepOnline();
    ana.messenger.outbox.send("benito", "again");
    await until(() => ana.of("unreachable").length === 2);
    expect(ana.of("unreachable").map(({ reason }) => reason)).toEqual(["cannot_meet", "no_server"]);
    expect(listener.connections).toBe(0);
  });

  test("it is kept, and said at the next login too", async () => {
    const company = await meet();
    const first = await person(company, "ana", { relay: "only" });
    await first.close();
    const ana = await person(company, "ana", {});
    expect(wires(ana, "out", "resume", "login")).toMatchObject([{ action: "resume", ...HIDDEN.place }]);
    expect(ana.messenger.reach.port).toBeUndefined();
  });

  test("it is obeyed at once while a conversation is on, and so is its end", async () => {
    const company = await meet();
    const ana = await person(company, "ana", {}, ["benito"]);
    const benito = await person(company, "benito", {}, ["ana"]);
    ana.messenger.openChat("benito");
    await talks(ana, benito, "directly");
    expect(wayTo(ana, "benito")).toBe("direct");
    ana.messenger.reach.useRelay("only");
    await talks(ana, benito, "hidden");
    expect([wayTo(ana, "benito"), ana.messenger.reach.port]).toEqual(["relayed", undefined]);
    expect(wires(ana, "out", "resume")).toMatchObject([HIDDEN.place]);
    ana.messenger.reach.useRelay("never");
    await until(() => wayTo(ana, "benito") === "direct");
    await talks(benito, ana, "directly again");
  });
});

test("with --relay never nobody is met at the relay", async () => {
  const company = await meet();
  const ana = await person(company, "ana", { relay: "never" }, ["benito"]);
  const benito = await person(company, "benito", { relay: "only" }, ["ana"]);
  benito.messenger.outbox.send("ana", "through the relay?");
  await until(() => benito.of("unreachable").length > 0);
  ana.messenger.outbox.send("benito", "and so?");
  await until(() => ana.of("unreachable").length > 0);
  expect([ana, benito].map((each) => each.of("unreachable")[0]?.reason)).toEqual(["relay_never", "no_relay"]);
  expect([wayTo(ana, "benito"), ana.texts(), benito.texts()]).toEqual([undefined, [], []]);
});
