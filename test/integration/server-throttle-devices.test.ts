/** What one account and its devices have for themselves, over real connections: loopback's addresses are strangers. */
import { afterEach, expect, test } from "bun:test";

import { DEFAULT_LIMITS, type Limits } from "../../src/server/limits/limits.ts";
import { loginOf, newPublicKey, type Message } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

const HERE = "127.0.0.1";
const THERE = "127.0.0.2";

const started: TestServer[] = [];
afterEach(() => Promise.all(started.splice(0).map((server) => server.stop())));

async function start(limits: Partial<Limits>): Promise<TestServer> {
  const server = await TestServer.start({ limits: { ...DEFAULT_LIMITS, ...limits } });
  started.push(server);
  return server;
}

function wrongLogin(name: string, more: Message = {}): Message {
  return loginOf(name, { password: "equivocada", ...more });
}

test("guesses at a name from the same address do not shut out the device that it was used with", async () => {
  const server = await start({
    failureRate: { burst: 2, perSecond: 0.001 },
    failureRatePerAddress: { burst: 2, perSecond: 0.001 },
  });
  await server.addAccounts("ana");
  const key = newPublicKey();
  const elsewhere = await server.tls({ from: THERE });
  expect(await elsewhere.ask(loginOf("ana", { public_key: key }))).toMatchObject({ code: "ok" });
  const guesser = await server.tls();
  for (const code of ["invalid_credentials", "invalid_credentials", "rate_limited"]) {
    expect(await guesser.ask(wrongLogin("ana"))).toMatchObject({ code });
  }
  // A key that the account was never used with is nothing of its own.
  const other = { public_key: newPublicKey() };
  expect(await guesser.ask(wrongLogin("ana", other))).toMatchObject({ code: "rate_limited" });
  const owner = await server.tls();
  expect(await owner.ask(wrongLogin("ana", { public_key: key }))).toMatchObject({
    code: "invalid_credentials",
  });
  expect(await owner.ask(loginOf("ana", { public_key: key }))).toMatchObject({ code: "ok" });
});

test("repeated logins to an account that is online elsewhere do not fill the log", async () => {
  const server = await start({ failureRatePerAddress: { burst: 3, perSecond: 0.001 } });
  await server.online("ana");
  const flood = await server.tls();
  const again = loginOf("ana", { public_key: newPublicKey() });
  const codes: unknown[] = [];
  for (let count = 0; count < 8; count++) codes.push((await flood.ask(again))["code"]);
  expect(codes).toEqual([
    ...Array<string>(3).fill("already_connected"),
    ...Array<string>(5).fill("rate_limited"),
  ]);
  expect(server.log.filter((line) => line.includes("already_connected"))).toHaveLength(3);
});

test("past an account's session rate a login is told to wait, and writes nothing", async () => {
  const server = await start({ sessionRate: { burst: 3, perSecond: 0.01 } });
  const { client, login, key } = await server.online("ana");
  client.close();
  const resumption = {
    action: "resume",
    session_token: login["session_token"],
    public_key: key,
    p2p_port: 9001,
  };
  const sessions = [THERE, HERE, THERE].map(async (from) => (await server.tls({ from })).ask(resumption));
  const codes = (await Promise.all(sessions)).map(({ code }) => code);
  expect(codes.toSorted()).toEqual(["ok", "ok", "rate_limited"]);
  expect(server.log.filter((line) => line.includes('"event":"resumed"'))).toHaveLength(2);
  await server.addAccounts("beto");
  expect(await (await server.tls()).ask(loginOf("beto"))).toMatchObject({ code: "ok" });
});

test("a name that does not exist is limited as one with an unknown device is, whatever key is shown", async () => {
  const server = await start({ failureRate: { burst: 2, perSecond: 0.001 } });
  const { key } = await server.online("ana");
  const guesser = await server.tls({ from: THERE });
  for (const name of ["ana", "nadie"]) {
    const codes: unknown[] = [];
    for (const shown of [newPublicKey(), newPublicKey(), newPublicKey()]) {
      codes.push((await guesser.ask(wrongLogin(name, { public_key: shown })))["code"]);
    }
    expect(codes).toEqual(["invalid_credentials", "invalid_credentials", "rate_limited"]);
  }
  expect(await guesser.ask(wrongLogin("nadie", { public_key: key }))).toMatchObject({ code: "rate_limited" });
});
