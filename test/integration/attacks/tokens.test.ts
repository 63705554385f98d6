/**
 * Session tokens in the wrong hands. The attacker has read one from a backup, a log or a lost disk, or makes one up,
 * and wants to be taken for its owner, and to stay online when the owner notices.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import { DELETED_NAME_PERIOD } from "../../../src/server/store/store.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  registration,
  type Message,
  type TestClient,
} from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";

const NEW_PASSWORD = "otra-secreta";

let server: TestServer;
let ahead = 0;
beforeAll(async () => {
  server = await TestServer.start({ now: () => Date.now() + ahead });
});
afterEach(() => {
  ahead = 0;
});
afterAll(() => server.stop());

type Stolen = { readonly token: string; readonly key: string };

async function online(name: string): Promise<Stolen & { client: TestClient }> {
  const { client, login, key } = await server.online(name);
  return { client, token: login["session_token"] as string, key };
}

function resumption({ token, key }: Stolen): Message {
  return { action: "resume", session_token: token, p2p_port: 9005, public_key: key };
}

/** The code with which the server answers a token; a session that begins is ended again. */
async function codeFor(stolen: Stolen): Promise<unknown> {
  const client = await server.tls({ unverified: true });
  const answer = await client.ask(resumption(stolen));
  client.close();
  await client.closed;
  return answer["code"];
}

async function leave(client: TestClient): Promise<void> {
  client.close();
  await client.closed;
}

test("a forged token is refused: made up, changed in one place, the stored hash, or no token at all", async () => {
  const { client, token, key } = await online("forjada");
  await leave(client);
  const seed = testSeed();
  const random = seededRandom(seed);
  const changed = Array.from({ length: token.length }, (_, index) => {
    const letter = token[index] === "A" ? "B" : "A";
    return token.slice(0, index) + letter + token.slice(index + 1);
  });
  const stored = createHash("sha256").update(token).digest();
  const forged = [
    ...changed,
    Buffer.from(random.bytes(32)).toString("base64url"),
    stored.toString("base64url"),
    stored.toString("hex"),
    `${token}=`,
    token.toLowerCase(),
    token.slice(0, -1),
    Buffer.from(token, "base64url").toString("base64"),
    "A".repeat(43),
    "' OR 1=1 --".padEnd(43, "-"),
    "%".repeat(43),
  ].filter((each) => each !== token);
  const other = await server.tls();
  for (const each of forged) {
    expect((await other.ask(resumption({ token: each, key })))["code"], `seed ${seed}: ${each}`).toBe(
      "invalid_credentials",
    );
  }
  for (const each of [undefined, null, "", 7, {}, [token], { __proto__: token }, "x".repeat(5_000)]) {
    const answer = await other.ask({ ...resumption({ token, key }), session_token: each });
    expect(answer["success"]).toBe(false);
  }
  // A name beside it changes nothing: the token names the user.
  const named = await other.ask({ ...resumption({ token, key }), username: "otra", user_id: 1 });
  expect(named).toMatchObject({ code: "ok", username: "forjada" });
  other.close();
});

test("a token with another key is refused, also with the key of another account online, and stays valid for its owner", async () => {
  const owner = await online("dueña");
  await leave(owner.client);
  const thief = await online("ladrón");
  expect(await codeFor({ token: owner.token, key: thief.key })).toBe("invalid_credentials");
  expect(await codeFor({ token: thief.token, key: owner.key })).toBe("invalid_credentials");
  expect(await codeFor({ token: owner.token, key: newPublicKey() })).toBe("invalid_credentials");
  expect(await thief.client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  const renewal = { action: "renew", public_key: owner.key };
  expect(await thief.client.ask(renewal)).toMatchObject({ code: "invalid_credentials" });
  expect(await codeFor(owner)).toBe("ok");
  thief.client.close();
});

test("a token is refused after logout, after the account is deleted, and for the next account of that name", async () => {
  const gone = await online("saliente");
  expect(await gone.client.ask({ action: "logout" })).toMatchObject({ code: "ok" });
  await gone.client.closed;
  expect(await codeFor(gone)).toBe("invalid_credentials");

  const deleted = await online("borrada");
  const deletion = { action: "delete_account", password: PASSWORD };
  expect(await deleted.client.ask(deletion)).toMatchObject({ code: "ok" });
  expect(await codeFor(deleted)).toBe("invalid_credentials");
  ahead = DELETED_NAME_PERIOD + 1_000;
  expect(await deleted.client.ask(registration("borrada"))).toMatchObject({ code: "ok" });
  expect(await codeFor(deleted)).toBe("invalid_credentials");
  await leave(deleted.client);
});

test("a stolen token is void when its owner changes the password", async () => {
  const stolen = await online("robada");
  await leave(stolen.client);
  const owner = await online("robada");
  // However often the thief tries, the owner stays online.
  expect(await codeFor(stolen)).toBe("already_connected");
  const change = { action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD };
  expect(await owner.client.ask(change)).toMatchObject({ code: "ok" });
  expect(await codeFor(stolen)).toBe("invalid_credentials");
  await leave(owner.client);
  expect(await codeFor(stolen)).toBe("invalid_credentials");
  const client = await server.tls();
  const old = loginOf("robada", { public_key: stolen.key });
  expect(await client.ask(old)).toMatchObject({ code: "invalid_credentials" });
  // The owner's token stays valid.
  expect(await codeFor(owner)).toBe("ok");
  client.close();
});

test("a thief online with a stolen token and key is replaced by the owner, and shut out by a new password", async () => {
  const owner = await online("ocupada");
  await leave(owner.client);
  const thief = await server.tls();
  expect(await thief.ask(resumption(owner))).toMatchObject({ code: "ok" });
  const client = await server.tls();
  const login = await client.ask(loginOf("ocupada", { public_key: owner.key }));
  expect(login).toMatchObject({ code: "ok" });
  await thief.closed;
  expect(JSON.parse(thief.lines.at(-1) as string)).toMatchObject({ code: "session_replaced" });
  const change = { action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD };
  expect(await client.ask(change)).toMatchObject({ code: "ok" });
  expect(await codeFor(owner)).toBe("invalid_credentials");
  expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  client.close();
});

test("a login with the old password that waits for its hash while the password changes is refused", async () => {
  await server.addSlowAccount("veloz");
  const owner = await online("veloz");
  const change = { action: "change_password", password: PASSWORD, new_password: NEW_PASSWORD };
  const early = await Promise.all(Array.from({ length: 5 }, () => server.plain()));
  const late = await Promise.all(Array.from({ length: 5 }, () => server.plain()));
  owner.client.send(change);
  await server.plain().then((client) => client.ask({ action: "ping" }));
  for (const thief of early) thief.send(loginOf("veloz"));
  // One of these is answered: the hash of the new password waits behind the others, and these behind it.
  expect(await (early[0] as TestClient).next()).toMatchObject({ code: "already_connected" });
  for (const thief of late) thief.send(loginOf("veloz"));
  expect(await owner.client.answer()).toMatchObject({ action: "change_password_response", code: "ok" });
  const codes = await Promise.all(late.map(async (thief) => (await thief.next())["code"]));
  expect(codes).toEqual(Array(5).fill("invalid_credentials"));
  for (const thief of [...early, ...late]) thief.close();
});
