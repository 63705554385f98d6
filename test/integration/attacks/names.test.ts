/**
 * Names that are not what they seem. With the keys that every object has, the attacker wants to reach into the
 * program (an account without a row, a permission, a server that throws); with other spellings of a name, to be taken
 * for its owner, or to try the owner's password beyond the limit.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { fold } from "../../../src/identity/names.ts";
import { loginOf, newPublicKey, PASSWORD, registration, type Message } from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

describe("keys that every object has", () => {
  /** Of `Object.prototype`: the ones that are no usernames, and the ones that are. */
  const KEYS = ["__proto__", "__defineGetter__", "__lookupSetter__"];
  const NAMES = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "prototype"];

  test("as usernames they are unknown until somebody registers them, and then that person's", async () => {
    const { client: watcher } = await server.online("testigo");
    expect(await watcher.ask({ action: "watch", users: [...KEYS, ...NAMES] })).toMatchObject({ online: [] });
    const client = await server.tls();
    for (const name of [...KEYS, ...NAMES]) {
      expect(await client.ask(loginOf(name))).toMatchObject({ code: "invalid_credentials" });
      expect(await watcher.ask({ action: "request_p2p", target_user: name })).toMatchObject({
        code: "user_offline",
      });
      expect(await watcher.ask({ action: "get_users", prefix: name })).toMatchObject({ users: [] });
    }
    for (const name of KEYS) {
      expect(await client.ask(registration(name))).toMatchObject({ code: "invalid_username" });
    }
    expect(await client.ask(registration("constructor"))).toMatchObject({ code: "ok" });
    expect(await client.ask(registration("Constructor"))).toMatchObject({ code: "username_taken" });
    const login = loginOf("constructor", { public_key: newPublicKey() });
    expect(await client.ask(login)).toMatchObject({ code: "ok", username: "constructor" });
    expect(await watcher.next()).toEqual({ action: "presence", username: "constructor", online: true });
    expect(await watcher.ask({ action: "request_p2p", target_user: "constructor" })).toMatchObject({
      action: "p2p_info",
      target_user: "constructor",
    });
    client.close();
    expect(await watcher.next()).toEqual({ action: "presence", username: "constructor", online: false });
    watcher.close();
  });

  test("as actions, fields, ids, values and passwords they change nothing for others", async () => {
    await server.addAccounts("objeto");
    const client = await server.tls();
    const line = async (text: string): Promise<Message> => {
      client.write(`${text}\n`);
      return client.next();
    };
    for (const key of [...KEYS, ...NAMES]) {
      expect(await client.ask({ action: key })).toMatchObject({ code: "unknown_action", request: key });
      expect(await client.ask({ action: "ping", id: key })).toMatchObject({ action: "pong", id: key });
      const lang = loginOf("objeto", { lang: key });
      expect(await client.ask(lang)).toMatchObject({ code: "bad_request" });
      const password = loginOf("objeto", { password: key });
      expect(await client.ask(password)).toMatchObject({ code: "invalid_credentials" });
      expect(
        await line(`{"action":"register","username":"campo","${key}":{"password":"secreta12"}}`),
      ).toMatchObject({
        code: "bad_request",
      });
    }
    // Fields that an object is given with its prototype are not its own.
    expect(await line('{"__proto__":{"action":"ping"}}')).toMatchObject({ code: "bad_request" });
    const inherited = '"__proto__":{"username":"objeto","password":"secreta12","p2p_port":9001}';
    expect(await line(`{"action":"login",${inherited}}`)).toMatchObject({ code: "bad_request" });
    expect(await line('{"action":"ping","id":{"toString":1}}')).toMatchObject({ code: "bad_request" });
    expect(await line('{"action":"get_users","__proto__":{"state":{"name":"loggedIn"}}}')).toMatchObject({
      code: "not_logged_in",
    });
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { username?: unknown; action?: unknown }).username).toBeUndefined();
    expect(await client.ask(loginOf("objeto"))).toMatchObject({ code: "ok" });
    expect(server.log.filter((entry) => entry.includes("internal_error"))).toEqual([]);
    client.close();
  });
});

