import { expect, test } from "bun:test";

import { CODES, isCode, sentenceFor } from "../../src/protocol/codes.ts";

test("these are the codes of the protocol, all and no others", () => {
  const specified =
    "ok bad_json bad_request unknown_action message_too_large not_logged_in already_logged_in invalid_username " +
    "weak_password invalid_email username_taken invalid_credentials already_connected session_replaced user_offline " +
    "cannot_meet no_meeting relay_full rate_limited tls_required server_busy server_closing account_disabled registration_closed internal_error";
  expect(CODES).toEqual(specified.split(" ") as never);
});

test("each code has one sentence in each language, on one line and without a full stop", () => {
  for (const code of CODES) {
    for (const language of ["es", "en"] as const) {
      expect(sentenceFor(code, language)).toMatch(/^\p{Lu}.*[^.\s]$/u);
    }
    expect(sentenceFor(code, "es")).not.toBe(sentenceFor(code, "en"));
  }
});

test("two codes never share a sentence", () => {
  for (const language of ["es", "en"] as const) {
    expect(new Set(CODES.map((code) => sentenceFor(code, language))).size).toBe(CODES.length);
  }
});

test("only the exact name of a code is known, not a member of a prototype", () => {
  expect(isCode("user_offline")).toBe(true);
  for (const name of ["", "OK", "constructor", "__proto__", "toString", "hasOwnProperty"]) {
    expect(isCode(name)).toBe(false);
  }
});
