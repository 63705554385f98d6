/**
 * A database that cannot be written: its disk is full, or another program holds its lock. Whoever caused it
 * wants accounts that are half made, people who are thrown out, or a server that answers nobody.
 */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RETRY_TIMEOUT } from "../../../src/server/store/sqlite-store.ts";
import { DEFAULT_LIMITS, NO_LIMIT, type Limits, type Rate } from "../../../src/server/limits/limits.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  registration,
  type Message,
  type TestClient,
} from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";
import { fillDisk, mountSmallDisk } from "../small-disk.ts";

const NEW_PASSWORD = "otra-secreta";
const TIMEOUT = 30_000;

const cleanups = cleanupsForEachTest();

async function start(folder?: string, limits: Partial<Limits> = {}): Promise<TestServer> {
  const server = await TestServer.start({ limits: { ...DEFAULT_LIMITS, ...limits } }, folder);
  cleanups.push(() => server.stop());
  return server;
}

function resumption(login: Message, key: string): Message {
  return { action: "resume", session_token: login["session_token"], p2p_port: 9001, public_key: key };
}

async function leave(client: TestClient): Promise<void> {
  client.close();
  await client.closed;
}

/** Everything that the database holds of people. */
function contents(database: Database): unknown[] {
  return ["users", "tokens", "known_keys", "deleted_names"].map((table) =>
    database.query(`SELECT * FROM ${table} ORDER BY 1, 2`).all(),
  );
}

/** A small file system in memory; undefined where nobody may mount one. */
function smallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "paloma-disk-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  const unmount = mountSmallDisk(path, 1_024);
  if (unmount === undefined) return undefined;
  cleanups.push(unmount);
  return path;
}

describe("a full disk", () => {
  test(
    "a write that fails has one code and changes nothing, who is online goes on, and free space ends the failures",
    async () => {
      const folder = smallDisk();
      if (folder === undefined) return;
      const server = await start(folder);
      const ana = await server.online("ana");
      const beto = await server.online("beto");
      const carla = await server.online("carla");
      await server.addAccounts("dora");
      await leave(carla.client);
      fillDisk(join(folder, "filler"));
      const client = await server.tls();
      // The last page of the log may still take something.
      for (let count = 0; (await client.ask(registration(`relleno${count}`)))["code"] === "ok"; count++);
      const before = contents(server.database);

      expect(await client.ask(registration("tarde"))).toMatchObject({
        action: "register_response",
        code: "internal_error",
      });
      const login = loginOf("dora", { public_key: newPublicKey() });
      expect(await client.ask(login)).toMatchObject({ action: "login_response", code: "internal_error" });
      const change = { action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD };
      expect(await ana.client.ask(change)).toMatchObject({
        action: "change_password_response",
        code: "internal_error",
      });
      const deletion = { action: "delete_account", password: PASSWORD };
      expect(await beto.client.ask(deletion)).toMatchObject({
        action: "delete_account_response",
        code: "internal_error",
      });
      expect(await beto.client.ask({ action: "logout" })).toMatchObject({
        action: "logout_response",
        code: "internal_error",
      });
      expect(contents(server.database)).toEqual(before);

      // Whoever is there is there, and is found; a token lets its owner in; nobody else has come online.
      for (const { client: online } of [ana, beto]) {
        expect(await online.ask({ action: "ping" })).toMatchObject({ action: "pong" });
      }
      expect(await ana.client.ask({ action: "request_p2p", target_user: "beto" })).toMatchObject({
        action: "p2p_info",
      });
      expect(await ana.client.ask({ action: "request_p2p", target_user: "dora" })).toMatchObject({
        code: "user_offline",
      });
      const back = await server.tls();
      expect(await back.ask(resumption(carla.login, carla.key))).toMatchObject({ code: "ok" });

      rmSync(join(folder, "filler"));
      expect(await client.ask(registration("tarde"))).toMatchObject({ code: "ok" });
      expect(await client.ask(login)).toMatchObject({ code: "ok", new_key: true });
      expect(await ana.client.ask(change)).toMatchObject({ code: "ok" });
      expect(await beto.client.ask(deletion)).toMatchObject({ code: "ok" });
      expect(await back.ask({ action: "logout" })).toMatchObject({ code: "ok" });
    },
    TIMEOUT,
  );
});

