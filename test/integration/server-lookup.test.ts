import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";

import { fingerprint } from "../../src/identity/fingerprint.ts";
import {
  loginOf,
  newPublicKey,
  registration,
  type Message,
  type TestClient,
} from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

/** An address of this machine that is not loopback, where it has one. */
const OUTSIDE = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find((address) => !address.internal && address.family === "IPv4")?.address;

let server: TestServer;
let client: TestClient;
beforeAll(async () => {
  server = await TestServer.start();
  client = (await server.online("Marta")).client;
});
afterAll(() => server.stop());

const names = (list: Message) => (list["users"] as { username: string }[]).map((user) => user.username);

describe("get_users", () => {
  test("gives pages by folded name without the caller, and next only when there is more", async () => {
    for (const name of ["delta", "Álvaro", "beta", "Alfa", "ñora", "alfarero"]) await server.online(name);
    expect(names(await client.ask({ action: "get_users", id: 1 }))).toEqual([
      "Alfa",
      "alfarero",
      "beta",
      "delta",
      "Álvaro",
      "ñora",
    ]);
    const first = await client.ask({ action: "get_users", limit: 2 });
    expect(names(first)).toEqual(["Alfa", "alfarero"]);
    expect(first["next"]).toBe("alfarero");
    const second = await client.ask({ action: "get_users", limit: 4, after: "ALFARERO" });
    expect(names(second)).toEqual(["beta", "delta", "Álvaro", "ñora"]);
    expect(second).not.toContainKey("next");
    expect(names(await client.ask({ action: "get_users", prefix: "ALF" }))).toEqual(["Alfa", "alfarero"]);
    expect(names(await client.ask({ action: "get_users", prefix: "ALF", after: "alfa" }))).toEqual([
      "alfarero",
    ]);
    expect(names(await client.ask({ action: "get_users", prefix: "ñ".normalize("NFD") }))).toEqual(["ñora"]);
    expect(names(await client.ask({ action: "get_users", after: "zzz", prefix: "alf" }))).toEqual([]);
    expect(await client.ask({ action: "get_users", limit: 501 })).toMatchObject({ code: "bad_request" });
  });
});

describe("request_p2p", () => {
  test("gives the registered name, the key's fingerprint and every candidate, the seen address first", async () => {
    const { key } = await server.online("Berta", {
      addresses: ["10.1.2.3", "2001:DB8::1", "127.0.0.1"],
      p2p_port: 9077,
    });
    expect(await client.ask({ action: "request_p2p", target_user: "BERTA", id: "q" })).toEqual({
      action: "p2p_info",
      success: true,
      code: "ok",
      target_user: "Berta",
      target_ip: "127.0.0.1",
      target_port: 9077,
      secure: true,
      candidates: [
        { kind: "direct", ip: "127.0.0.1", port: 9077 },
        { kind: "direct", ip: "10.1.2.3", port: 9077 },
        { kind: "direct", ip: "2001:db8::1", port: 9077 },
      ],
      fingerprint: fingerprint(Buffer.from(key, "base64")),
      id: "q",
    });
  });

  test("a login with a port of the system is accepted, and gives no candidate", async () => {
    await server.online("Sira", { addresses: ["10.1.2.3"], p2p_port: 22 });
    expect(await client.ask({ action: "request_p2p", target_user: "sira", id: 1 })).toMatchObject({
      code: "ok",
      target_ip: "127.0.0.1",
      target_port: 22,
      candidates: [],
    });
    expect(await client.ask({ action: "get_users", prefix: "sira" })).toMatchObject({
      users: [{ username: "Sira", ip: "127.0.0.1", p2p_port: 22 }],
    });
  });
});

