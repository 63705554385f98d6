import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { DEFAULT_LIMITS, NO_LIMIT } from "../../src/server/limits/limits.ts";
import { MIN_SILENCE } from "../../src/server/limits/unauthenticated.ts";
import { guardNormalForms } from "../protocol/mark-floods.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  registration,
  TestClient,
  type Message,
} from "./rendezvous-test-client.ts";
import { TestServer } from "./rendezvous-test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await server.addAccounts("ana", "beto", "carla", "rota", "cerrada");
  server.database.run("UPDATE users SET password = 'no hash' WHERE username = 'rota'");
  server.database.run("UPDATE users SET disabled = 1 WHERE username = 'cerrada'");
});
afterAll(() => server.stop());

async function answerTo(message: Message): Promise<Message> {
  const client = await server.tls();
  const answer = await client.ask(message);
  client.close();
  return answer;
}

describe("each code of the protocol is provoked", () => {
  test("ok: a registration, in the original words", async () => {
    expect(await answerTo(registration("nueva"))).toEqual({
      action: "register_response",
      success: true,
      code: "ok",
      message: "Usuario registrado exitosamente",
    });
  });

  test("bad_json: garbage is answered and the connection goes on; the tenth closes it", async () => {
    const client = await server.plain();
    for (let count = 1; count <= 10; count++) {
      client.write("basura\n");
      expect(await client.answer()).toMatchObject({ action: "error", success: false, code: "bad_json" });
      if (count === 9) expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    }
    await client.closed;
  });

  test("bad_request names the field", async () => {
    const cases: [Message, string][] = [
      [{ hello: 1 }, "action"],
      [{ action: 7 }, "action"],
      [{ action: "ping", id: {} }, "id"],
      [{ action: "ping", id: "x".repeat(65) }, "id"],
      [{ action: "ping", id: 1.5 }, "id"],
      [{ action: "login", username: "ana", password: PASSWORD }, "p2p_port"],
      [loginOf("ana", { p2p_port: 0 }), "p2p_port"],
      [loginOf("ana", { p2p_port: "9001" }), "p2p_port"],
      [loginOf("ana", { public_key: "AAAA" }), "public_key"],
      [loginOf("ana", { addresses: ["0.0.0.0"] }), "addresses"],
      [loginOf("ana", { addresses: ["224.0.0.1"] }), "addresses"],
      [loginOf("ana", { addresses: Array(9).fill("10.0.0.1") }), "addresses"],
      [loginOf("ana", { lang: "fr" }), "lang"],
      [{ action: "register", username: "\ud800abc", password: PASSWORD }, "username"],
      [{ action: "register", username: "abc", password: null }, "password"],
      [{ action: "resume", session_token: "x", p2p_port: 1, public_key: "no" }, "public_key"],
    ];
    for (const [message, field] of cases) {
      const answer = await answerTo(message);
      expect(answer).toMatchObject({ success: false, code: "bad_request" });
      expect(answer["message"]).toEndWith(`: ${field}`);
    }
  });

  test("bad_request: a flood of combining marks is not normalised, in whatever field", async () => {
    const floods = [
      `a${"\u0300".repeat(16_000)}${"\u0316".repeat(16_000)}`,
      `a${"\u0316\u0300".repeat(15)}\u0316`,
    ];
    const before = (flood: string): [Message, string][] => [
      [registration(flood), "username"],
      [registration("marcada", flood), "password"],
      [{ ...registration("marcada"), email: flood }, "email"],
      [loginOf(flood), "username"],
      [loginOf("ana", { password: flood }), "password"],
      [loginOf("ana", { public_key: flood }), "public_key"],
      [loginOf("ana", { addresses: [flood] }), "addresses"],
      [{ action: "resume", session_token: flood, p2p_port: 1, public_key: newPublicKey() }, "session_token"],
    ];
    const after = (flood: string): [Message, string][] => [
      [{ action: "get_users", prefix: flood }, "prefix"],
      [{ action: "get_users", after: flood }, "after"],
      [{ action: "request_p2p", target_user: flood }, "target_user"],
      [{ action: "watch", users: ["ana", flood] }, "users"],
      [{ action: "change_password", password: PASSWORD, new_password: flood }, "new_password"],
      [{ action: "delete_account", password: flood }, "password"],
    ];
    const { client } = await server.online("marta");
    const release = guardNormalForms();
    try {
      for (const flood of floods) {
        for (const [message, field] of before(flood)) {
          const answer = await answerTo(message);
          expect(answer).toMatchObject({ success: false, code: "bad_request" });
          expect(answer["message"]).toEndWith(`: ${field}`);
        }
        for (const [message, field] of after(flood)) {
          const answer = await client.ask(message);
          expect(answer).toMatchObject({ success: false, code: "bad_request" });
          expect(answer["message"]).toEndWith(`: ${field}`);
        }
      }
    } finally {
      release();
    }
    client.close();
  });

  test("unknown_action repeats the action, also one that every object has", async () => {
    for (const action of ["dance", "constructor", "__proto__"]) {
      expect(await answerTo({ action, id: 3 })).toMatchObject({
        action: "error",
        code: "unknown_action",
        request: action,
        id: 3,
      });
    }
  });

  test("message_too_large: an object over 64 KiB is answered and closes the connection", async () => {
    const client = await server.plain();
    client.write(`{"action":"ping","x":"${"a".repeat(70_000)}"}`);
    expect(await client.answer()).toMatchObject({ action: "error", code: "message_too_large" });
    await client.closed;
  });

  test("not_logged_in: everything but register, ping, login and resume", async () => {
    const own: [Message, string][] = [
      [{ action: "get_users" }, "error"],
      [{ action: "request_p2p", target_user: "ana" }, "error"],
      [{ action: "renew", public_key: newPublicKey() }, "renew_response"],
      [{ action: "watch", users: [] }, "watch_response"],
      [{ action: "logout" }, "logout_response"],
      [{ action: "change_password", password: PASSWORD, new_password: PASSWORD }, "change_password_response"],
      [{ action: "delete_account", password: PASSWORD }, "delete_account_response"],
    ];
    for (const [message, action] of own) {
      const answer = await answerTo(message);
      expect(answer).toMatchObject({ action, success: false, code: "not_logged_in" });
      if (action === "error") expect(answer["request"]).toBe(message["action"]);
    }
  });

  test("already_logged_in: login and resume on a connection that is logged in; register still works there", async () => {
    const { client, login, key } = await server.online("doble");
    expect(await client.ask(loginOf("doble"))).toMatchObject({
      action: "login_response",
      code: "already_logged_in",
    });
    const resume = { action: "resume", session_token: login["session_token"], p2p_port: 1, public_key: key };
    expect(await client.ask(resume)).toMatchObject({ action: "login_response", code: "already_logged_in" });
    expect(await client.ask(registration("otra"))).toMatchObject({ code: "ok" });
    expect(await client.ask({ action: "get_users" })).toMatchObject({ action: "users_list" });
  });

  test("invalid_username, weak_password, invalid_email", async () => {
    for (const name of ["ab", "-ab", "a b c", "ｆｕｌｌ", "x".repeat(33), "paloma rendezvous"]) {
      expect(await answerTo(registration(name))).toMatchObject({ code: "invalid_username" });
    }
    for (const password of ["", "1234567", "x".repeat(257)]) {
      expect(await answerTo(registration("normal", password))).toMatchObject({ code: "weak_password" });
    }
    expect(await answerTo({ ...registration("normal"), email: "no es" })).toMatchObject({
      code: "invalid_email",
    });
  });

  test("username_taken: in any case and any normal form", async () => {
    expect(await answerTo(registration("ÑANDÚ"))).toMatchObject({ code: "ok" });
    for (const name of ["ñandú", "ñandú".normalize("NFD"), "ÑandÚ"]) {
      expect(await answerTo(registration(name))).toMatchObject({ code: "username_taken" });
    }
  });

  test("username_taken: of two registrations of one name at once one wins", async () => {
    const clients = await Promise.all([server.tls(), server.tls(), server.tls()]);
    const answers = await Promise.all(clients.map((client) => client.ask(registration("carrera"))));
    expect(answers.map((answer) => answer["code"]).sort()).toEqual([
      "ok",
      "username_taken",
      "username_taken",
    ]);
  });

  test("invalid_credentials: one answer for a wrong user and a wrong password", async () => {
    const wrongUser = await answerTo(loginOf("nadie"));
    const wrongPassword = await answerTo(loginOf("beto", { password: "equivocada" }));
    expect(wrongUser).toEqual(wrongPassword);
    expect(wrongUser).toMatchObject({
      action: "login_response",
      success: false,
      code: "invalid_credentials",
    });
  });

  test("invalid_credentials leaves the connection open for another try", async () => {
    const client = await server.plain();
    expect(await client.ask(loginOf("beto", { password: "x" }))).toMatchObject({
      code: "invalid_credentials",
    });
    expect(await client.ask(loginOf("beto"))).toMatchObject({ code: "ok" });
    client.close();
  });

  test("already_connected is said only after the right password", async () => {
    const { client } = await server.online("unica");
    expect(await answerTo(loginOf("unica", { password: "mala" }))).toMatchObject({
      code: "invalid_credentials",
    });
    expect(await answerTo(loginOf("unica"))).toMatchObject({ code: "already_connected" });
    expect(await answerTo(loginOf("unica", { public_key: newPublicKey() }))).toMatchObject({
      code: "already_connected",
    });
    expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  });

  test("account_disabled is said only after the right password", async () => {
    expect(await answerTo(loginOf("cerrada", { password: "mala" }))).toMatchObject({
      code: "invalid_credentials",
    });
    expect(await answerTo(loginOf("cerrada"))).toMatchObject({ code: "account_disabled" });
  });

  test("user_offline: not online, unknown, or oneself", async () => {
    const { client } = await server.online("sola");
    for (const target_user of ["carla", "nadie", "SOLA"]) {
      expect(await client.ask({ action: "request_p2p", target_user })).toEqual({
        action: "error",
        success: false,
        code: "user_offline",
        message: "El usuario no está conectado",
        request: "request_p2p",
        target_user,
      });
    }
  });

  test("internal_error: a fault of ours is answered, logged, and the server goes on", async () => {
    const client = await server.tls();
    expect(await client.ask(loginOf("rota"))).toMatchObject({
      action: "login_response",
      code: "internal_error",
    });
    expect(await client.ask(loginOf("carla"))).toMatchObject({ code: "ok" });
    expect(server.log.some((line) => line.includes('"event":"internal_error"'))).toBe(true);
    client.close();
  });

  test("server_busy: a password past the queue's bound is refused at once", async () => {
    const limits = { ...DEFAULT_LIMITS, waitingHashes: 3, failureRate: NO_LIMIT };
    const busy = await TestServer.start({ limits });
    const clients = await Promise.all(Array.from({ length: 60 }, () => busy.plain()));
    const answers = await Promise.all(clients.map((client) => client.ask(loginOf("nadie"))));
    const codes = new Set(answers.map((answer) => answer["code"]));
    expect(codes).toEqual(new Set(["invalid_credentials", "server_busy"]));
    await busy.stop();
  });
});

