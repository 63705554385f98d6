/** What users notice when PostgreSQL is stopped, crashes, or does not answer, and how soon it is over. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";

import { recheck } from "../../src/server/session/recheck.ts";
import { OWN_TIMEOUT } from "../../src/server/store/postgres-pool.ts";
import { PostgresStore } from "../../src/server/store/postgres-store.ts";
import { cleanupsForEachTest } from "../integration/cleanups-for-each-test.ts";
import {
  loginOf,
  newPublicKey,
  registration,
  type Message,
  type TestClient,
} from "../integration/rendezvous-test-client.ts";
import { skipped, startPostgres, whyNoPostgres } from "./engines.ts";
import { PostgresServer } from "./postgres-server.ts";

const noPostgres = whyNoPostgres();
const cleanups = cleanupsForEachTest();

describe.skipIf(noPostgres !== undefined)(`with PostgreSQL as the store${skipped(noPostgres)}`, () => {
  let engine: Awaited<ReturnType<typeof startPostgres>>;
  let url: string;
  let server: PostgresServer;
  let names = 0;
  const newName = () => `persona${++names}`;

  beforeAll(async () => {
    engine = await startPostgres();
    url = engine.url("postgres");
  });
  afterAll(() => engine.remove());
  beforeEach(async () => {
    server = await PostgresServer.start(url);
    cleanups.push(() => server.stop());
  });

  type Requests = { readonly resume: Message; readonly login: Message };

  /** Requests of people who have accounts and are offline. */
  async function peopleAway(): Promise<Requests> {
    const away = newName();
    const { client, login, key } = await server.online(away);
    client.close();
    await client.closed;
    const other = newName();
    await server.add(other);
    return {
      resume: { action: "resume", session_token: login["session_token"], p2p_port: 1, public_key: key },
      login: loginOf(other, { public_key: newPublicKey() }),
    };
  }

  /** The codes of a registration, a login and a resume, asked for at once. */
  async function codes({ resume, login }: Requests): Promise<unknown[]> {
    const ask = async (request: Message) => {
      const client = await server.tls();
      const answer = await client.ask(request);
      client.close();
      return answer["code"];
    };
    return Promise.all([registration(newName()), login, resume].map(ask));
  }

  /** Who is online looks somebody up, and is there still. */
  async function expectService(client: TestClient, target: string): Promise<void> {
    expect(await client.ask({ action: "request_p2p", target_user: target })).toMatchObject({
      action: "p2p_info",
    });
    expect(await client.ask({ action: "revocations" })).toMatchObject({ code: "ok" });
  }

  async function untilAllIsWell(requests: Requests): Promise<void> {
    for (;;) {
      const found = await codes(requests);
      // The login or the resume of an earlier round has just ended.
      if (found.every((code) => code === "ok" || code === "already_connected")) return;
      expect(found.filter((code) => code !== "server_busy" && code !== "ok")).toEqual([]);
    }
  }

  test.each([
    ["is stopped", () => engine.stop()],
    ["crashes", () => engine.kill()],
  ])(
    "while it %s register, login and resume are server_busy, and everything else goes on",
    async (_how, end) => {
      const [ana, berta] = [newName(), newName()];
      const { client } = await server.online(ana);
      await server.online(berta);
      const requests = await peopleAway();
      await end();
      expect(await codes(requests)).toEqual(["server_busy", "server_busy", "server_busy"]);
      // Many such requests make few lines, which name the reason and no secret.
      const told = server.log.filter((line) => line.includes("store_busy"));
      expect(told).toHaveLength(1);
      expect(JSON.parse(told[0] ?? "")).toMatchObject({
        error: expect.stringMatching(/^(ERR_POSTGRES_|57P0)/),
      });
      expect(server.server.services.metrics.refusedByStore).toBe(3);
      await expectService(client, berta);
      expect(server.server.counts().online).toBe(2);
      await expect(server.server.services.store.check()).rejects.toThrow();
      await engine.start();
      await untilAllIsWell(requests);
      await server.server.services.store.check();
      expect(server.log.join("")).not.toContain("internal_error");
    },
  );

  test("while it does not answer requests are server_busy in time, and soon after it does they succeed", async () => {
    const [ana, berta] = [newName(), newName()];
    const { client } = await server.online(ana);
    await server.online(berta);
    const requests = await peopleAway();
    engine.pause();
    try {
      const begun = performance.now();
      const answers = codes(requests);
      await expectService(client, berta);
      expect(await answers).toEqual(["server_busy", "server_busy", "server_busy"]);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(OWN_TIMEOUT);
      expect(server.log.join("")).toContain("replaced");
    } finally {
      engine.resume();
    }
    await untilAllIsWell(requests);
    expect(server.log.join("")).not.toContain("internal_error");
  });

  test("a connection that was ended costs a read nothing", async () => {
    const name = newName();
    await server.add(name);
    const { store } = server.server.services;
    await using sql = new Bun.SQL(url, { max: 1 });
    for (let round = 0; round < 5; round++) {
      await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'paloma-server' AND pid <> pg_backend_pid()`;
      expect(await store.account(name)).toBeDefined();
    }
  });

  test("a server that takes no writes is not ready, and lets in who has a token", async () => {
    const requests = await peopleAway();
    const { store } = server.server.services;
    await using sql = new Bun.SQL(url, { max: 1 });
    await sql.unsafe("ALTER DATABASE postgres SET default_transaction_read_only = on");
    await sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'paloma-server' AND pid <> pg_backend_pid()`;
    try {
      await expect(store.check()).rejects.toMatchObject({ code: "25006" });
      expect(await codes(requests)).toEqual(["server_busy", "server_busy", "ok"]);
    } finally {
      await sql.unsafe(
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only",
      );
    }
  });

  test("what another one changed without telling is noticed: who is disabled, deleted or revoked is ended", async () => {
    const [ana, berta, carla, dora] = [newName(), newName(), newName(), newName()];
    const sessions = [await server.online(ana), await server.online(berta), await server.online(carla)];
    const { client: stays } = await server.online(dora);
    const other = await PostgresStore.open(url, { now: Date.now });
    const idOf = async (name: string) => (await other.account(name))?.account.id ?? 0;
    await other.setDisabled(await idOf(ana), true);
    await other.delete(await idOf(berta), undefined, { name: "operator" });
    const [token] = await other.tokens([await idOf(carla)]);
    await other.revoke(await idOf(carla), [token?.hash ?? ""]);
    await other.close();
    await recheck(server.server.services);
    for (const { client } of sessions) await client.closed;
    expect([ana, berta, carla, dora].map((name) => server.isOnline(name))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(await stays.next()).toMatchObject({ action: "revoked", revoked: { length: 3 } });
  });

  test("two servers that start at once on an empty database share one authority", async () => {
    await using sql = new Bun.SQL(url, { max: 1 });
    await sql.unsafe("CREATE DATABASE empty");
    const opened = await Promise.all(
      Array.from({ length: 4 }, () => PostgresStore.open(engine.url("empty"), { now: Date.now })),
    );
    expect(new Set(opened.map(({ authority }) => authority.certificate)).size).toBe(1);
    for (const store of opened) await store.close();
  });

  test("a database of another program, or of a later version, is left alone", async () => {
    await using sql = new Bun.SQL(url, { max: 1 });
    await sql.unsafe("CREATE DATABASE foreign_one");
    const foreign = engine.url("foreign_one");
    await using inside = new Bun.SQL(foreign, { max: 1 });
    await inside.unsafe("CREATE TABLE users (id int)");
    await expect(PostgresStore.open(foreign, { now: Date.now })).rejects.toThrow("not_ours");
    await inside.unsafe("DROP TABLE users");
    await (await PostgresStore.open(foreign, { now: Date.now })).close();
    await inside.unsafe("UPDATE meta SET schema_version = 99");
    await expect(PostgresStore.open(foreign, { now: Date.now })).rejects.toThrow("newer_database");
  });
});
