/** What the server lets through, over real connections: loopback's addresses are as many strangers. */
import { afterEach, describe, expect, test } from "bun:test";

import { DEFAULT_LIMITS, NO_LIMIT, type Limits } from "../../src/server/limits/limits.ts";
import { HASHES_AT_ONCE } from "../../src/server/limits/password-queue.ts";
import type { RendezvousOptions } from "../../src/server/rendezvous-server.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  registration,
  TestClient,
  type Message,
} from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

const HERE = "127.0.0.1";
const THERE = "127.0.0.2";

const started: TestServer[] = [];
afterEach(() => Promise.all(started.splice(0).map((server) => server.stop())));

/** Its clock stands still unless a test moves it, so that no wait gets shorter on a slow machine. */
async function start(limits: Partial<Limits>, more: Partial<RendezvousOptions> = {}): Promise<TestServer> {
  const server = await TestServer.start({
    limits: { ...DEFAULT_LIMITS, ...limits },
    clock: () => 0,
    ...more,
  });
  started.push(server);
  return server;
}

function wrongLogin(name: string, more: Message = {}): Message {
  return loginOf(name, { password: "equivocada", ...more });
}

describe("passwords", () => {
  test("ten failed logins in a row cost nothing: the right one passes at once", async () => {
    const server = await start({});
    await server.addAccounts("ana");
    const client = await server.tls();
    for (let count = 0; count < 10; count++) {
      expect(await client.ask(wrongLogin("ana"))).toMatchObject({ code: "invalid_credentials" });
    }
    expect(await client.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
  });

  test("somebody who keeps guessing is limited, whether the name exists or not; others are not", async () => {
    const server = await start({ failureRate: { burst: 2, perSecond: 0.01 } });
    await server.addAccounts("ana");
    const stranger = await server.tls();
    for (const name of ["ana", "nadie"]) {
      const answers: Message[] = [];
      for (let count = 0; count < 4; count++) {
        answers.push(await stranger.ask(wrongLogin(name.toUpperCase(), { id: 1 })));
      }
      expect(answers.map((answer) => answer["code"])).toEqual([
        "invalid_credentials",
        "invalid_credentials",
        "rate_limited",
        "rate_limited",
      ]);
      expect(answers[3]).toMatchObject({ action: "login_response", success: false, retry_after: 100, id: 1 });
    }
    const owner = await server.tls({ from: THERE });
    expect(await owner.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
    const lines = server.log.filter((line) => line.includes('"event":"rate_limited"'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ address: HERE, what: "password", count: 1 });
    await server.stop();
    const rest = server.log.filter((line) => line.includes('"event":"rate_limited"')).slice(1);
    expect(rest.map((line) => JSON.parse(line) as Message)).toMatchObject([{ address: HERE, count: 3 }]);
  });

  test("during a login storm from one address, another address logs in soon", async () => {
    const server = await start({ waitingHashes: 12, failureRate: NO_LIMIT, loginRate: NO_LIMIT });
    await server.addAccounts("ana");
    const storm = await Promise.all(Array.from({ length: 30 }, () => server.plain()));
    const answered: string[] = [];
    let isOver = false;
    const floods = storm.map(async (client, index) => {
      while (!isOver) {
        const { code } = await client.ask(wrongLogin(`nadie${index}`));
        answered.push(String(code));
        // Those that wait are enough of a storm.
        if (code === "server_busy") return;
      }
    });
    while (!answered.includes("server_busy")) await new Promise((resolve) => setImmediate(resolve));
    const owner = await server.tls({ from: THERE });
    expect(await owner.ask({ action: "ping" })).toMatchObject({ code: "ok" });
    const before = answered.filter((code) => code === "invalid_credentials").length;
    expect(await owner.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
    const meanwhile = answered.filter((code) => code === "invalid_credentials").length - before;
    isOver = true;
    await Promise.all(floods);
    // Those under way, and one turn of the storm; not all that wait.
    expect(meanwhile).toBeLessThanOrEqual(2 * HASHES_AT_ONCE + 2);
  }, 30_000);

  test("limited passwords leave a session's token alone; wrong tokens are limited too, a right one never", async () => {
    const server = await start({
      failureRate: { burst: 1, perSecond: 0.001 },
      failureRatePerAddress: { burst: 3, perSecond: 0.001 },
    });
    const { client, login, key } = await server.online("ana");
    const resumption = (token: unknown) => ({
      action: "resume",
      session_token: token,
      p2p_port: 9001,
      public_key: key,
    });
    const stranger = await server.tls();
    const forged = resumption("A".repeat(43));
    const codes: unknown[] = [];
    for (let count = 0; count < 4; count++) codes.push((await stranger.ask(forged))["code"]);
    expect(codes).toEqual([...Array<string>(3).fill("invalid_credentials"), "rate_limited"]);
    // Nobody's password at that address has to do with it.
    expect(await stranger.ask(wrongLogin("beto"))).toMatchObject({ code: "invalid_credentials" });
    client.close();
    expect(await stranger.ask(resumption(login["session_token"]))).toMatchObject({ code: "ok" });
  });

  test("changes of password and deletions count as guesses too", async () => {
    const server = await start({ failureRate: { burst: 2, perSecond: 0.01 } });
    const { client } = await server.online("ana");
    const change = { action: "change_password", password: "equivocada", new_password: PASSWORD };
    const deletion = { action: "delete_account", password: "equivocada" };
    expect(await client.ask(change)).toMatchObject({ code: "invalid_credentials" });
    expect(await client.ask(deletion)).toMatchObject({ code: "invalid_credentials" });
    expect(await client.ask(deletion)).toMatchObject({
      action: "delete_account_response",
      code: "rate_limited",
      retry_after: 100,
    });
  });
});

describe("registrations and lookups", () => {
  test("a flood of registrations is limited; a legacy client is told in the original form", async () => {
    const server = await start({ registrationRate: { burst: 2, perSecond: 0.1 } });
    const flood = await server.tls();
    expect(await flood.ask(registration("uno11"))).toMatchObject({ code: "ok" });
    expect(await flood.ask(registration("uno11"))).toMatchObject({ code: "username_taken" });
    expect(await flood.ask(registration("dos22"))).toMatchObject({ code: "ok" });
    for (const name of ["tres3", "uno11"]) {
      expect(await flood.ask({ ...registration(name), id: 7 })).toMatchObject({
        action: "register_response",
        success: false,
        code: "rate_limited",
        retry_after: 10,
        id: 7,
      });
    }
    const legacy = await server.plain();
    legacy.send(registration("cuatro"));
    const answer = await legacy.answer();
    expect(Object.keys(answer)).toEqual(["action", "success", "code", "message"]);
    expect(answer).toMatchObject({ action: "register_response", success: false, code: "rate_limited" });
    const other = await server.plain({ from: THERE });
    expect(await other.ask(registration("cinco"))).toMatchObject({ code: "ok" });
  });

  test("registrations from all addresses together are limited, and one address that is limited takes nothing from them", async () => {
    const server = await start({
      registrationRate: { burst: 1, perSecond: 0.001 },
      registrationRateTotal: { burst: 3, perSecond: 0.1 },
    });
    const register = async (name: string, from: string) => {
      const client = await server.tls({ from });
      return client.ask({ ...registration(name), id: 1 });
    };
    expect(await register("uno11", HERE)).toMatchObject({ code: "ok" });
    for (let count = 0; count < 5; count++) {
      expect(await register("dos22", HERE)).toMatchObject({ code: "rate_limited", retry_after: 1_000 });
    }
    expect(await register("dos22", THERE)).toMatchObject({ code: "ok" });
    expect(await register("tres3", "127.0.0.3")).toMatchObject({ code: "ok" });
    expect(await register("cuatro", "127.0.0.4")).toMatchObject({
      action: "register_response",
      success: false,
      code: "rate_limited",
      retry_after: 10,
    });
  });

  test("when registration is closed, it is refused with that reason and nothing is hashed", async () => {
    const server = await start({}, { registration: "closed" });
    const client = await server.tls();
    expect(await client.ask({ action: "ping" })).toMatchObject({ registration: "closed" });
    expect(await client.ask(registration("ana"))).toMatchObject({
      action: "register_response",
      success: false,
      code: "registration_closed",
    });
    expect(server.server.services.passwords.running).toBe(0);
  });

  test("lookups of every name are limited, and other users go on", async () => {
    const server = await start({ lookupRate: { burst: 20, perSecond: 0.1 } });
    const { client } = await server.online("curiosa");
    const other = await server.online("otra");
    for (let count = 0; count < 20; count++) {
      const answer = await client.ask({ action: "request_p2p", target_user: `nombre${count}`, id: count });
      expect(answer).toMatchObject({ code: "user_offline" });
    }
    const limited = { success: false, code: "rate_limited", retry_after: 10 };
    expect(await client.ask({ action: "request_p2p", target_user: "otra" })).toMatchObject({
      action: "error",
      request: "request_p2p",
      ...limited,
    });
    expect(await client.ask({ action: "get_users" })).toMatchObject({ success: false, code: "rate_limited" });
    expect(await client.ask({ action: "watch", users: ["otra"] })).toMatchObject(limited);
    expect(await client.ask({ action: "ping" })).toMatchObject({ code: "ok" });
    expect(await other.client.ask({ action: "request_p2p", target_user: "curiosa" })).toMatchObject({
      code: "ok",
    });
  });
});

describe("connections", () => {
  test("past the rate a connection is told when to come again, encrypted too, and another address passes", async () => {
    let now = 0;
    const server = await start({ connectionRate: { burst: 1, perSecond: 0.2 } }, { clock: () => now });
    expect(await (await server.tls()).ask({ action: "ping" })).toMatchObject({ code: "ok" });
    for (const late of [await server.tls(), await server.plain()]) {
      expect(await late.answer()).toMatchObject({ action: "error", code: "rate_limited", retry_after: 5 });
      await late.closed;
    }
    expect(await (await server.tls({ from: THERE })).ask({ action: "ping" })).toMatchObject({ code: "ok" });
    now = 5_000;
    expect(await (await server.tls()).ask({ action: "ping" })).toMatchObject({ code: "ok" });
  });

  test("past the places of one address a connection is refused; logging in frees none", async () => {
    const server = await start({ connectionsPerAddress: 2 });
    const { client } = await server.online("ana");
    await server.plain();
    const third = await server.tls();
    expect(await third.answer()).toMatchObject({ action: "error", code: "server_busy" });
    await third.closed;
    expect(await (await server.tls({ from: THERE })).ask({ action: "ping" })).toMatchObject({ code: "ok" });
    client.close();
    await client.closed;
    // The server hears of it when its next event comes.
    let answer: Message | undefined;
    while (answer?.["code"] !== "ok") {
      const again = await server.plain();
      again.send({ action: "ping" });
      answer = await again.answer();
    }
  });

  test("one address that takes every place of those not logged in never keeps others out", async () => {
    const server = await start({ anonymous: 50 }, { clock: () => 0 });
    const crowd: TestClient[] = [];
    for (let count = 0; count < 50; count++) crowd.push(await server.plain());
    for (let count = 0; count < 10; count++) {
      const person = await server.tls({ from: THERE });
      expect(await person.ask({ action: "ping" })).toMatchObject({ code: "ok" });
    }
    expect(await (crowd[0] as TestClient).answer()).toMatchObject({ code: "server_busy" });
    const more = await server.plain();
    expect(await more.answer()).toMatchObject({ code: "server_busy" });
  });

  test("a hundred connections at once from one address with tokens that are void are all answered, under the limits as they are", async () => {
    const server = await start({});
    const clients = await Promise.all(Array.from({ length: 100 }, () => server.tls()));
    const answers = await Promise.all(
      clients.map((client) =>
        client.ask({ action: "resume", session_token: "x", p2p_port: 1, public_key: newPublicKey() }),
      ),
    );
    expect(new Set(answers.map((answer) => answer["code"]))).toEqual(new Set(["invalid_credentials"]));
  });
});
