/** Somebody who was reached before is dialled there while the server is asked where they are. */
import { afterEach, expect, test } from "bun:test";

import { fingerprint } from "../../src/identity/fingerprint.ts";
import { label } from "../../src/identity/names.ts";
import { acceptorContext, dialOptions } from "../../src/net/tls.ts";
import { Company, until, untilQuiet, type Person } from "./messenger-pair.ts";
import { RawPeer } from "./raw-peer.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Ana has written to bob, and their link has ended. */
async function acquainted(): Promise<{ company: Company; ana: Person; bob: Person }> {
  const company = await Company.meetFor(cleanups);
  const ana = await company.person("ana");
  const bob = await company.person("bob");
  ana.messenger.openChat("bob");
  ana.messenger.outbox.send("bob", "first");
  await until(() => ana.received("bob") === 1);
  ana.messenger.closeChat("bob");
  await until(() => ana.of("disconnected").length === 1);
  return { company, ana, bob };
}

/** The server does not hear this person's questions where somebody is before `ask`. */
function holdLookups({ messenger }: Person): { ask(): void } {
  const { link } = messenger.rendezvous;
  if (link === undefined) throw new Error("not online");
  const { promise, resolve } = Promise.withResolvers<void>();
  const request = link.request.bind(link);
  link.request = async (action, ...fields) => {
    if (action === "request_p2p") await promise;
    return request(action, ...fields);
  };
  return { ask: resolve };
}

/** What has become of the dials to bob's last known address. */
function codesAtKnown({ messenger }: Person): (string | undefined)[] {
  return messenger.reach
    .tried(label("bob"))
    .flatMap((step) => (step.way === "direct" && step.kind === "known" ? [step.code] : []));
}

test("a text arrives although the server does not answer", async () => {
  const { ana, bob } = await acquainted();
  holdLookups(ana);
  ana.messenger.outbox.send("bob", "second");
  await until(() => ana.received("bob") === 2);
  expect(bob.texts("ana")).toEqual(["first", "second"]);
  expect(codesAtKnown(ana)).toEqual([undefined]);
});

test("who has moved is found by the server's answer", async () => {
  const { company, ana, bob } = await acquainted();
  await bob.close();
  const moved = await company.person("bob");
  expect(moved.port).not.toBe(bob.port);
  const held = holdLookups(ana);
  ana.messenger.outbox.send("bob", "second");
  await untilQuiet(() => codesAtKnown(ana).length === 1);
  expect(codesAtKnown(ana)).toEqual(["ECONNREFUSED"]);
  expect(ana.of("unreachable")).toEqual([]);
  held.ask();
  await until(() => ana.received("bob") === 2);
  expect(moved.texts("ana")).toEqual(["second"]);
});

test("of two machines with accepted keys the one that the server names gets the text", async () => {
  const { company, ana, bob } = await acquainted();
  const desk = await company.person("bob", { folder: "desk", replaceOther: async () => true });
  const key = { fingerprint: fingerprint(desk.profile.keys.spki), spki: desk.profile.keys.spki };
  ana.profile.contacts.pin(ana.profile.contacts.ensure("bob"), key, Date.now());
  const before = bob.texts("ana");
  ana.messenger.outbox.send("bob", "second");
  await until(() => ana.received("bob") === 2);
  expect(desk.texts("ana")).toEqual(["second"]);
  expect(bob.texts("ana")).toEqual(before);
});

test("another key at the known address gets nothing before the server has said whose it is", async () => {
  const { company, ana, bob } = await acquainted();
  const { port } = bob;
  await bob.close();
  const other = company.identity("bob");
  const heard = new RawPeer(other);
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port,
    tls: dialOptions(acceptorContext(other, company.authority.certificatePem)),
    socket: heard.handlers,
  });
  cleanups.push(() => listener.stop(true));
  const held = holdLookups(ana);
  ana.messenger.outbox.send("bob", "secret");
  await untilQuiet(() => codesAtKnown(ana).length === 1);
  expect(codesAtKnown(ana)).toEqual(["key_notNow"]);
  expect(ana.of("keyPending")).toEqual([]);
  expect(ana.profile.contacts.pendingKey(ana.profile.contacts.ensure("bob"))).toBeUndefined();
  held.ask();
  await until(() => ana.of("unreachable").length === 1);
  expect(ana.of("unreachable")[0]).toMatchObject({ reason: "offline" });
  await heard.closed;
  expect(heard.received).toEqual([]);
});
