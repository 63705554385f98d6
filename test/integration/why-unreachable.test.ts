/** Where no way leads to somebody: the one reason that is told, with a real server. */
import { expect, test } from "bun:test";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { FakeServer } from "./fake-server.ts";
import { Company, until, type PersonOptions } from "./messenger-pair.ts";
import { loginOf, newPublicKey, TestClient } from "./rendezvous-test-client.ts";

const cleanups = cleanupsForEachTest();

/** `pairs` undefined: without a meeting port. */
async function meet(pairs: number | undefined): Promise<Company> {
  const relay = { ...DEFAULT_RELAY_LIMITS, pairs: pairs ?? 0 };
  const meeting = pairs === undefined ? undefined : { port: 0, isAsked: true, hosts: [], relay };
  const company = await Company.meet({ meeting });
  cleanups.push(() => company.close());
  return company;
}

/** Somebody who is online, and whose port nobody listens on. @param saysReach their program knows meetings */
async function absentee(company: Company, name: string, saysReach: boolean): Promise<void> {
  await company.addAccount(name);
  const tls = { ca: company.authority.certificatePem, serverName: RENDEZVOUS_DNS_NAME };
  const client = await TestClient.connect(company.port, { tls });
  cleanups.push(() => client.close());
  const listener = new FakeServer({});
  listener.stop();
  await client.ask(loginOf(name, { p2p_port: listener.port, public_key: newPublicKey() }));
  if (saysReach) await client.ask({ action: "reach", addresses: [], mapped: [], check: false });
}

async function reasonOf(company: Company, options: PersonOptions = {}): Promise<string | undefined> {
  const ana = await company.person("ana", options);
  ana.messenger.outbox.send("benito", "hola");
  await until(() => ana.of("unreachable").length === 1);
  return ana.of("unreachable")[0]?.reason;
}

test.each([
  ["the server has no meeting port", "no_meeting", undefined, true],
  ["their program knows no meetings", "cannot_meet", 256, false],
] as const)("if %s, that is the reason: %s", async (_, reason, pairs, saysReach) => {
  const company = await meet(pairs);
  await absentee(company, "benito", saysReach);
  expect(await reasonOf(company)).toBe(reason);
});

test("if only the relay is used and the server has none, that is the reason", async () => {
  const company = await meet(0);
  const benito = await company.person("benito");
  benito.accept("ana");
  expect(await reasonOf(company, { relay: "only" })).toBe("relay_off");
});
