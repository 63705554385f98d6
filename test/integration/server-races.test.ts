/** Requests and the operator's commands that meet while the store is asked. */
import { afterAll, beforeAll, expect, test } from "bun:test";

import type { AdminRequest } from "../../src/server/admin/messages.ts";
import { AdminOperations } from "../../src/server/admin/operations.ts";
import { HeldStore } from "./held-store.ts";
import { untilQuiet } from "./messenger-pair.ts";
import { loginOf, newPublicKey, PASSWORD, type Message, type TestClient } from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

const held = new HeldStore();
let server: TestServer;
let names = 0;
beforeAll(async () => {
  server = await TestServer.start({}, undefined, (store) => held.wrap(store));
});
afterAll(() => server.stop());

const newName = (): string => `persona${++names}`;
const operator = (request: AdminRequest) => new AdminOperations(server.server.services).run(request);
const isOnline = (name: string) => server.server.services.presence.find(name) !== undefined;
const tokens = (name: string) =>
  server.database
    .query<{ count: number }, [string]>(
      "SELECT count(*) AS count FROM tokens JOIN users ON users.id = user_id WHERE fold = ?",
    )
    .get(name)?.count;

/** Somebody who has a token and is offline. */
async function away(): Promise<{ name: string; resume: Message }> {
  const name = newName();
  const { client, login, key } = await server.online(name);
  client.close();
  await client.closed;
  const resume = { action: "resume", session_token: login["session_token"], p2p_port: 1, public_key: key };
  return { name, resume };
}

async function send(request: Message): Promise<TestClient> {
  const client = await server.tls();
  client.send(await client.proven(request));
  return client;
}

test("of two devices that log in at once, one is refused, and leaves no token", async () => {
  const name = newName();
  await server.addAccounts(name);
  const issue = held.hold("issue");
  const clients = [
    await send(loginOf(name, { public_key: newPublicKey() })),
    await send(loginOf(name, { public_key: newPublicKey() })),
  ];
  await issue.reached;
  const codes = clients.map(async (client) => (await client.answer())["code"]);
  expect(await Promise.race(codes)).toBe("already_connected");
  issue.release();
  expect((await Promise.all(codes)).toSorted()).toEqual(["already_connected", "ok"]);
  expect([tokens(name), isOnline(name)]).toEqual([1, true]);
  for (const client of clients) client.close();
});

test("a client that leaves while its token is made is not online afterwards", async () => {
  const name = newName();
  await server.addAccounts(name);
  const issue = held.hold("issue");
  const client = await send(loginOf(name, { public_key: newPublicKey() }));
  await issue.reached;
  client.close();
  await client.closed;
  const { counts } = server.server;
  await untilQuiet(() => counts().tls === 0);
  issue.release();
  const other = await server.tls();
  await other.ask({ action: "ping" });
  expect(isOnline(name)).toBe(false);
  other.close();
});

test.each(["byId", "issue"] as const)(
  "a login is refused if the password is reset while it waits for %s, and its token is void",
  async (method) => {
    const name = newName();
    await server.addAccounts(name);
    const answer = held.hold(method);
    const client = await send(loginOf(name, { public_key: newPublicKey() }));
    await answer.reached;
    expect(await operator({ command: "reset-password", name })).toMatchObject({ name: "password" });
    answer.release();
    expect(await client.answer()).toMatchObject({ code: "invalid_credentials" });
    expect([tokens(name), isOnline(name)]).toEqual([0, false]);
    client.close();
  },
);

test.each([
  ["byId", "disable", "account_disabled"],
  ["issue", "disable", "account_disabled"],
  ["byId", "delete", "invalid_credentials"],
  ["issue", "delete", "invalid_credentials"],
] as const)("a login that waits for %s is refused after %s", async (method, command, code) => {
  const name = newName();
  await server.addAccounts(name);
  const answer = held.hold(method);
  const client = await send(loginOf(name, { public_key: newPublicKey() }));
  await answer.reached;
  await operator({ command, name });
  answer.release();
  expect(await client.answer()).toMatchObject({ code });
  expect(isOnline(name)).toBe(false);
  client.close();
});

test("an old client's login is refused if the account is disabled meanwhile", async () => {
  const name = newName();
  await server.addAccounts(name);
  const answer = held.hold("byId");
  const client = await server.plain();
  client.send(loginOf(name));
  await answer.reached;
  await operator({ command: "disable", name });
  answer.release();
  expect(await client.next()).toMatchObject({ code: "account_disabled" });
  client.close();
});

test.each([
  ["disable", "account_disabled"],
  ["delete", "invalid_credentials"],
  ["reset-password", "invalid_credentials"],
] as const)("a resume whose token was read before %s is refused", async (command, code) => {
  const { name, resume } = await away();
  const answer = held.hold("use");
  const client = await send(resume);
  await answer.reached;
  await operator({ command, name });
  answer.release();
  expect(await client.answer()).toMatchObject({ code });
  expect(isOnline(name)).toBe(false);
  client.close();
});

test("a session that the owner resumes while deleting the account from the same device ends with it", async () => {
  const name = newName();
  const { client, login, key } = await server.online(name);
  const [deletion, use] = [held.hold("delete"), held.hold("use")];
  const resumed = await send({
    action: "resume",
    session_token: login["session_token"],
    p2p_port: 1,
    public_key: key,
  });
  await use.reached;
  client.send({ action: "delete_account", password: PASSWORD });
  await deletion.reached;
  use.release();
  expect(await resumed.answer()).toMatchObject({ code: "ok" });
  deletion.release();
  await resumed.closed;
  expect(isOnline(name)).toBe(false);
  client.close();
});

test("a certificate is not renewed for an account that is disabled meanwhile", async () => {
  const name = newName();
  const { client, key } = await server.online(name);
  const use = held.hold("use");
  client.send(await client.proven({ action: "renew", public_key: key }));
  await use.reached;
  await operator({ command: "disable", name });
  use.release();
  await client.closed;
  expect(client.lines.join("")).not.toContain("renew_response");
});
