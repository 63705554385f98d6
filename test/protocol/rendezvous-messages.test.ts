import { describe, expect, test } from "bun:test";

import { readFields, type Fields } from "../../src/protocol/fields.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import {
  ACTIONS,
  MAX_PAGE,
  MAX_WATCHED,
  readRequestId,
  RESPONSE_ACTION,
  RESPONSES,
} from "../../src/protocol/rendezvous-messages.ts";

type Source = { [name: string]: unknown };

/** One right request of each action, with every field. */
const REQUESTS: { [action: string]: Source } = {
  register: { username: "ana", password: "contraseña", email: "ana@example.org" },
  login: {
    username: "ana",
    password: "contraseña",
    p2p_port: 9000,
    public_key: "MCow",
    addresses: ["10.0.0.1"],
    lang: "es",
    relay_only: true,
  },
  get_users: { prefix: "a", after: "ana", limit: 100 },
  request_p2p: { target_user: "bea" },
  resume: {
    session_token: "t",
    p2p_port: 9000,
    public_key: "MCow",
    addresses: ["10.0.0.1"],
    lang: "en",
    relay_only: false,
  },
  renew: { public_key: "MCow" },
  watch: { users: ["bea"] },
  ping: {},
  revocations: { after: `1767225601.${"a".repeat(40)}` },
  reach: { addresses: ["10.0.0.1"], mapped: [{ ip: "203.0.113.9", port: 9_000 }], check: true },
  connect: { target_user: "bea", purpose: "stream", transfer: "t1" },
  logout: {},
  change_password: { password: "old", new_password: "new password" },
  delete_account: { password: "old" },
};

function read(fields: Fields | undefined, source: Source): string {
  const result = readFields(fields ?? {}, source);
  return result.ok ? "ok" : result.field;
}

/** "ok" or the wrong field, for a correct request with `change` applied. */
function request(action: string, change: Source): string {
  return read(ACTIONS.get(action)?.fields, { ...REQUESTS[action], ...change });
}

describe("requests", () => {
  test("are exactly these, and each valid one is read completely", () => {
    expect([...ACTIONS.keys()].sort()).toEqual(Object.keys(REQUESTS).sort());
    for (const [action, source] of Object.entries(REQUESTS)) {
      expect(readFields(ACTIONS.get(action)?.fields ?? {}, { ...source, more: 1 })).toEqual({
        ok: true,
        value: source as never,
      });
    }
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty", ""])("«%s» is no action", (action) => {
    expect(ACTIONS.get(action)).toBeUndefined();
  });

  test("those of legacy clients are marked, and so is each field that those lack", () => {
    const legacy = [...ACTIONS].filter(([, entry]) => entry.legacy).map(([action]) => action);
    expect(legacy).toEqual(["register", "login", "get_users", "request_p2p"]);
    expect(ACTIONS.get("register")?.added).toEqual([]);
    expect(ACTIONS.get("login")?.added).toEqual([
      "public_key",
      "key_proof",
      "addresses",
      "lang",
      "replace",
      "relay_only",
    ]);
    expect(ACTIONS.get("get_users")?.added).toEqual(["prefix", "after", "limit"]);
    expect(ACTIONS.get("request_p2p")?.added).toEqual([]);
  });

  test("each has the action of its response", () => {
    expect(Object.keys(RESPONSE_ACTION).sort()).toEqual([...ACTIONS.keys()].sort());
    expect(RESPONSE_ACTION.login).toBe("login_response");
    expect(RESPONSE_ACTION.resume).toBe("login_response");
    expect(RESPONSE_ACTION.ping).toBe("pong");
    for (const action of Object.values(RESPONSE_ACTION)) expect(Object.hasOwn(RESPONSES, action)).toBe(true);
  });

  test("a missing required field is named", () => {
    const required: { [action: string]: string[] } = {
      register: ["username", "password"],
      login: ["username", "password", "p2p_port"],
      request_p2p: ["target_user"],
      resume: ["session_token", "p2p_port", "public_key"],
      renew: ["public_key"],
      watch: ["users"],
      connect: ["target_user"],
      change_password: ["password", "new_password"],
      delete_account: ["password"],
    };
    for (const [action, source] of Object.entries(REQUESTS)) {
      for (const field of Object.keys(source)) {
        const expected = required[action]?.includes(field) ? field : "ok";
        expect(`${action} ${request(action, { [field]: undefined })}`).toBe(`${action} ${expected}`);
        expect(request(action, { [field]: null })).toBe(field);
      }
    }
  });

  test("what legacy clients send is enough", () => {
    expect(read(ACTIONS.get("register")?.fields, { username: "ana", password: "x", email: "" })).toBe("ok");
    expect(read(ACTIONS.get("login")?.fields, { username: "ana", password: "x", p2p_port: 9000 })).toBe("ok");
    expect(read(ACTIONS.get("get_users")?.fields, {})).toBe("ok");
  });
});

