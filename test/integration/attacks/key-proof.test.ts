/**
 * The proof of the key. The attacker has a session token, and perhaps the public key that belongs to it, or sits between
 * a client and the server and hears everything; and wants to be logged in without the private key.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";

import { isAuthorityProven } from "../../../src/identity/connection-proof.ts";
import { SERVER_CERTIFICATE_LIFETIME } from "../../../src/identity/certificate.ts";
import { DEFAULT_LIMITS } from "../../../src/server/limits/limits.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import { cleanupsForEachTest } from "../cleanups-for-each-test.ts";
import { newAuthority, serverIdentity } from "../loopback.ts";
import { keyProof, loginOf, newPublicKey, PASSWORD, type Message } from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";
import { TlsProxy } from "../tls-proxy.ts";

class CountingMetrics extends Metrics {
  hashes = 0;

  override hash(waited: number, took: number): void {
    this.hashes++;
    super.hash(waited, took);
  }
}

const metrics = new CountingMetrics();
const cleanups = cleanupsForEachTest();
let server: TestServer;
let ahead = 0;
beforeAll(async () => {
  server = await TestServer.start({ metrics, now: () => Date.now() + ahead });
});
afterAll(() => server.stop());

function resumption(login: Message, key: string, more: Message = {}): Message {
  return {
    action: "resume",
    session_token: login["session_token"],
    p2p_port: 9005,
    public_key: key,
    ...more,
  };
}

/** The login, the key and the token's row of an account that has just left. */
async function absent(name: string): Promise<{ login: Message; key: string }> {
  const { client, login, key } = await server.online(name);
  client.close();
  await client.closed;
  return { login, key };
}

const WRONG = { success: false, code: "invalid_credentials" };

