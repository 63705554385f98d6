import { expect, test } from "bun:test";

import { reasonOf, ungreeted } from "../../../src/client/peer/dial.ts";

test.each([
  [{ name: "told", code: "busy" }, "busy"],
  [{ name: "told", code: "key_pending" }, "own_key_pending"],
  [{ name: "told", code: "unsupported_protocol" }, "greeting_refused"],
  [{ name: "local", code: "wrong_name" }, "bad_greeting"],
  [{ name: "local", code: "bad_json" }, "bad_greeting"],
  [{ name: "local", code: "hello_timeout" }, "no_greeting"],
  [{ name: "remote" }, "not_admitted"],
  // So does a client that terminates the connection.
  [{ name: "lost", code: "ECONNRESET" }, "not_admitted"],
  [{ name: "lost", code: "ETIMEDOUT" }, "line_broke"],
  [{ name: "lost", code: "EHOSTUNREACH" }, "line_broke"],
  [{ name: "lost", code: "ENETDOWN" }, "line_broke"],
] as const)("a link that ended before its greeting by %j is %s", (end, reason) => {
  expect(ungreeted(end)).toBe(reason);
});

test.each([
  [["timeout"], "no_answer"],
  [["timeout", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT"], "no_answer"],
  [["ENETUNREACH", "EHOSTUNREACH"], "unreachable"],
  [["timeout", "ECONNREFUSED"], "unreachable"],
  // The kernel of a machine whose program hangs has answered.
  [["timeout", "handshake_timeout"], "unreachable"],
  [["timeout", "CERT_HAS_EXPIRED"], "not_in_date"],
  [["another_name"], "not_proven"],
  [["timeout", "revoked"], "revoked"],
] as const)("dials that failed with %j are %s", (codes, reason) => {
  const failures = codes.map((code) => ({ ip: "192.0.2.1", port: 9000, code }));
  expect(reasonOf({ failures }, undefined)).toBe(reason);
});