describe("caps of requests, at, under and over", () => {
  test("names: one that no account can have is accepted up to 256 characters, to be answered as such", () => {
    for (const [action, field] of [
      ["register", "username"],
      ["login", "username"],
      ["request_p2p", "target_user"],
    ] as const) {
      expect(request(action, { [field]: "" })).toBe(field);
      expect(request(action, { [field]: "a" })).toBe("ok");
      expect(request(action, { [field]: "🕊".repeat(256) })).toBe("ok");
      expect(request(action, { [field]: "a".repeat(257) })).toBe(field);
    }
  });

  test("names and passwords arrive in NFC", () => {
    const login = readFields(ACTIONS.get("login")?.fields ?? {}, {
      ...REQUESTS["login"],
      username: "n\u0303andu",
      password: "contrasen\u0303a",
    });
    expect(login).toMatchObject({ ok: true, value: { username: "ñandu", password: "contraseña" } });
  });

  test("passwords of any length that fits in a message reach the check that explains", () => {
    expect(request("login", { password: "" })).toBe("ok");
    expect(request("register", { password: "x".repeat(RENDEZVOUS_OBJECT_LIMIT) })).toBe("ok");
    expect(request("register", { password: "x".repeat(RENDEZVOUS_OBJECT_LIMIT + 1) })).toBe("password");
    expect(request("login", { password: "\ud800" })).toBe("password");
    expect(request("login", { password: 12345678 })).toBe("password");
  });

  test("ports: 1 to 65535", () => {
    for (const action of ["login", "resume"]) {
      for (const good of [1, 65_535]) expect(request(action, { p2p_port: good })).toBe("ok");
      for (const bad of [0, 65_536, -1, 1.5, "9000", 1e999])
        expect(request(action, { p2p_port: bad })).toBe("p2p_port");
    }
  });

  test("addresses: 8 IP literals that can be dialled", () => {
    expect(request("login", { addresses: [] })).toBe("ok");
    expect(request("login", { addresses: Array<string>(8).fill("fd00::1") })).toBe("ok");
    expect(request("login", { addresses: Array<string>(9).fill("fd00::1") })).toBe("addresses");
    for (const bad of [
      "0.0.0.0",
      "::",
      "224.0.0.1",
      "ff02::1",
      "255.255.255.255",
      "example.org",
      "fe80::1%1",
    ]) {
      expect(request("login", { addresses: [bad] })).toBe("addresses");
    }
    const read = readFields(ACTIONS.get("login")?.fields ?? {}, {
      ...REQUESTS["login"],
      addresses: ["::ffff:a00:1", "FD00:0::1"],
    });
    expect(read).toMatchObject({ ok: true, value: { addresses: ["10.0.0.1", "fd00::1"] } });
  });

  test("a page: 1 to 500", () => {
    for (const good of [1, MAX_PAGE]) expect(request("get_users", { limit: good })).toBe("ok");
    for (const bad of [0, MAX_PAGE + 1, "100"]) expect(request("get_users", { limit: bad })).toBe("limit");
    expect(request("get_users", { prefix: "", after: "" })).toBe("ok");
  });

  test("a watch: 1,000 names", () => {
    expect(request("watch", { users: [] })).toBe("ok");
    expect(request("watch", { users: Array<string>(MAX_WATCHED).fill("bea") })).toBe("ok");
    expect(request("watch", { users: Array<string>(MAX_WATCHED + 1).fill("bea") })).toBe("users");
    expect(request("watch", { users: ["bea", 1] })).toBe("users");
  });

  test("email, key, token, language", () => {
    expect(request("register", { email: "e".repeat(1_024) })).toBe("ok");
    expect(request("register", { email: "e".repeat(1_025) })).toBe("email");
    expect(request("renew", { public_key: "" })).toBe("public_key");
    expect(request("renew", { public_key: "k".repeat(1_024) })).toBe("ok");
    expect(request("renew", { public_key: "k".repeat(1_025) })).toBe("public_key");
    expect(request("resume", { session_token: "" })).toBe("session_token");
    expect(request("resume", { session_token: "t".repeat(256) })).toBe("ok");
    expect(request("resume", { session_token: "t".repeat(257) })).toBe("session_token");
    expect(request("login", { lang: "fr" })).toBe("lang");
  });
});