test("server_busy: a connection past the bound of those not logged in is told so and ended", async () => {
  const crowded = await TestServer.start({ clock: () => 0 });
  const clients: TestClient[] = [];
  for (let count = 0; count < DEFAULT_LIMITS.anonymous; count++) clients.push(await crowded.plain());
  expect(await (clients.at(-1) as TestClient).ask({ action: "ping" })).toMatchObject({ action: "pong" });
  const surplus = [await crowded.plain(), await crowded.tls()];
  for (const client of surplus) {
    expect(await client.answer()).toMatchObject({ action: "error", code: "server_busy" });
    await client.closed;
  }
  const first = clients[0] as TestClient;
  await crowded.addAccounts("ana");
  expect(await first.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
  // Logged in: there is room for one more.
  expect(await (await crowded.plain()).ask({ action: "ping" })).toMatchObject({ action: "pong" });
  await crowded.stop();
});

test("a thousand connections that ask once and fall silent keep nobody out", async () => {
  let now = 0;
  const crowded = await TestServer.start({ clock: () => now });
  const clients: TestClient[] = [];
  for (let count = 0; count < DEFAULT_LIMITS.anonymous; count++) {
    const client = await crowded.plain();
    expect(await client.ask({})).toMatchObject({ code: "bad_request" });
    clients.push(client);
  }
  now = MIN_SILENCE;
  const [first, second, third] = clients as [TestClient, TestClient, TestClient];
  expect(await first.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  const newcomers = [await crowded.plain(), await crowded.tls()];
  for (const newcomer of newcomers) {
    expect(await newcomer.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  }
  for (const silent of [second, third]) {
    expect(await silent.answer()).toMatchObject({ action: "error", code: "server_busy" });
    await silent.closed;
  }
  expect(await first.ask({ action: "ping" })).toMatchObject({ action: "pong" });
  const warnings = crowded.log.filter((line) => line.includes("too_many_not_logged_in"));
  expect(warnings.map((line) => JSON.parse(line) as Message)).toMatchObject([
    { level: "warn", limit: DEFAULT_LIMITS.anonymous, made_way: 1, refused: 0 },
  ]);
  await crowded.stop();
});

test("server_closing is pushed to all but legacy clients, and the request being answered is finished", async () => {
  const closing = await TestServer.start();
  const { client } = await closing.online("ana");
  const legacy = await closing.plain();
  const working = await closing.tls();
  await closing.addAccounts("beto");
  expect(await legacy.ask(loginOf("beto"))).toMatchObject({ code: "ok" });
  await working.ask({ action: "ping", id: 1 });
  working.send(registration("tarde"));
  // Answered in order on one connection: the registration is in work when this pong is here.
  await client.ask({ action: "ping" });
  const stopped = closing.server.stop();
  expect(await client.answer()).toMatchObject({ action: "error", code: "server_closing" });
  expect(await working.answer()).toMatchObject({ action: "error", code: "server_closing" });
  expect(await working.answer()).toMatchObject({ action: "register_response", code: "ok" });
  await Promise.all([client.closed, legacy.closed, working.closed, stopped]);
  expect(legacy.lines).toHaveLength(1);
  await closing.stop();
});