describe("watch", () => {
  test("gives who is online and then pushes each change, in the registered spelling", async () => {
    await server.addAccounts("Pilar");
    expect(await client.ask({ action: "watch", users: ["pilar", "BERTA", "berta", "nadie"] })).toMatchObject({
      action: "watch_response",
      online: ["Berta"],
    });
    const pilar = await server.plain();
    await pilar.ask(loginOf("pilar"));
    expect(await client.answer()).toEqual({ action: "presence", username: "Pilar", online: true });
    pilar.close();
    expect(await client.answer()).toEqual({ action: "presence", username: "Pilar", online: false });
  });

  test("the last call wins, and a watched name may be registered later", async () => {
    await client.ask({ action: "watch", users: ["futura"] });
    const other = await server.plain();
    await other.ask(loginOf("pilar"));
    other.close();
    await other.closed;
    const future = await server.plain();
    await future.ask(registration("Futura"));
    await future.ask(loginOf("futura"));
    // No notification of Pilar came before.
    expect(await client.answer()).toEqual({ action: "presence", username: "Futura", online: true });
    await client.ask({ action: "watch", users: [] });
    future.close();
    await future.closed;
    expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  });

  test("at most a thousand names can be watched", async () => {
    const users = Array.from({ length: 1001 }, (_, index) => `u${index}`);
    expect(await client.ask({ action: "watch", users })).toMatchObject({ code: "bad_request" });
    expect(await client.ask({ action: "watch", users: users.slice(1) })).toMatchObject({ online: [] });
  });
});

describe.skipIf(OUTSIDE === undefined)("from another address than loopback", () => {
  const host = OUTSIDE as string;
  const loopbackOnly: Message[] = [
    { action: "resume", session_token: "x", p2p_port: 9000, public_key: newPublicKey() },
    { action: "renew", public_key: newPublicKey() },
    { action: "change_password", password: "x", new_password: "y" },
    { action: "delete_account", password: "x" },
    loginOf("lejana", { public_key: newPublicKey() }),
  ];

  test("tls_required: every request on the plain link is told the encrypted port", async () => {
    const far = await server.plain({ host });
    for (const message of [{ action: "ping" }, registration("lejana"), { action: "nada" }, ...loopbackOnly]) {
      expect(await far.ask({ ...message, id: 9 })).toMatchObject({
        action: "error",
        success: false,
        code: "tls_required",
        request: message["action"],
        tls_port: server.tlsPort,
        id: 9,
      });
    }
    far.close();
  });

  test("with --plain-from any legacy requests pass, and those with keys still need TLS", async () => {
    const open = await TestServer.start({ plainFrom: "any" });
    const far = await open.plain({ host });
    expect(await far.ask(registration("lejana"))).toMatchObject({ code: "ok" });
    for (const message of loopbackOnly) {
      expect(await far.ask(message)).toMatchObject({
        action: "error",
        code: "tls_required",
        request: message["action"],
      });
    }
    expect(await far.ask(loginOf("lejana"))).toMatchObject({ code: "ok" });
    await open.stop();
  });

  test("loopback addresses are given only to clients on loopback", async () => {
    const open = await TestServer.start({ plainFrom: "any" });
    await open.addAccounts("lejana");
    const far = await open.plain({ host });
    await far.ask(loginOf("lejana"));
    await open.online("conotras", { addresses: ["127.0.0.1", "10.9.8.7"], p2p_port: 9010 });
    await open.online("sola", { p2p_port: 9011 });
    expect(await far.ask({ action: "request_p2p", target_user: "conotras" })).toMatchObject({
      target_ip: "10.9.8.7",
    });
    // On the server's own machine: where the requester has reached the server.
    expect(await far.ask({ action: "request_p2p", target_user: "sola" })).toMatchObject({ target_ip: host });
    const list = await far.ask({ action: "get_users", id: 1 });
    expect((list["users"] as { ip: string }[]).map((user) => user.ip)).toEqual(["10.9.8.7", host]);
    expect(await far.ask({ action: "request_p2p", target_user: "conotras" })).toMatchObject({
      candidates: [{ kind: "direct", ip: "10.9.8.7", port: 9010 }],
    });
    const near = (await open.online("cerca")).client;
    expect(await near.ask({ action: "request_p2p", target_user: "lejana" })).toMatchObject({
      target_ip: host,
    });
    await open.stop();
  });
});
