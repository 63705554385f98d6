import { expect, test } from "bun:test";

import { errorJson, errorOf, RequestError } from "../../src/client/error-json.ts";
import {
  ActionError,
  GroupError,
  isStorageFailure,
  PasswordNeededError,
  RefusedError,
  SelfError,
  ServerError,
} from "../../src/client/errors.ts";

const ERRORS: readonly Error[] = [
  new ServerError("server_unreachable"),
  new ServerError("server_changed", { expected: "aa", found: "bb" }),
  new RefusedError("rate_limited", "slowly", 7),
  new RefusedError("invalid_credentials", "no"),
  new PasswordNeededError(false),
  new PasswordNeededError(true),
  new ActionError("already_left"),
  new GroupError("not_above"),
  new SelfError(),
  new RequestError("unknown_command", "dance"),
];

test("each error comes out of its JSON line with its class and its fields, for another process", () => {
  for (const error of ERRORS) {
    const read = errorOf(JSON.parse(JSON.stringify(errorJson(error))));
    expect(read.constructor).toBe(error.constructor);
    expect({ ...read, message: read.message }).toEqual({ ...error, message: error.message });
  }
});

test("a failure of the disk is one in the other process, too", () => {
  const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  const read = errorOf(JSON.parse(JSON.stringify(errorJson(full))));
  expect(isStorageFailure(read)).toBe(true);
  expect(read.message).toBe(full.message);
});

test("any other error keeps its message, and what is no error becomes one", () => {
  expect(errorJson(new TypeError("a bug"))).toMatchObject({ code: "internal_error", message: "a bug" });
  expect(errorOf(errorJson("thrown text")).message).toBe("thrown text");
  for (const json of [undefined, null, 7, "x", [], {}, { kind: "constructor" }])
    expect(errorOf(json)).toBeInstanceOf(Error);
});
