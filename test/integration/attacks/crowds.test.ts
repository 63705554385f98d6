/**
 * Many connections at once, from one or several addresses. The attacker wants every place of the server, all its
 * hashes, or a list of everybody, and to keep other people waiting.
 */
import { describe, expect, test } from "bun:test";

import { descriptorLimit } from "../../../src/net/descriptors.ts";
import { DEFAULT_LIMITS, NO_LIMIT, type Limits } from "../../../src/server/limits/limits.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import type { RendezvousOptions } from "../../../src/server/rendezvous-server.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  registration,
  TestClient,
  type Message,
} from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";

const TIMEOUT = 30_000;
const ATTACKERS = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
/** Both ends of each connection are in this process, which needs some for itself. */
const CROWD = Math.min(5_000, Math.floor((descriptorLimit() - 400) / 2));
const AT_ONCE = 250;

const cleanups = cleanupsForEachTest();

class CountingMetrics extends Metrics {
  hashes = 0;

  override hash(waited: number, took: number): void {
    this.hashes++;
    super.hash(waited, took);
  }
}

type Options = Partial<Omit<RendezvousOptions, "limits">> & { limits?: Partial<Limits> };

/** With a clock that stands still, so that what is counted does not depend on how quick this machine is. */
async function start({ limits = {}, ...more }: Options = {}) {
  const metrics = new CountingMetrics();
  const server = await TestServer.start({
    clock: () => 0,
    metrics,
    ...more,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  cleanups.push(() => server.stop());
  const from = async (address: string): Promise<TestClient> => {
    const client = await TestClient.connect(server.plainPort, { from: address });
    cleanups.push(() => client.close());
    return client;
  };
  return { server, metrics, from };
}

/** Connections that never say anything, by turns to both ports and from each of these addresses. */
async function silentCrowd(server: TestServer, addresses: readonly string[]): Promise<TestClient[]> {
  const crowd: TestClient[] = [];
  for (let count = 0; count < CROWD; count += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, CROWD - count) }, (_, index) =>
      TestClient.connect(index % 2 === 0 ? server.plainPort : server.tlsPort, {
        from: addresses[Math.floor(index / 2) % addresses.length] as string,
      }).catch(() => undefined),
    );
    for (const client of await Promise.all(some)) if (client !== undefined) crowd.push(client);
  }
  cleanups.push(() => {
    for (const client of crowd) client.close();
  });
  return crowd;
}

/** The person everybody else is here for: in at the first attempt, online, and found. */
async function logsIn(server: TestServer, client: TestClient): Promise<void> {
  await server.addAccounts("ana");
  expect(await client.ask(loginOf("ana", { lang: "es" }))).toMatchObject({ code: "ok" });
  expect(await client.ask({ action: "get_users" })).toMatchObject({ success: true });
}

describe("5,000 silent connections", () => {
  test(
    "under the default limits they take the places of those not logged in, and a person gets one all the same",
    async () => {
      const { server, from } = await start();
      const logged = server.log.length;
      await silentCrowd(server, ATTACKERS);
      const { plain, tls } = server.server.counts();
      expect(plain + tls).toBeLessThanOrEqual(DEFAULT_LIMITS.anonymous + 100);
      await logsIn(server, await from("127.0.0.9"));
      // A word about the crowd, not one about each of it: the log is a disk that can be filled, too.
      expect(server.log.length - logged).toBeLessThan(20);
    },
    TIMEOUT,
  );

  test(
    "where all of them are admitted, a person is served as if alone",
    async () => {
      const limits = {
        connections: 20_000,
        connectionsPerAddress: 20_000,
        anonymous: 20_000,
        connectionRate: NO_LIMIT,
      };
      const { server, from } = await start({ limits });
      const crowd = await silentCrowd(server, ATTACKERS);
      expect(crowd).toHaveLength(CROWD);
      const ana = await from("127.0.0.9");
      await logsIn(server, ana);
      const { plain, tls } = server.server.counts();
      expect(plain + tls).toBe(CROWD + 1);
      for (let id = 0; id < 200; id++) expect(await ana.ask({ action: "ping", id })).toMatchObject({ id });
      expect(await ana.ask({ action: "logout" })).toMatchObject({ code: "ok" });
      await ana.closed;
      expect(server.server.counts().online).toBe(0);
    },
    TIMEOUT,
  );
});

function codesOf(answers: readonly Message[]): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const { code } of answers) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}

