/**
 * The server's clock jumps, because a battery is empty or somebody lies to the machine about the time. Who
 * caused it wants a stolen token to live again, a certificate that lasts for years, a deleted name while its
 * certificates are still good, or everybody shut out.
 */
import { afterEach, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";

import { DELETED_NAME_PERIOD, TOKEN_LIFETIME } from "../../../src/server/store/store.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  registration,
  type Message,
  type TestClient,
} from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const NOON = Date.parse("2026-07-01T12:00:00Z");
const JUMPS = [10 * YEAR, DAY, HOUR, -HOUR, -DAY, -10 * YEAR];

/** What the server takes for the time, in ms since 1970. */
let now = NOON;
let server: TestServer;

afterEach(() => server.stop());

async function start(): Promise<void> {
  now = NOON;
  server = await TestServer.start({ now: () => now });
}

/** Unverified, as this process's own clock would refuse certificates of other times. */
async function online(name: string, key = newPublicKey()): Promise<Session> {
  await server.addAccounts(name);
  const client = await server.tls({ unverified: true });
  const login = await client.ask(loginOf(name, { public_key: key }));
  expect(login).toMatchObject({ code: "ok" });
  return { client, login, key };
}

type Session = { client: TestClient; login: Message; key: string };

async function resume({ login, key }: Session): Promise<Message> {
  const client = await server.tls({ unverified: true });
  const token = login["session_token"];
  const answer = await client.ask({
    action: "resume",
    session_token: token,
    p2p_port: 9001,
    public_key: key,
  });
  client.close();
  await client.closed;
  return answer;
}

async function leave({ client }: Session): Promise<void> {
  client.close();
  await client.closed;
}

test("users who are online stay, are found and are served, whichever way the clock jumps", async () => {
  await start();
  const [ana, beto] = [await online("ana"), await online("beto")];
  for (const jump of [0, ...JUMPS]) {
    now = NOON + jump;
    server.server.checkLiveness(performance.now());
    expect(await ana.client.ask({ action: "request_p2p", target_user: "beto" })).toMatchObject({
      action: "p2p_info",
    });
    expect(await beto.client.ask({ action: "get_users" })).toMatchObject({ users: [{ username: "ana" }] });
    const password = { action: "change_password", password: PASSWORD, new_password: PASSWORD };
    expect(await ana.client.ask(password)).toMatchObject({ code: "ok" });
  }
});

test("a password is accepted at any time, with a certificate of three days from then", async () => {
  await start();
  for (const [index, jump] of [0, ...JUMPS].entries()) {
    now = NOON + jump;
    const session = await online(`persona${index}`);
    const certificate = new X509Certificate(session.login["certificate"] as string);
    expect(certificate.validToDate.getTime()).toBeWithin(now + 3 * DAY - 1_000, now + 3 * DAY + 1_000);
    expect(certificate.validFromDate.getTime()).toBeLessThanOrEqual(now - HOUR + 1_000);
    const renewed = await session.client.ask({ action: "renew", public_key: session.key });
    expect(Date.parse(renewed["expires_at"] as string)).toBeLessThanOrEqual(now + 3 * DAY);
    expect(Date.parse(renewed["time"] as string)).toBe(now);
    await leave(session);
  }
});

test("the link shows a certificate of the server's time after every jump, and takes connections all the while", async () => {
  await start();
  for (const jump of [...JUMPS, 0]) {
    now = NOON + jump;
    const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
    await Bun.connect({
      hostname: "127.0.0.1",
      port: server.tlsPort,
      tls: { rejectUnauthorized: false },
      socket: {
        handshake(socket) {
          resolve(
            (socket as unknown as { getPeerX509Certificate(): X509Certificate }).getPeerX509Certificate(),
          );
          socket.terminate();
        },
        data: () => undefined,
        close: () => reject(new Error("closed")),
      },
    });
    const certificate = await promise;
    expect(certificate.validFromDate.getTime()).toBeLessThanOrEqual(now);
    expect(certificate.validToDate.getTime()).toBeGreaterThan(now);
  }
});

test("a token is valid again when the clock is right, and one used in a wrong future is not valid for ever", async () => {
  await start();
  const ana = await online("ana");
  await leave(ana);
  now = NOON - 10 * YEAR;
  expect(await resume(ana)).toMatchObject({ code: "ok" });
  now = NOON + DAY;
  expect(await resume(ana)).toMatchObject({ code: "ok" });
  now = NOON + DAY + TOKEN_LIFETIME;
  expect(await resume(ana)).toMatchObject({ code: "invalid_credentials" });
});

test("a deleted name is not given away while its last certificate is good, whatever the clock does", async () => {
  await start();
  const ana = await online("ana");
  const deletion = { action: "delete_account", password: PASSWORD };
  expect(await ana.client.ask(deletion)).toMatchObject({ code: "ok" });
  // Back by a day, its certificate has longer to live: the name waits as long.
  now = NOON - DAY;
  expect(await ana.client.ask(registration("ana"))).toMatchObject({ code: "username_taken" });
  now = NOON + DAY;
  expect(await ana.client.ask(registration("ana"))).toMatchObject({ code: "username_taken" });
  now = NOON + DELETED_NAME_PERIOD;
  expect(await ana.client.ask(registration("ana"))).toMatchObject({ code: "ok" });
});

test("a login deletes tokens of a wrong future before those of today", async () => {
  await start();
  now = NOON + 10 * YEAR;
  const old: Session[] = [];
  await server.addAccounts("ana");
  for (let count = 0; count < 5; count++) {
    const client = await server.tls({ unverified: true });
    const key = newPublicKey();
    const login = await client.ask(loginOf("ana", { public_key: key }));
    old.push({ client, login, key });
    await leave(old.at(-1) as Session);
  }
  now = NOON;
  const client = await server.tls({ unverified: true });
  const key = newPublicKey();
  const login = await client.ask(loginOf("ana", { public_key: key }));
  expect(login).toMatchObject({ code: "ok" });
  const session = { client, login, key };
  await leave(session);
  expect(await resume(session)).toMatchObject({ code: "ok" });
  const other = await server.tls({ unverified: true });
  await other.ask(loginOf("ana", { public_key: newPublicKey() }));
  other.close();
  await other.closed;
  // The one of today is used more recently than all those of the wrong future.
  expect(await resume(session)).toMatchObject({ code: "ok" });
});