describe("a database that another program has locked", () => {
  /** Another program, which holds the lock until it is asked to release it. */
  async function lock(server: TestServer): Promise<() => Promise<void>> {
    const script = `
      const { Database } = require("bun:sqlite");
      const database = new Database(process.argv[1]);
      database.run("BEGIN EXCLUSIVE");
      console.log("locked");
      process.stdin.once("data", () => { database.run("COMMIT"); process.exit(0); });`;
    const other = Bun.spawn([process.execPath, "-e", script, join(server.folder, "users.db")], {
      stdin: "pipe",
      stdout: "pipe",
    });
    cleanups.push(() => other.kill());
    expect(new TextDecoder().decode((await other.stdout.getReader().read()).value)).toBe("locked\n");
    return async () => {
      other.stdin.write("go\n");
      await other.stdin.flush();
      await other.exited;
    };
  }

  test(
    "a request that writes waits, all others are served meanwhile, and it is done in the end",
    async () => {
      const server = await start();
      const ana = await server.online("ana");
      await server.addAccounts("beto");
      const release = await lock(server);
      const [beto, carla] = [await server.tls(), await server.tls()];
      beto.send(await beto.proven(loginOf("beto", { public_key: newPublicKey() })));
      carla.send(registration("carla"));
      const change = { action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD };
      ana.client.send(change);
      // Every hash is done by the time this wrong password is answered, so all three wait for the lock.
      const other = await server.tls();
      const wrong = loginOf("beto", { password: "mala" });
      for (let count = 0; count < 4; count++) {
        expect(await other.ask(wrong)).toMatchObject({ code: "invalid_credentials" });
      }
      // A write that blocked the process would let none of these through before it gave up.
      for (let id = 0; id < 20; id++) {
        expect(await other.ask({ action: "ping", id })).toMatchObject({ id });
      }
      expect([...beto.lines, ...carla.lines]).toEqual([]);
      await release();
      expect(await beto.answer()).toMatchObject({ action: "login_response", code: "ok", new_key: true });
      expect(await carla.answer()).toMatchObject({ action: "register_response", code: "ok" });
      expect(await ana.client.answer()).toMatchObject({ action: "change_password_response", code: "ok" });
    },
    TIMEOUT,
  );

  test(
    "a request that waited is charged, counted and recorded once",
    async () => {
      const once: Rate = { burst: 1, perSecond: 0.001 };
      const server = await start(undefined, {
        requestRate: NO_LIMIT,
        sessionRate: once,
        registrationRate: once,
      });
      const ana = await server.online("ana");
      const beto = await server.online("beto");
      await server.addAccounts("carla");
      server.log.length = 0;
      const release = await lock(server);
      const [carla, dora, other] = [await server.tls(), await server.tls(), await server.tls()];
      const login = loginOf("carla", { public_key: newPublicKey() });
      const requests: [TestClient, Message][] = [
        [carla, await carla.proven(login)],
        [dora, registration("dora")],
        [ana.client, { action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD }],
        [beto.client, { action: "delete_account", password: PASSWORD }],
      ];
      for (const [client, request] of requests) client.send(request);
      // The lock lasts for a third of the time for which a step is retried.
      const end = performance.now() + RETRY_TIMEOUT / 3;
      while (performance.now() < end) await other.ask({ action: "ping" });
      await release();
      for (const [client] of requests) expect(await client.answer()).toMatchObject({ code: "ok" });
      const events = server.log.map((line) => (JSON.parse(line) as { event: string }).event);
      for (const event of ["login", "registered", "password_changed", "account_deleted"]) {
        expect(events.filter((each) => each === event)).toEqual([event]);
      }
      expect(server.log.filter((line) => line.includes("rate_limited"))).toEqual([]);

      carla.send({ action: "logout" });
      expect(await carla.answer()).toMatchObject({ code: "ok" });
      expect(await other.ask(login)).toMatchObject({ code: "rate_limited" });
      expect(await other.ask(registration("elena"))).toMatchObject({ code: "rate_limited" });
    },
    TIMEOUT,
  );

  test(
    "a request that waited too long is refused without having changed anything, and works later",
    async () => {
      const server = await start();
      await server.addAccounts("beto");
      const release = await lock(server);
      const before = contents(server.database);
      const [beto, carla] = [await server.tls(), await server.tls()];
      const begun = performance.now();
      const answers = await Promise.all([
        beto.ask(loginOf("beto", { public_key: newPublicKey() })),
        carla.ask(registration("carla")),
      ]);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(RETRY_TIMEOUT);
      expect(answers.map(({ code }) => code)).toEqual(["server_busy", "server_busy"]);
      expect(contents(server.database)).toEqual(before);
      expect(server.server.counts().online).toBe(0);
      await release();
      expect(await beto.ask(loginOf("beto", { public_key: newPublicKey() }))).toMatchObject({ code: "ok" });
      expect(await carla.ask(registration("carla"))).toMatchObject({ code: "ok" });
    },
    TIMEOUT,
  );
});