test("a login storm costs at most the hashes of the limit, over however many connections and spellings of names", async () => {
  const { server, metrics, from } = await start({ limits: { loginRate: { burst: 20, perSecond: 1 } } });
  await server.addAccounts("ana", "víctima");
  const clients = await Promise.all(Array.from({ length: 10 }, () => from("127.0.0.2")));
  const twins = ["víctima", "VÍCTIMA", "víctima".normalize("NFD"), "nadie", "Nadie", "constructor"];
  const answers = await Promise.all(
    clients.flatMap((client, number) => {
      const storm = twins.map((name) => loginOf(name, { password: `intento ${number}`, id: number }));
      client.send(...storm);
      return storm.map(() => client.next());
    }),
  );
  expect(metrics.hashes).toBe(20);
  expect(codesOf(answers)).toEqual(
    new Map([
      ["invalid_credentials", 20],
      ["rate_limited", 40],
    ]),
  );
  for (const { code, retry_after } of answers)
    if (code === "rate_limited") expect(retry_after).toBeGreaterThanOrEqual(1);
  // Neither the targeted account nor any other is locked out.
  for (const name of ["víctima", "ana"]) {
    expect(await (await from("127.0.0.9")).ask(loginOf(name))).toMatchObject({ code: "ok" });
  }
});

test("guesses from many addresses at one account do not lock out its owner, who logs in from a known address", async () => {
  const limits = {
    failureRate: { burst: 3, perSecond: 0.01 },
    failureRatePerAccount: { burst: 2, perSecond: 0.01 },
  };
  const { server, from, metrics } = await start({ limits });
  await server.addAccounts("víctima");
  const owner = await from("127.0.0.9");
  expect(await owner.ask(loginOf("víctima"))).toMatchObject({ code: "ok" });
  owner.close();
  await owner.closed;
  const before = metrics.hashes;
  for (const address of ATTACKERS) {
    const client = await from(address);
    for (let count = 0; count < 8; count++)
      await client.ask(loginOf("víctima", { password: `intento ${count}` }));
  }
  expect(metrics.hashes - before).toBeLessThanOrEqual(ATTACKERS.length * 3 + 2);
  expect(await (await from("127.0.0.9")).ask(loginOf("víctima"))).toMatchObject({ code: "ok" });
});

test("a registration flood makes the accounts of its limit and no more, and others register", async () => {
  const limits = { registrationRate: { burst: 10, perSecond: 0.1 } };
  const { server, metrics, from } = await start({ limits });
  const clients = await Promise.all(Array.from({ length: 10 }, () => from("127.0.0.2")));
  const answers = await Promise.all(
    clients.flatMap((client, number) => {
      const flood = Array.from({ length: 10 }, (_, index) => registration(`ola-${number}-${index}`));
      client.send(...flood);
      return flood.map(() => client.next());
    }),
  );
  expect(codesOf(answers)).toEqual(
    new Map([
      ["ok", 10],
      ["rate_limited", 90],
    ]),
  );
  expect(metrics.hashes).toBe(10);
  expect(server.database.query("SELECT count(*) AS n FROM users").get()).toEqual({ n: 10 });
  expect(await (await from("127.0.0.9")).ask(registration("ana"))).toMatchObject({ code: "ok" });
});

test("lookups of every name end at the limit, whatever the request and however often the client logs in again", async () => {
  const { server, from } = await start();
  const key = newPublicKey();
  await server.addAccounts("curioso", "ana", "beto");
  let client = await server.tls({ from: "127.0.0.2" });
  const login = await client.ask(loginOf("curioso", { public_key: key }));
  let answered = 0;
  const again = { action: "resume", session_token: login["session_token"], p2p_port: 9001, public_key: key };
  const inARound = 600;
  for (let round = 0; round < DEFAULT_LIMITS.lookupRate.burst / inARound + 1; round++) {
    const requests: Message[] = Array.from({ length: inARound }, (_, index) =>
      index % 3 === 0
        ? { action: "get_users", limit: 50, id: index }
        : index % 3 === 1
          ? { action: "watch", users: [`nombre${index}`], id: index }
          : { action: "request_p2p", target_user: `nombre${index}`, id: index },
    );
    client.send(...requests);
    for (let count = 0; count < requests.length; count++) {
      const { code } = await client.next();
      if (code !== "rate_limited") answered++;
    }
    client.close();
    await client.closed;
    client = await server.tls({ from: "127.0.0.2" });
    expect(await client.ask(again)).toMatchObject({ code: "ok" });
  }
  expect(answered).toBe(DEFAULT_LIMITS.lookupRate.burst);
  const [ana, beto] = [await from("127.0.0.9"), await from("127.0.0.10")];
  expect(await beto.ask(loginOf("beto"))).toMatchObject({ code: "ok" });
  expect(await ana.ask(loginOf("ana", { password: PASSWORD }))).toMatchObject({ code: "ok" });
  expect(await ana.ask({ action: "request_p2p", target_user: "beto" })).toMatchObject({ action: "p2p_info" });
});

test("a client that asks without end and reads every answer keeps nobody waiting", async () => {
  const { metrics, from } = await start();
  const [flood, person] = [await from("127.0.0.2"), await from("127.0.0.9")];
  const flooded = 2_000;
  flood.write("{}".repeat(flooded));
  expect(await person.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  // Had they been worked on as they came, all of them would have been first.
  expect(metrics.requests("none", "bad_request")).toBeLessThan(flooded);
  for (let count = 0; count < flooded; count++) expect((await flood.next())["code"]).toBe("bad_request");
});
