import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";

import { fingerprint } from "../../src/identity/fingerprint.ts";
import { label } from "../../src/identity/names.ts";
import { MAX_TOKENS, TOKEN_LIFETIME } from "../../src/server/store/store.ts";
import { loginOf, newPublicKey, PASSWORD, registration, type Message } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

const HOUR = 3_600_000;

let server: TestServer;
/** Ms by which the server's clock is ahead. */
let ahead = 0;
beforeAll(async () => {
  server = await TestServer.start({ now: () => Date.now() + ahead });
});
afterEach(() => {
  ahead = 0;
});
afterAll(() => server.stop());

function resumption(login: Message, key: string): Message {
  return { action: "resume", session_token: login["session_token"], p2p_port: 9005, public_key: key };
}

async function resume(login: Message, key: string): Promise<Message> {
  const client = await server.tls();
  const answer = await client.ask(resumption(login, key));
  if (answer["success"] !== true) client.close();
  return answer;
}

async function names(): Promise<string[]> {
  const { client } = await server.online(`observadora${Math.random().toString(36).slice(2, 8)}`);
  const list = await client.ask({ action: "get_users", limit: 500 });
  client.close();
  return (list["users"] as { username: string }[]).map((user) => user.username);
}

describe("login", () => {
  test("a key brings a certificate for the registered name and three days, a token, and whether the key is new", async () => {
    await server.addAccounts("Lucía");
    const key = newPublicKey();
    const client = await server.tls();
    const before = Date.now();
    const login = await client.ask(loginOf("LUCÍA", { public_key: key }));
    expect(login).toMatchObject({
      success: true,
      code: "ok",
      message: "Login exitoso",
      username: "Lucía",
      new_key: true,
    });
    const certificate = new X509Certificate(login["certificate"] as string);
    expect(certificate.subject).toBe("CN=Lucía");
    expect(certificate.subjectAltName).toBe(`DNS:${label("lucía")}`);
    expect(certificate.publicKey.export({ format: "der", type: "spki" }).toString("base64")).toBe(key);
    const authority = new X509Certificate(login["authority"] as string);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(fingerprint(authority.publicKey.export({ format: "der", type: "spki" }))).toBe(
      server.server.fingerprint,
    );
    expect(Date.parse(login["expires_at"] as string)).toBe(certificate.validToDate.getTime());
    expect(certificate.validToDate.getTime() - before).toBeWithin(72 * HOUR - 1000, 72 * HOUR + 5000);
    expect(before - certificate.validFromDate.getTime()).toBeWithin(HOUR - 5000, HOUR + 2000);
    expect(Math.abs(Date.parse(login["time"] as string) - Date.now())).toBeLessThan(5000);
    expect(login["session_token"]).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const renewed = await client.ask({ action: "renew", public_key: key });
    expect(renewed).toMatchObject({ action: "renew_response", success: true });
    expect(new X509Certificate(renewed["certificate"] as string).subject).toBe("CN=Lucía");
    expect(await client.ask({ action: "renew", public_key: newPublicKey() })).toMatchObject({
      code: "invalid_credentials",
    });
    client.close();
  });

  test("the token is kept only as its hash", async () => {
    const { login, client } = await server.online("hash");
    const token = login["session_token"] as string;
    const hash = createHash("sha256").update(token).digest();
    expect(server.database.query("SELECT 1 FROM tokens WHERE hash = ?").get(hash)).not.toBeNull();
    expect(JSON.stringify(server.database.query("SELECT * FROM tokens").all())).not.toContain(token);
    expect(server.log.join("")).not.toContain(token);
    expect(server.log.join("")).not.toContain(PASSWORD);
    client.close();
  });

  test("without a key there is no token, no certificate, and the user is not secure", async () => {
    await server.addAccounts("simple");
    const client = await server.tls();
    const login = await client.ask(loginOf("simple", { id: 1 }));
    for (const field of ["session_token", "certificate", "expires_at", "new_key"])
      expect(login).not.toContainKey(field);
    expect(login).toContainKeys(["authority", "time"]);
    const { client: other } = await server.online("mirona");
    expect(await other.ask({ action: "request_p2p", target_user: "simple" })).toMatchObject({
      secure: false,
    });
    for (const each of [client, other]) each.close();
  });

  test("new_key is true at the first login with a key, and at no later one", async () => {
    const { client, key } = await server.online("llaves");
    const again = await server.tls();
    expect(await again.ask(loginOf("llaves", { public_key: key }))).toMatchObject({ new_key: false });
    expect(await client.answer()).toMatchObject({ code: "session_replaced" });
    await again.ask({ action: "logout" });
    expect((await server.online("llaves")).login).toMatchObject({ new_key: true });
  });

  test("with `replace` the right password ends the other session, and a wrong one or a token does not", async () => {
    const { client: old } = await server.online("mudanza");
    const other = await server.online("vecina");
    await other.client.ask({ action: "watch", users: ["mudanza"] });
    const key = newPublicKey();
    const client = await server.tls();
    const wrong = loginOf("mudanza", { public_key: key, password: "mala", replace: true });
    expect(await client.ask(wrong)).toMatchObject({ code: "invalid_credentials" });
    expect(await client.ask(loginOf("mudanza", { public_key: key, replace: false }))).toMatchObject({
      code: "already_connected",
    });
    expect(await old.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    expect(await client.ask(loginOf("mudanza", { public_key: key, replace: true }))).toMatchObject({
      code: "ok",
    });
    expect(await old.answer()).toMatchObject({ action: "error", code: "session_replaced" });
    await old.closed;
    // She never went offline.
    expect(other.client.lines.some((line) => line.includes('"presence"'))).toBe(false);
    for (const each of [client, other.client]) each.close();
  });

  test("of two logins of one user hashing at once one wins", async () => {
    await server.addSlowAccount("gemela");
    const clients = await Promise.all([server.tls(), server.tls(), server.plain()]);
    const answers = await Promise.all(
      clients.map((client, index) =>
        client.ask(loginOf("gemela", index < 2 ? { public_key: newPublicKey() } : {})),
      ),
    );
    expect(answers.map((answer) => answer["code"]).sort()).toEqual([
      "already_connected",
      "already_connected",
      "ok",
    ]);
    for (const client of clients) client.close();
  });

  test("a connection that closes while its password is hashed leaves nobody online", async () => {
    await server.addSlowAccount("fantasma");
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.tls()));
    const login = loginOf("fantasma", { public_key: newPublicKey() });
    const proven = await Promise.all(clients.map((client) => client.proven(login)));
    clients.forEach((client, index) => client.send(proven[index] as Message));
    for (const client of clients) client.close();
    await Promise.all(clients.map((client) => client.closed));
    // Hashes are made in order: when this one is answered, those before it are over.
    const last = await server.plain();
    expect(await last.ask(loginOf("fantasma"))).toMatchObject({ code: "ok" });
    last.close();
    await last.closed;
    expect(await names()).not.toContain("fantasma");
  });
});

