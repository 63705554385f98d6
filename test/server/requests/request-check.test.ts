import { describe, expect, test } from "bun:test";

import {
  allowedRequests,
  checkRequest,
  readRequest,
  type RequestContext,
} from "../../../src/server/requests/request-check.ts";

const REMOTE = { v4: "198.51.100.7", private: "192.168.1.9", loopback: "127.0.0.1" };

function refusalOf(object: { [name: string]: unknown }, context: Partial<RequestContext> = {}): string {
  const checked = checkRequest(readRequest(object), {
    allowed: "all",
    tlsPort: 8443,
    isClosing: false,
    isLoggedIn: false,
    ...context,
  });
  return checked.name === "accepted" ? "accepted" : checked.code;
}

describe("the plain link", () => {
  test("answers only the addresses that --plain-from allows", () => {
    const table = [
      ["loopback", REMOTE.loopback, "accepted"],
      ["loopback", "::1", "accepted"],
      ["loopback", REMOTE.private, "tls_required"],
      ["private", REMOTE.loopback, "accepted"],
      ["private", REMOTE.private, "accepted"],
      ["private", "fd00::5", "accepted"],
      ["private", "100.64.1.1", "accepted"],
      ["private", REMOTE.v4, "tls_required"],
      ["private", "2001:db8::1", "tls_required"],
      ["any", REMOTE.v4, "accepted"],
    ] as const;
    for (const [plainFrom, remoteAddress, expected] of table) {
      expect({
        plainFrom,
        remoteAddress,
        is: refusalOf({ action: "ping" }, { allowed: allowedRequests(plainFrom, remoteAddress) }),
      }).toEqual({
        plainFrom,
        remoteAddress,
        is: expected,
      });
    }
  });

  test("never accepts keys and tokens, from any machine, for any --plain-from", () => {
    const requests = [
      { action: "login", username: "ana", password: "x", p2p_port: 1, public_key: "" },
      { action: "resume" },
      { action: "renew" },
      { action: "change_password" },
      { action: "delete_account" },
    ];
    for (const request of requests) {
      for (const remoteAddress of [REMOTE.private, REMOTE.v4, REMOTE.loopback, "::1"]) {
        expect(refusalOf(request, { allowed: allowedRequests("any", remoteAddress) })).toBe("tls_required");
        expect(
          refusalOf({ ...request, id: {} }, { allowed: allowedRequests("loopback", remoteAddress) }),
        ).toBe("tls_required");
      }
      expect(refusalOf(request)).not.toBe("tls_required");
    }
  });
});

test("whether a login is needed is checked before the fields", () => {
  expect(refusalOf({ action: "request_p2p" })).toBe("not_logged_in");
  expect(refusalOf({ action: "request_p2p" }, { isLoggedIn: true })).toBe("bad_request");
  expect(refusalOf({ action: "request_p2p", target_user: "ana" }, { isLoggedIn: true })).toBe("accepted");
  expect(refusalOf({ action: "register", username: "ana", password: "x" }, { isLoggedIn: true })).toBe(
    "accepted",
  );
});

test("a server that is closing begins nothing", () => {
  expect(refusalOf({ action: "ping" }, { isClosing: true })).toBe("server_closing");
  expect(refusalOf({ action: "dance" }, { isClosing: true })).toBe("unknown_action");
});

test("an id is a string of at most 64 characters or a safe integer", () => {
  for (const id of ["", "🕊".repeat(64), 0, -5, Number.MAX_SAFE_INTEGER]) {
    expect(refusalOf({ action: "ping", id })).toBe("accepted");
  }
  for (const id of ["x".repeat(65), "\ud800", 1.5, 2 ** 53, Infinity, null, true, [], {}]) {
    expect(refusalOf({ action: "ping", id })).toBe("bad_request");
  }
});

test("no field is found on the prototype", () => {
  const inherited = Object.create({ action: "ping", id: 1 }) as { [name: string]: unknown };
  expect(refusalOf(inherited)).toBe("bad_request");
  expect(readRequest(inherited).isLegacy).toBe(true);
  for (const action of ["constructor", "toString", "__proto__"]) {
    expect(refusalOf({ action })).toBe("unknown_action");
    expect(readRequest({ action }).isLegacy).toBe(true);
  }
});

test("the language is read from login and resume only, and counts even if the rest is wrong", () => {
  expect(readRequest({ action: "login", lang: "en" }).language).toBe("en");
  expect(readRequest({ action: "resume", lang: "es" }).language).toBe("es");
  expect(readRequest({ action: "login", lang: "fr" }).language).toBeUndefined();
  expect(readRequest({ action: "ping", lang: "en" }).language).toBeUndefined();
});
