import { expect, test } from "bun:test";

import { isPasswordAcceptable } from "../../src/protocol/account-rules.ts";

test("the length of a new password is counted in characters", () => {
  expect(isPasswordAcceptable("🕊".repeat(7))).toBe(false);
  expect(isPasswordAcceptable("🕊".repeat(8))).toBe(true);
  expect(isPasswordAcceptable("🕊".repeat(256))).toBe(true);
  expect(isPasswordAcceptable("🕊".repeat(257))).toBe(false);
});
