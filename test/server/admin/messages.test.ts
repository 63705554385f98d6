import { expect, test } from "bun:test";

import {
  ADMIN_OBJECT_LIMIT,
  MAX_ARGUMENT,
  PAGE_LINES,
  readReply,
  readRequest,
  type AdminReply,
} from "../../../src/server/admin/messages.ts";

test("an object that is not a valid request is not read", () => {
  for (const wrong of [
    {},
    { command: "constructor" },
    { command: "__proto__" },
    { command: 1 },
    { command: "disable" },
    { command: "disable", name: 5 },
    { command: "disable", name: "" },
    { command: "disable", name: "\ud800" },
    { command: "disable", name: "x".repeat(MAX_ARGUMENT + 1) },
    { command: "users", search: "", after: null },
  ]) {
    expect(readRequest(wrong)).toBeUndefined();
  }
  expect(readRequest({ command: "disable", name: "ana", other: 1 })).toEqual({
    command: "disable",
    name: "ana",
  });
});

test("an object that is not a valid reply is not read", () => {
  for (const wrong of [{}, { name: "hasOwnProperty" }, { name: "done" }, { name: "refused", code: "x" }]) {
    expect(readReply(wrong)).toBeUndefined();
  }
  expect(readReply({ name: "refused", code: "unknown_user" })).toEqual({
    name: "refused",
    code: "unknown_user",
  });
});

test("a page of the longest lines fits into one object", () => {
  const user = { username: '"'.repeat(64), email: "\u0001".repeat(254), made: "\u0001".repeat(254) };
  const line = { ...user, online: true, disabled: true };
  const reply: AdminReply = { name: "users", users: Array(PAGE_LINES).fill(line), next: '"'.repeat(64) };
  const text = JSON.stringify(reply);
  expect(Buffer.byteLength(text)).toBeLessThan(ADMIN_OBJECT_LIMIT);
  expect(readReply(JSON.parse(text) as { [name: string]: unknown })).toEqual(reply);
});