describe("twins", () => {
  /** Other spellings of one name: its owner's, and nobody else's. */
  const SAME: readonly [name: string, twins: readonly string[]][] = [
    ["Lucía", ["LUCÍA", "lucía", "lucía".normalize("NFD"), "LUCI\u0301A"]],
    // KELVIN SIGN and ANGSTROM SIGN are other code points for K and Å; Ẓ̇'s marks come in any order.
    ["Kilo", ["\u212Ailo", "KILO"]],
    ["Ångström", ["\u212Bngström", "A\u030Angstro\u0308m"]],
    ["weiß", ["WEI\u1E9E", "Weiß"]],
    ["mận".normalize("NFC"), ["ma\u0302\u0323n", "ma\u0323\u0302n"]],
  ];
  /** What looks like «lucia», «kilo», «office», «weiss» or «istanbul» and is none of them. */
  const FOREIGN: readonly string[] = [
    ..."ｌｕｃｉａ ＬＵＣＩＡ ⓛucia 𝐥ucia ᴸucia ofﬁce oﬀice ǆuro ĸilo ſilo lucıa".split(" "),
    "İstanbul",
    // Cyrillic а, Greek ο, Armenian օ, Cherokee Ꭺ.
    "luci\u0430",
    "kil\u03bf",
    "kil\u0585",
    "\u13aana",
    // A mark that no letter takes up, two that hide, one that turns the text around.
    "luci\u0361a",
    "lucia\u200b",
    "lu\u00adcia",
    "\u202eaicul",
    "lucia\ufe0f",
    "lucia ",
    "\u00a0lucia",
  ];

  test("another spelling of a name is the same user: in registration, login, request and watch", async () => {
    const { client: watcher } = await server.online("vigía");
    for (const [name, twins] of SAME) {
      const client = await server.tls();
      expect(await client.ask(registration(name))).toMatchObject({ code: "ok" });
      for (const twin of twins) {
        expect(twin).not.toBe(name);
        expect(await client.ask(registration(twin))).toMatchObject({ code: "username_taken" });
        const own = await server.tls();
        expect(await own.ask(loginOf(twin))).toMatchObject({ code: "ok", username: name });
        expect(await client.ask(loginOf(twin))).toMatchObject({ code: "already_connected" });
        expect(await watcher.ask({ action: "request_p2p", target_user: twin })).toMatchObject({
          target_user: name,
        });
        expect(await watcher.ask({ action: "watch", users: [twin] })).toMatchObject({ online: [name] });
        own.close();
        expect(await watcher.next()).toEqual({ action: "presence", username: name, online: false });
        expect(await watcher.ask({ action: "watch", users: [] })).toMatchObject({ online: [] });
      }
      client.close();
    }
    watcher.close();
  });

  test("a name that only looks like another cannot be registered, and is unknown", async () => {
    const { client: watcher } = await server.online("centinela");
    const names = ["lucia", "kilo2", "office", "istanbul", "silo", "duro"];
    for (const name of names) await server.online(name);
    const client = await server.tls();
    const folds = new Set([...names, "kilo", "juro"].map(fold));
    for (const name of FOREIGN) {
      expect(folds.has(fold(name))).toBe(false);
      expect({ name, ...(await client.ask(registration(name))) }).toMatchObject({
        name,
        code: "invalid_username",
      });
      expect(await watcher.ask({ action: "request_p2p", target_user: name })).toMatchObject({
        code: "user_offline",
      });
    }
    for (const name of FOREIGN.slice(0, 4)) {
      expect(await client.ask(loginOf(name))).toMatchObject({ code: "invalid_credentials" });
    }
    expect(await watcher.ask({ action: "watch", users: FOREIGN })).toMatchObject({ online: [] });
    // ß is a letter of its own and no ss: they are two people, whose names look different.
    expect(await client.ask(registration("weiss"))).toMatchObject({ code: "ok" });
    for (const each of [client, watcher]) each.close();
  });

  test("a password is compared in normal form, however its accents are encoded, and with its case", async () => {
    const client = await server.tls();
    const password = "contraseña é".normalize("NFC");
    expect(await client.ask(registration("acentos", password))).toMatchObject({ code: "ok" });
    const wrong = [password.toUpperCase(), password.normalize("NFKD").replace(/\p{M}/gu, ""), PASSWORD];
    for (const each of wrong) {
      expect(await client.ask(loginOf("acentos", { password: each }))).toMatchObject({
        code: "invalid_credentials",
      });
    }
    const decomposed = loginOf("acentos", { password: password.normalize("NFD") });
    expect(await client.ask(decomposed)).toMatchObject({ code: "ok" });
    client.close();
  });
});