test("a token is worth nothing without the private key: with a key of one's own, or with the owner's and another's proof", async () => {
  const { login, key } = await absent("robada");
  const thief = await server.tls();
  const own = newPublicKey();
  expect(await thief.ask(resumption(login, own))).toMatchObject(WRONG);
  const proof = keyProof(own, await thief.challenge(), thief.leaf);
  expect(await thief.ask(resumption(login, key, { key_proof: proof }))).toMatchObject(WRONG);
  const login2 = loginOf("robada", { public_key: key, key_proof: proof });
  expect(await thief.ask(login2)).toMatchObject(WRONG);
  expect(await thief.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  expect(await thief.ask(resumption(login, key))).toMatchObject({ code: "ok" });
});

test("a proof is of no use on another connection, for another leaf, nor in place of a proof of something else", async () => {
  const { login, key } = await absent("repetida");
  const owner = await server.tls();
  const heard = keyProof(key, await owner.challenge(), owner.leaf);
  const thief = await server.tls();
  const challenge = await thief.challenge();
  expect(challenge).not.toBe(await owner.challenge());
  const proofs = [
    heard,
    keyProof(key, challenge, new X509Certificate(serverIdentity(newAuthority()).certificate).raw),
    keyProof(key, challenge, new Uint8Array()),
    keyProof(key, await owner.challenge(), thief.leaf),
  ];
  for (const key_proof of proofs) {
    expect(await thief.ask(resumption(login, key, { key_proof }))).toMatchObject(WRONG);
  }
  expect(await owner.ask(resumption(login, key, { key_proof: heard }))).toMatchObject({ code: "ok" });
  // The challenge is the same for all the connection's life; the proof serves again, for the renewal.
  expect((await owner.ask({ action: "ping" }))["challenge"]).toBe(await owner.challenge());
  const renewal = { action: "renew", public_key: key };
  expect(await owner.ask({ ...renewal, key_proof: heard })).toMatchObject({ code: "ok" });
  expect(await owner.ask({ ...renewal, key_proof: proofs[1] })).toMatchObject(WRONG);
  expect(await owner.ask({ action: "get_users" })).toMatchObject({ success: true });
});

test("a wrong proof is refused before the password and the token are looked at", async () => {
  const { login, key } = await absent("cara");
  const stored = () => server.database.query("SELECT * FROM tokens ORDER BY hash").all();
  const [hashes, rows] = [metrics.hashes, JSON.stringify(stored())];
  const thief = await server.tls();
  const key_proof = keyProof(newPublicKey(), await thief.challenge(), thief.leaf);
  // The row is written again when its last use is more than an hour ago.
  ahead = 2 * 3_600_000;
  for (const name of ["cara", "nadie"]) {
    expect(await thief.ask(loginOf(name, { public_key: key, key_proof }))).toMatchObject(WRONG);
  }
  expect(await thief.ask(resumption(login, key, { key_proof }))).toMatchObject(WRONG);
  ahead = 0;
  expect(metrics.hashes).toBe(hashes);
  expect(JSON.stringify(stored())).toBe(rows);
  expect(server.log.filter((line) => line.includes('"event":"key_not_proven"')).length).toBeGreaterThan(0);
});

test("a missing proof is bad_request and no failure; a wrong one is counted as a failed resume", async () => {
  const limits = { ...DEFAULT_LIMITS, failureRatePerAddress: { burst: 3, perSecond: 0.001 } };
  const strict = await TestServer.start({ limits, clock: () => 0 });
  cleanups.push(() => strict.stop());
  const { client, login, key } = await strict.online("contada");
  const signature = keyProof(key, await client.challenge(), client.leaf);
  const malformed = [
    undefined,
    null,
    7,
    "",
    signature.slice(1),
    `${signature}=`,
    "=".repeat(88),
    ` ${signature}`,
  ];
  const other = await strict.tls();
  for (const key_proof of malformed) {
    for (const request of [resumption(login, key), loginOf("contada", { public_key: key })]) {
      other.send({ ...request, key_proof });
      const answer = await other.answer();
      expect(answer).toMatchObject({ action: "login_response", success: false, code: "bad_request" });
      expect(answer["message"]).toEndWith(": key_proof");
    }
    client.send({ action: "renew", public_key: key, key_proof });
    const answer = await client.answer();
    expect(answer).toMatchObject({ action: "renew_response", success: false, code: "bad_request" });
    expect(answer["message"]).toEndWith(": key_proof");
  }
  const wrong = keyProof(newPublicKey(), await other.challenge(), other.leaf);
  const codes: unknown[] = [];
  for (let count = 0; count < 4; count++) {
    codes.push((await other.ask(resumption(login, key, { key_proof: wrong })))["code"]);
  }
  expect(codes).toEqual([...Array<string>(3).fill("invalid_credentials"), "rate_limited"]);
  // A right one is never limited.
  client.close();
  await client.closed;
  expect(await other.ask(resumption(login, key))).toMatchObject({ code: "ok" });
});

test("what needs a proof is tls_required on the plain link of this very machine, before every other check", async () => {
  const plain = await server.plain();
  const key = newPublicKey();
  const requests: Message[] = [
    loginOf("ana", { public_key: key }),
    loginOf("ana", { public_key: null }),
    { action: "resume" },
    { action: "renew", public_key: key },
    { action: "change_password", password: PASSWORD, new_password: PASSWORD },
    { action: "delete_account", password: PASSWORD },
  ];
  for (const request of requests) {
    expect(await plain.ask(request)).toMatchObject({
      action: "error",
      success: false,
      code: "tls_required",
      request: request["action"],
      tls_port: server.tlsPort,
    });
  }
});

test("a proof is for the certificate that its connection was shown, also after the server has a new one", async () => {
  const { login, key } = await absent("rotada");
  const early = await server.tls();
  await early.challenge();
  ahead = SERVER_CERTIFICATE_LIFETIME;
  const late = await server.tls({ unverified: true });
  ahead = 0;
  expect(Buffer.from(late.leaf)).not.toEqual(Buffer.from(early.leaf));
  const mixed = keyProof(key, await early.challenge(), late.leaf);
  expect(await early.ask(resumption(login, key, { key_proof: mixed }))).toMatchObject(WRONG);
  expect(await early.ask(resumption(login, key))).toMatchObject({ code: "ok" });
  early.close();
  await early.closed;
  expect(await late.ask(resumption(login, key))).toMatchObject({ code: "ok" });
});

test("somebody in the middle who ends TLS hears the token and the proof, and cannot be logged in with them", async () => {
  const { login, key } = await absent("entremedias");
  const proxy = new TlsProxy(serverIdentity(newAuthority()), server.tlsPort);
  cleanups.push(() => proxy.stop());
  const client = await proxy.connect();
  const answer = await client.ask(resumption(login, key));
  expect(answer).toMatchObject(WRONG);
  expect(proxy.heard).toContain(login["session_token"] as string);
  const direct = await server.tls();
  const { key_proof } = JSON.parse(proxy.heard.trim().split("\n").at(-1) as string) as Message;
  expect(await direct.ask(resumption(login, key, { key_proof }))).toMatchObject(WRONG);
  client.close();
});

test("pong proves the authority where the operator's certificate serves, for this certificate, and nowhere else", async () => {
  const plain = await server.plain();
  const { challenge, authority_proof: none } = await plain.ask({ action: "ping" });
  expect(Buffer.from(challenge as string, "base64")).toHaveLength(32);
  expect(none).toBeUndefined();
  expect(await (await server.tls()).ask({ action: "ping" })).not.toHaveProperty("authority_proof");
  const operators = await TestServer.start({ identity: serverIdentity(newAuthority()) });
  cleanups.push(() => operators.stop());
  const client = await operators.tls({ unverified: true });
  const pong = await client.ask({ action: "ping" });
  const proof = pong["authority_proof"] as string;
  expect(proof).toHaveLength(88);
  const { publicKey } = new X509Certificate(pong["authority"] as string);
  expect(isAuthorityProven(publicKey, Buffer.from(proof, "base64"), client.leaf)).toBe(true);
  expect(await (await operators.plain()).ask({ action: "ping" })).not.toHaveProperty("authority_proof");
});