describe("resume", () => {
  test("gives the same token and a certificate, and replaces the connection that still seems open", async () => {
    const { client: watcher } = await server.online("vigía");
    const { client: old, login, key } = await server.online("Viajera");
    expect(await watcher.ask({ action: "watch", users: ["viajera"] })).toMatchObject({ online: ["Viajera"] });
    const client = await server.tls();
    const answer = await client.ask(resumption(login, key));
    expect(answer).toMatchObject({
      action: "login_response",
      success: true,
      username: "Viajera",
      session_token: login["session_token"],
      new_key: false,
    });
    expect(new X509Certificate(answer["certificate"] as string).subject).toBe("CN=Viajera");
    const news = await old.answer();
    expect(news).toMatchObject({ action: "error", success: false, code: "session_replaced" });
    expect(news).not.toContainKey("request");
    await old.closed;
    // She never went offline, so nobody is notified; the list has her new port.
    expect(await watcher.ask({ action: "request_p2p", target_user: "viajera" })).toMatchObject({
      target_port: 9005,
    });
    expect(watcher.lines.some((line) => line.includes('"presence"'))).toBe(false);
    for (const each of [client, watcher]) each.close();
  });

  test("a token is refused with another key, and a wrong token with any", async () => {
    const { client, login, key } = await server.online("atada");
    client.close();
    await client.closed;
    expect(await resume(login, newPublicKey())).toMatchObject({ code: "invalid_credentials" });
    expect(await resume({ session_token: "A".repeat(43) }, key)).toMatchObject({
      code: "invalid_credentials",
    });
    expect(await resume(login, key)).toMatchObject({ code: "ok" });
  });

  test("a token of another device does not replace the session that is online", async () => {
    const first = await server.online("dosmáquinas");
    first.client.close();
    await first.client.closed;
    const second = await server.online("dosmáquinas");
    expect(await resume(first.login, first.key)).toMatchObject({ code: "already_connected" });
    expect(await second.client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  });

  test("a user has five tokens; past that the least recently used is deleted", async () => {
    const sessions: { login: Message; key: string }[] = [];
    for (let count = 0; count <= MAX_TOKENS; count++) {
      const session = await server.online("muchas");
      sessions.push(session);
      session.client.close();
      await session.client.closed;
      ahead += 1000;
      if (count === MAX_TOKENS - 1) {
        // Used again, the first is no longer the one to go.
        const client = await server.tls();
        const [first] = sessions as [{ login: Message; key: string }];
        expect(await client.ask(resumption(first.login, first.key))).toMatchObject({ code: "ok" });
        client.close();
        await client.closed;
        ahead += 1000;
      }
    }
    const codes: unknown[] = [];
    for (const { login, key } of sessions) {
      const client = await server.tls();
      codes.push((await client.ask(resumption(login, key)))["code"]);
      client.close();
      await client.closed;
    }
    expect(codes).toEqual(["ok", "invalid_credentials", "ok", "ok", "ok", "ok"]);
  });

  test("a token lives thirty days from its last use", async () => {
    const { client, login, key } = await server.online("paciente");
    client.close();
    await client.closed;
    for (let use = 0; use < 2; use++) {
      ahead += TOKEN_LIFETIME - 60_000;
      const again = await server.tls({ unverified: true });
      expect(await again.ask(resumption(login, key))).toMatchObject({ code: "ok" });
      again.close();
      await again.closed;
    }
    ahead += TOKEN_LIFETIME + 60_000;
    const late = await server.tls({ unverified: true });
    expect(await late.ask(resumption(login, key))).toMatchObject({ code: "invalid_credentials" });
  });

  test("logout voids the token and the server closes", async () => {
    const { client, login, key } = await server.online("saliente");
    expect(await client.ask({ action: "logout" })).toMatchObject({
      action: "logout_response",
      success: true,
    });
    await client.closed;
    expect(await resume(login, key)).toMatchObject({ code: "invalid_credentials" });
  });
});

describe("change_password and delete_account", () => {
  test("a new password voids every other token of the user, and the old password", async () => {
    const other = await server.online("cambiante");
    other.client.close();
    await other.client.closed;
    const { client, login, key } = await server.online("cambiante");
    const change = { action: "change_password", password: PASSWORD, new_password: "otra-secreta" };
    expect(await client.ask({ ...change, password: "mala" })).toMatchObject({ code: "invalid_credentials" });
    expect(await client.ask({ ...change, new_password: "corta" })).toMatchObject({ code: "weak_password" });
    expect(await client.ask(change)).toMatchObject({
      action: "change_password_response",
      success: true,
      code: "ok",
    });
    client.close();
    await client.closed;
    expect(await resume(other.login, other.key)).toMatchObject({ code: "invalid_credentials" });
    const client2 = await server.tls();
    expect(await client2.ask(resumption(login, key))).toMatchObject({ code: "ok" });
    client2.close();
    await client2.closed;
    const client3 = await server.tls();
    expect(await client3.ask(loginOf("cambiante"))).toMatchObject({ code: "invalid_credentials" });
    expect(await client3.ask(loginOf("cambiante", { password: "otra-secreta" }))).toMatchObject({
      code: "ok",
    });
    client3.close();
  });

  test("a deleted account is gone with its tokens; its name is free again after 73 hours", async () => {
    const { client: watcher } = await server.online("testigo");
    const { client, login, key } = await server.online("Efímera");
    await watcher.ask({ action: "watch", users: ["efímera"] });
    expect(await client.ask({ action: "delete_account", password: "mala" })).toMatchObject({
      code: "invalid_credentials",
    });
    expect(await client.ask({ action: "delete_account", password: PASSWORD })).toMatchObject({
      action: "delete_account_response",
      success: true,
    });
    expect(await watcher.answer()).toEqual({ action: "presence", username: "Efímera", online: false });
    // The connection goes on, anonymous.
    expect(await client.ask({ action: "get_users" })).toMatchObject({ code: "not_logged_in" });
    expect(await client.ask(resumption(login, key))).toMatchObject({ code: "invalid_credentials" });
    expect(await client.ask(registration("EFÍMERA"))).toMatchObject({ code: "username_taken" });
    expect(server.database.query("SELECT count(*) AS n FROM users WHERE fold = 'efímera'").get()).toEqual({
      n: 0,
    });
    ahead += 73 * HOUR + 1000;
    expect(await client.ask(registration("EFÍMERA"))).toMatchObject({ code: "ok" });
  });
});

test("sentences are in English once a connection has asked for it, also in a refusal", async () => {
  await server.addAccounts("english");
  const client = await server.tls();
  expect((await client.ask({ action: "get_users" }))["message"]).toBe("Primero hay que iniciar sesión");
  const refused = await client.ask(loginOf("english", { lang: "en", password: "wrong" }));
  expect(refused["message"]).toBe("Wrong username or password");
  expect((await client.ask({ action: "get_users" }))["message"]).toBe("Log in first");
  expect((await client.ask(registration("thing2")))["message"]).toBe("User registered");
});
