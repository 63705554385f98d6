import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";

import { AdminOperations } from "../../src/server/admin/operations.ts";
import { PasswordQueue } from "../../src/server/limits/password-queue.ts";
import { exposition } from "../../src/server/monitor/exposition.ts";
import { ProcessMetrics } from "../../src/server/monitor/process-metrics.ts";
import { Readiness } from "../../src/server/monitor/readiness.ts";
import { OperatorSeats } from "../../src/server/shared/operator-seats.ts";
import { HeldStore } from "../integration/held-store.ts";
import { loginOf, newPublicKey, PASSWORD, type Message } from "../integration/rendezvous-test-client.ts";
import { parseOpenMetrics, sampleOf } from "../open-metrics-parser.ts";
import { skipped, startPostgres, startRedis, whyNoPostgres, whyNoRedis } from "./engines.ts";
import { PostgresServer } from "./postgres-server.ts";
import { until } from "./seats-node.ts";

const reason = whyNoPostgres() ?? whyNoRedis();
const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe.skipIf(reason !== undefined)(`two servers behind one name${skipped(reason)}`, () => {
  const held = new HeldStore();
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let one: PostgresServer;
  let other: PostgresServer;
  let names = 0;
  const opened: { close(): void }[] = [];

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    one = await PostgresServer.start(postgres.url("postgres"), redis.url, (store) => held.wrap(store));
    other = await PostgresServer.start(postgres.url("postgres"), redis.url);
  });
  afterEach(() => opened.splice(0).forEach((client) => client.close()));
  afterAll(async () => {
    await Promise.all([one.stop(), other.stop()]);
    await Promise.all([postgres.remove(), redis.remove()]);
  });

  const newName = () => `persona${++names}`;
  /** Somebody logged in at this server whom the other knows to be online. */
  const online = async (server: PostgresServer, name = newName()) => {
    const logged = await server.online(name);
    opened.push(logged.client);
    await until(() => one.isOnline(name) && other.isOnline(name));
    return { name, ...logged };
  };
  const dial = async (server: PostgresServer) => {
    const client = await server.tls();
    opened.push(client);
    return client;
  };

  test("a person has one session: another device is refused at the other server, the same one comes over", async () => {
    const { name, client, login, key } = await online(one);
    const device = await dial(other);
    expect(await device.ask(loginOf(name, { public_key: newPublicKey() }))).toMatchObject({
      code: "already_connected",
    });
    const again = await dial(other);
    const resume = { action: "resume", session_token: login["session_token"], p2p_port: 1, public_key: key };
    expect(await again.ask(resume)).toMatchObject({ code: "ok" });
    expect(await client.next()).toMatchObject({ code: "session_replaced" });
    await client.closed;
    expect(other.isOnline(name)).toBe(true);
  });

  test("who watches is told of those at the other server, sees them in the list, and learns where they are", async () => {
    const watcher = await online(one);
    const name = newName();
    expect(await watcher.client.ask({ action: "watch", users: [name] })).toMatchObject({ online: [] });
    const watched = await online(other, name);
    expect(await watcher.client.answer()).toEqual({ action: "presence", username: name, online: true });
    const { users } = (await watcher.client.ask({ action: "get_users" })) as { users: Message[] };
    expect(users.map(({ username }) => username)).toContain(name);
    expect(await watcher.client.ask({ action: "request_p2p", target_user: name })).toMatchObject({
      candidates: [{ kind: "direct", ip: "127.0.0.1", port: 9001 }],
      secure: true,
    });
    watched.client.close();
    expect(await watcher.client.answer()).toEqual({ action: "presence", username: name, online: false });
  });

  test("changed addresses are told at the other server", async () => {
    const watcher = await online(one);
    const { name, client } = await online(other);
    await watcher.client.ask({ action: "reach" });
    await watcher.client.ask({ action: "watch", users: [name] });
    await client.ask({ action: "reach", addresses: ["192.168.7.7"] });
    expect(await watcher.client.answer()).toMatchObject({ action: "presence", username: name, moved: true });
    const told = await watcher.client.ask({ action: "request_p2p", target_user: name });
    expect((told["candidates"] as Message[]).map(({ ip }) => ip)).toContain("192.168.7.7");
  });

  test("somebody at the other server is asked to meet at the server of who asks", async () => {
    const [asking, asked] = [await online(one), await online(other)];
    for (const { client } of [asking, asked]) await client.ask({ action: "reach" });
    await until(() => one.server.services.presence.find(asked.name)?.reach !== undefined);
    const response = await asking.client.ask({ action: "connect", target_user: asked.name });
    const request = await asked.client.answer();
    const meeting = one.server.services.meetingPlaces();
    expect(response).toMatchObject({ action: "connect_response", target_user: asked.name, meeting });
    expect(request).toMatchObject({ action: "meet_request", username: asking.name, meeting });
    expect(request["ticket"]).not.toBe(response["ticket"]);
    // Whoever goes ends the meeting: the other is told by way of both servers.
    asking.client.close();
    expect(await asked.client.answer()).toMatchObject({ action: "gone", ticket: request["ticket"] });
  });

  test("a revocation and an end by the operator reach the other server, and a login under way there", async () => {
    const { name, client } = await online(one);
    const witness = await online(one);
    const seats = new OperatorSeats(redis.url);
    const { store, security, revocations } = other.server.services;
    const operator = new AdminOperations({
      store,
      security,
      revocations,
      presence: seats,
      seats,
      passwords: new PasswordQueue({ limit: 1 }),
    });
    opened.push(seats);
    const listed = await operator.run({ command: "sessions", name, after: "" });
    expect(listed).toMatchObject({
      sessions: [{ kind: "live", node: one.server.services.shared?.node }, {}],
    });
    const issue = held.hold("issue");
    const late = await dial(one);
    late.send(await late.proven(loginOf(name, { public_key: newPublicKey(), replace: true })));
    await issue.reached;
    await client.closed;
    expect(await operator.run({ command: "disable", name })).toMatchObject({ name: "done", changed: true });
    await until(() => one.server.services.revocations.version > 0);
    issue.release();
    expect(await late.answer()).toMatchObject({ code: "account_disabled" });
    await until(() => !one.isOnline(name) && !other.isOnline(name));
    expect(await witness.client.next()).toMatchObject({ action: "revoked" });
  });

  test("the monitor shows what a server knows of the others, and that it may not let people in without Valkey", async () => {
    const alone = await PostgresServer.start(postgres.url("postgres"), redis.url);
    const { name, client, key } = await online(alone);
    const shown = () => {
      const vitals = new ProcessMetrics(() => performance.now());
      vitals.stop();
      return exposition(alone.server.services.metrics, vitals, alone.server);
    };
    const figures = parseOpenMetrics(shown());
    const value = (family: string) => sampleOf(figures, family);
    expect(value("paloma_shared_lease")).toBe(1);
    expect(value("paloma_shared_directory_users")).toBe(alone.server.services.presence.size);
    expect(value("paloma_users_online")).toBe(1);
    expect(value("paloma_valkey_commands_total")).toBeGreaterThan(1);
    const readiness = new Readiness(() => performance.now(), silentLog);
    readiness.started(alone.server);
    expect(await readiness.state(0)).toBe("ready");
    await alone.server.services.shared?.stop();
    expect(await readiness.state(0)).toBe("shared_unavailable");
    expect(alone.isOnline(name)).toBe(true);
    expect(await client.ask({ action: "renew", public_key: key })).toMatchObject({ code: "server_busy" });
    expect(await client.ask({ action: "get_users" })).toMatchObject({ action: "users_list" });
    const newcomer = await dial(alone);
    const account = { username: "nueva", password: PASSWORD, email: "" };
    expect(await newcomer.ask({ action: "register", ...account })).toMatchObject({ code: "server_busy" });
    expect(await newcomer.ask(loginOf(name, { public_key: key }))).toMatchObject({ code: "server_busy" });
    await alone.stop();
  });

  test("a server that stops leaves, so that its people can log in elsewhere at once", async () => {
    const leaving = await PostgresServer.start(postgres.url("postgres"), redis.url);
    const { name } = await online(leaving);
    await leaving.stop();
    await until(() => !one.isOnline(name));
    const device = await dial(one);
    expect(await device.ask(loginOf(name, { public_key: newPublicKey() }))).toMatchObject({ code: "ok" });
  });
});
