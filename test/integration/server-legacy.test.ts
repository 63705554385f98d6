import { afterAll, beforeAll, expect, test } from "bun:test";

import { loginOf, newPublicKey, PASSWORD, registration, type TestClient } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await server.addAccounts("semilla", "vecina");
});
afterAll(() => server.stop());

/** Sends as a legacy client does: no line feed, spaces as it likes. */
async function line(client: TestClient, message: object): Promise<string> {
  client.write(JSON.stringify(message, null, 4));
  return client.nextLine();
}

test("to a legacy client every response is one line with the original fields, success and code", async () => {
  const client = await server.plain();
  const { client: other } = await server.online("Moderna");
  expect(await line(client, registration("antigua"))).toBe(
    '{"action":"register_response","success":true,"code":"ok","message":"Usuario registrado exitosamente"}',
  );
  expect(await line(client, registration("antigua"))).toBe(
    '{"action":"register_response","success":false,"code":"username_taken","message":"El nombre de usuario ya existe"}',
  );
  expect(await line(client, { ...loginOf("antigua"), password: "mala" })).toBe(
    '{"action":"login_response","success":false,"code":"invalid_credentials","message":"Usuario o contraseña incorrectos"}',
  );
  expect(await line(client, loginOf("ANTIGUA"))).toBe(
    '{"action":"login_response","success":true,"code":"ok","message":"Login exitoso","username":"antigua"}',
  );
  expect(await line(client, { action: "get_users" })).toBe(
    '{"action":"users_list","success":true,"code":"ok","users":[{"username":"Moderna","ip":"127.0.0.1","p2p_port":9001}]}',
  );
  expect(await line(client, { action: "request_p2p", target_user: "moderna" })).toBe(
    '{"action":"p2p_info","success":true,"code":"ok","target_user":"Moderna","target_ip":"127.0.0.1","target_port":9001}',
  );
  expect(await line(client, { action: "request_p2p", target_user: "nadie" })).toBe(
    '{"action":"error","success":false,"code":"user_offline","message":"El usuario no está conectado","request":"request_p2p","target_user":"nadie"}',
  );
  expect(client.chunks).toEqual(client.lines.map((each) => `${each}\n`));
  for (const each of [client, other]) each.close();
});

test("an id, a field of ours or an action of ours shows that a client is no legacy one", async () => {
  for (const message of [
    { action: "get_users", id: 0 },
    { action: "get_users", limit: 5 },
    { action: "get_users", prefix: "" },
    { action: "ping" },
  ]) {
    const client = await server.plain();
    expect(await client.ask(loginOf("semilla"))).not.toContainKey("authority");
    await client.ask(message);
    const other = await server.online("Moderna");
    expect(await client.ask({ action: "request_p2p", target_user: "moderna" })).toContainKeys([
      "secure",
      "candidates",
    ]);
    for (const each of [client, other.client]) each.close();
    await Promise.all([client.closed, other.client.closed]);
  }
  // Unknown fields are ignored, also for this.
  const client = await server.plain();
  await client.ask(loginOf("semilla", { client_version: 7, prefix: "x" }));
  expect(client.lines[0]).not.toContain("authority");
  client.close();
  await client.closed;
});

test("a list for a legacy client holds what fits in 4096 bytes with its line feed, by name", async () => {
  const crowd = await TestServer.start();
  const names = Array.from({ length: 80 }, (_, index) => `usuaria-ñ-${String(index).padStart(3, "0")}`);
  await crowd.addAccounts(...names, "lectora");
  const key = newPublicKey();
  for (const [index, name] of names.entries()) {
    // A token for each, so that nobody's password has to be hashed.
    const token = await crowd.token(name, key);
    const client = await crowd.tls();
    const resume = {
      action: "resume",
      session_token: token,
      p2p_port: 9000 + (index % 100),
      public_key: key,
    };
    expect(await client.ask(resume)).toMatchObject({ code: "ok" });
  }
  const legacy = await crowd.plain();
  await legacy.ask(loginOf("lectora"));
  const list = await line(legacy, { action: "get_users" });
  const bytes = Buffer.byteLength(list) + 1;
  expect(bytes).toBeLessThanOrEqual(4096);
  const { users } = JSON.parse(list) as { users: { username: string }[] };
  expect(users.map((user) => user.username)).toEqual(names.slice(0, users.length));
  const oneMore = Buffer.byteLength(
    `,{"username":"${names[users.length]}","ip":"127.0.0.1","p2p_port":9000}`,
  );
  expect(bytes + oneMore).toBeGreaterThan(4096);
  await crowd.stop();
});

test("nothing is pushed to a legacy client, and its session is never replaced", async () => {
  const client = await server.plain();
  await client.ask(loginOf("vecina"));
  const second = await server.tls();
  const answer = await second.ask(loginOf("vecina", { public_key: newPublicKey(), password: PASSWORD }));
  expect(answer).toMatchObject({ code: "already_connected" });
  expect(client.lines).toHaveLength(1);
  client.close();
});