describe("the id of a request", () => {
  test("is a text of at most 64 characters or a safe integer, and is repeated unchanged", () => {
    for (const id of ["", "a", "🕊".repeat(64), "n\u0303", 0, -5, Number.MAX_SAFE_INTEGER]) {
      expect(readRequestId(id)).toBe(id);
    }
  });

  test("may be absent", () => {
    expect(readRequestId(undefined)).toBeUndefined();
  });

  test("is nothing else", () => {
    for (const id of [null, "a".repeat(65), "🕊".repeat(65), "\ud800", 1.5, 1e999, 2 ** 53, true, [], {}]) {
      expect(readRequestId(id)).toBe("invalid");
    }
  });
});

describe("what a client reads of a server", () => {
  const USER = { username: "bea", ip: "10.0.0.2", p2p_port: 9000, secure: true };
  const INFO = { target_user: "bea", target_ip: "10.0.0.2", target_port: 9000, secure: true };

  test("a list has at most 500 users, each of them whole", () => {
    const users = RESPONSES.users_list;
    expect(read(users, { users: [] })).toBe("ok");
    expect(read(users, { users: Array(MAX_PAGE).fill(USER), next: "bea" })).toBe("ok");
    expect(read(users, { users: Array(MAX_PAGE + 1).fill(USER) })).toBe("users");
    for (const wrong of [{ p2p_port: 0 }, { username: "" }, { ip: "1".repeat(65) }, { secure: 1 }]) {
      expect(read(users, { users: [{ ...USER, ...wrong }] })).toBe("users");
    }
    expect(read(users, { users: [[]] })).toBe("users");
    expect(read(users, {})).toBe("users");
  });

  test("names are no longer than an account's can be", () => {
    const [longest, longer] = ["ñ".repeat(64), "ñ".repeat(65)];
    const taken = (username: string) => [
      read(RESPONSES.users_list, { users: [{ ...USER, username }] }),
      read(RESPONSES.users_list, { users: [], next: username }),
      read(RESPONSES.p2p_info, { ...INFO, target_user: username }),
      read(RESPONSES.login_response, { username }),
      read(RESPONSES.watch_response, { online: [username] }),
      read(RESPONSES.presence, { username, online: true }),
    ];
    expect(taken(longest)).toEqual(Array(6).fill("ok"));
    expect(taken(longer)).toEqual(["users", "next", "target_user", "username", "online", "username"]);
  });

  test("a candidate of an unknown kind does not invalidate the others", () => {
    const candidates = [
      { kind: "relay", where: "elsewhere" },
      { kind: "direct", ip: "::1", port: 9000 },
    ];
    expect(read(RESPONSES.p2p_info, { ...INFO, candidates })).toBe("ok");
    expect(read(RESPONSES.p2p_info, { ...INFO, candidates: Array(65).fill(candidates[1]) })).toBe(
      "candidates",
    );
    expect(read(RESPONSES.p2p_info, { ...INFO, candidates: [{ ip: "::1", port: 1 }] })).toBe("candidates");
  });

  test("a fingerprint has 64 characters", () => {
    expect(read(RESPONSES.p2p_info, { ...INFO, fingerprint: "a".repeat(64) })).toBe("ok");
    expect(read(RESPONSES.p2p_info, { ...INFO, fingerprint: "a".repeat(63) })).toBe("fingerprint");
    expect(read(RESPONSES.p2p_info, { ...INFO, fingerprint: "a".repeat(65) })).toBe("fingerprint");
  });

  test("a failure has a code; other fields may be absent, and an invalid one is named", () => {
    expect(read(RESPONSES.failure, { code: "user_offline" })).toBe("ok");
    expect(read(RESPONSES.failure, {})).toBe("code");
    expect(read(RESPONSES.failure, { code: "x".repeat(65) })).toBe("code");
    expect(read(RESPONSES.failure, { code: "x", message: "m".repeat(1_025) })).toBe("message");
    expect(read(RESPONSES.failure, { code: "rate_limited", retry_after: 86_400 })).toBe("ok");
    expect(read(RESPONSES.failure, { code: "rate_limited", retry_after: 86_401 })).toBe("retry_after");
    expect(read(RESPONSES.failure, { code: "rate_limited", retry_after: -1 })).toBe("retry_after");
  });

  test("login, renew, watch, presence and pong are checked field by field", () => {
    expect(read(RESPONSES.login_response, { username: "ana" })).toBe("ok");
    expect(read(RESPONSES.login_response, { username: "ana", certificate: "c".repeat(8_193) })).toBe(
      "certificate",
    );
    expect(read(RESPONSES.login_response, { username: "ana", new_key: "no" })).toBe("new_key");
    expect(read(RESPONSES.renew_response, { certificate: "c", expires_at: "e" })).toBe("time");
    expect(read(RESPONSES.watch_response, { online: Array(MAX_WATCHED + 1).fill("bea") })).toBe("online");
    expect(read(RESPONSES.presence, { username: "bea", online: 1 })).toBe("online");
    expect(read(RESPONSES.pong, { time: "t" })).toBe("authority");
  });
});
