import { describe, expect, test } from "bun:test";

import type { JsonObject } from "../../src/protocol/framing.ts";
import {
  MAX_DELIVERED_IDS,
  MAX_TEXT_BYTES,
  PEER_MESSAGES,
  readPeerMessage,
} from "../../src/protocol/peer-messages.ts";

const HASH = "0f".repeat(64);
const NONCE = "0f".repeat(32);
const HELLO = { action: "hello", protocol: 1, username: "ana", features: [] };

function invalid(source: JsonObject, field: string): void {
  expect(readPeerMessage(source)).toEqual({ action: "invalid", field });
}

function valid(source: JsonObject): void {
  expect(readPeerMessage(source)).toMatchObject({ action: source["action"] });
}

describe("chat", () => {
  test("is an object with a text and without an action, as legacy clients send it", () => {
    expect(readPeerMessage({ message: "hola" })).toEqual({ action: "chat", message: "hola" } as never);
    const whole = { message: "hola", id: "1", sent_at: "2025-10-03T12:00:00Z", reply_to: "0" };
    expect(readPeerMessage({ ...whole, more: 1 })).toEqual({ action: "chat", ...whole });
  });

  test("a text is not normalized", () => {
    expect(readPeerMessage({ message: "n\u0303\u0000\n" })).toMatchObject({ message: "n\u0303\u0000\n" });
  });

  test("a text has at most 32 KiB of UTF-8", () => {
    expect(MAX_TEXT_BYTES).toBe(32_768);
    expect(readPeerMessage({ message: "a".repeat(32_768) })).toMatchObject({ action: "chat" });
    invalid({ message: "a".repeat(32_769) }, "message");
    expect(readPeerMessage({ message: "ñ".repeat(16_384) })).toMatchObject({ action: "chat" });
    invalid({ message: "ñ".repeat(16_384) + "a" }, "message");
    expect(readPeerMessage({ message: "" })).toMatchObject({ action: "chat" });
  });

  test("a wrong field is named", () => {
    for (const [source, field] of [
      [{}, "message"],
      [{ message: 1 }, "message"],
      [{ message: null }, "message"],
      [{ message: "\ud800" }, "message"],
      [{ message: "a", id: "" }, "id"],
      [{ message: "a", id: 1 }, "id"],
      [{ message: "a", id: "i".repeat(65) }, "id"],
      [{ message: "a", reply_to: "i".repeat(65) }, "reply_to"],
      [{ message: "a", sent_at: 1 }, "sent_at"],
      [{ message: "a", sent_at: "0".repeat(41) }, "sent_at"],
      [{ username: "ana" }, "message"],
    ] as const) {
      invalid(source, field);
    }
  });

  test("an id has up to 64 characters, counted as code points", () => {
    expect(readPeerMessage({ message: "a", id: "🕊".repeat(64) })).toMatchObject({ id: "🕊".repeat(64) });
    invalid({ message: "a", id: "🕊".repeat(65) }, "id");
  });
});

describe("actions", () => {
  test("each is read with its fields, and no others", () => {
    for (const source of [
      HELLO,
      { action: "delivered", ids: ["1", "2"] },
      { action: "read", id: "1" },
      { action: "typing", active: false },
      { action: "ping" },
      { action: "pong" },
      { action: "bye" },
      { action: "held" },
      { action: "accepted" },
      { action: "error", code: "bad_request" },
      { action: "stream", transfer: "1" },
      { action: "edit", id: "2", target: "1", text: "hola" },
      { action: "withdraw", id: "2", target: "1" },
      { action: "verify_commit", hash: HASH },
      { action: "verify_reveal", hash: HASH, nonce: NONCE },
      { action: "verify_done", code: "ok" },
      {
        action: "stream",
        transfer: "1",
        ranges: [
          [0, 1_048_576],
          [2_097_152, null],
        ],
      },
      { action: "file_offer", id: "2", name: "a b/c", size: null },
      {
        action: "file_offer",
        id: "2",
        name: "a",
        size: 0,
        modified: "2026-11-22T12:00:00Z",
        entries: 100_000,
      },
      { action: "file_accept", id: "2", transfer: "1" },
      { action: "file_decline", id: "2", transfer: "1", reason: "too_large" },
      { action: "file_end", id: "2", transfer: "1", size: 1, digest: "ab".repeat(32) },
      { action: "file_done", id: "2", transfer: "1" },
      { action: "file_cancel", id: "2", transfer: "1", reason: "stopped" },
    ]) {
      expect(readPeerMessage({ ...source, more: 1 })).toEqual(source as never);
    }
    const isOfGroups = (action: string) => action.startsWith("group_");
    expect(
      Object.keys(PEER_MESSAGES)
        .filter((action) => !isOfGroups(action))
        .sort(),
    ).toEqual(
      [
        "hello",
        "delivered",
        "read",
        "typing",
        "ping",
        "pong",
        "bye",
        "held",
        "accepted",
        "error",
        "stream",
        "edit",
        "withdraw",
        "verify_commit",
        "verify_reveal",
        "verify_done",
        "file_offer",
        "file_accept",
        "file_decline",
        "file_end",
        "file_done",
        "file_cancel",
      ].sort(),
    );
  });

  test("an edit and a withdrawal name their target, and an edit has a text within the limit of texts", () => {
    const edit = { action: "edit", id: "2", target: "1", text: "x".repeat(MAX_TEXT_BYTES) };
    expect(readPeerMessage(edit)).toEqual(edit as never);
    invalid({ ...edit, text: `${edit.text}x` }, "text");
    invalid({ action: "edit", id: "2", target: "1", message: "hola" }, "text");
    invalid({ action: "edit", id: "2", text: "hola" }, "target");
    invalid({ action: "withdraw", id: "2", target: "x".repeat(65) }, "target");
    invalid({ action: "withdraw", target: "1" }, "id");
  });

  test("an unknown action is not a fault", () => {
    for (const action of ["chat", "invalid", "unknown", "", "HELLO", "x".repeat(10_000)]) {
      expect(readPeerMessage({ action, message: "hola" })).toEqual({ action: "unknown" });
    }
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"])(
    "a member of a prototype is no action: %s",
    (action) => {
      expect(readPeerMessage(JSON.parse(JSON.stringify({ action })))).toEqual({ action: "unknown" });
    },
  );

  test("an inherited action does not count", () => {
    const source: JsonObject = JSON.parse('{"__proto__":{"action":"bye"},"message":"hola"}');
    expect(readPeerMessage(source)).toMatchObject({ action: "chat", message: "hola" });
  });

  test("an action that is not a text is invalid", () => {
    for (const action of [null, 1, true, [], ["bye"], {}]) invalid({ action, message: "hola" }, "action");
  });
});

test("what is said of files has its limits", () => {
  const offer = { action: "file_offer", id: "2", name: "a", size: 1 } as const;
  for (const wrong of [
    { ...offer, name: "" },
    { ...offer, name: "x".repeat(1_025) },
    { ...offer, size: -1 },
    { ...offer, size: 2 ** 53 },
    { action: "file_offer", id: "2", name: "a" },
    { ...offer, entries: 0 },
    { ...offer, entries: 100_001 },
    { action: "file_end", id: "2", transfer: "1", size: null, digest: "ab".repeat(32) },
    { action: "file_end", id: "2", transfer: "1", size: 1, digest: "x".repeat(64) },
    { action: "file_decline", id: "2", transfer: "1", reason: "Too large." },
    { action: "stream", transfer: "1", ranges: Array.from({ length: 65 }, () => [0, 1]) },
    { action: "stream", transfer: "1", ranges: [[0]] },
  ])
    expect(readPeerMessage(wrong)).toMatchObject({ action: "invalid" });
});

describe("caps, at, under and over", () => {
  test("hello: the name", () => {
    invalid({ ...HELLO, username: "" }, "username");
    valid({ ...HELLO, username: "a".repeat(64) });
    invalid({ ...HELLO, username: "a".repeat(65) }, "username");
    expect(readPeerMessage({ ...HELLO, username: "n\u0303andu" })).toMatchObject({ username: "ñandu" });
  });

  test("hello: the protocol is an integer; values below 1 are accepted, so that they can be answered", () => {
    for (const protocol of [1, 2, 0, -1, 1_000_000]) valid({ ...HELLO, protocol });
    for (const protocol of ["1", 1.5, null, 1e999, 1_000_001]) invalid({ ...HELLO, protocol }, "protocol");
    invalid({ action: "hello", username: "ana", features: [] }, "protocol");
  });

  test("hello: 64 features of 32 characters", () => {
    valid({ ...HELLO, features: Array<string>(64).fill("f".repeat(32)) });
    invalid({ ...HELLO, features: Array<string>(65).fill("f") }, "features");
    invalid({ ...HELLO, features: ["f".repeat(33)] }, "features");
    invalid({ ...HELLO, features: "edit" }, "features");
    invalid({ ...HELLO, features: { 0: "edit", length: 1 } }, "features");
    invalid({ action: "hello", protocol: 1, username: "ana" }, "features");
  });

  test("delivered: 1,000 ids", () => {
    const id = "0199a8c4-5d2e-7c31-9b1f-3f2a6c9d1e40";
    valid({ action: "delivered", ids: [] });
    valid({ action: "delivered", ids: Array<string>(MAX_DELIVERED_IDS).fill(id) });
    invalid({ action: "delivered", ids: Array<string>(MAX_DELIVERED_IDS + 1).fill(id) }, "ids");
    invalid({ action: "delivered", ids: [1] }, "ids");
    invalid({ action: "delivered", ids: [""] }, "ids");
    invalid({ action: "delivered" }, "ids");
  });

  test("a commitment and a nonce are lower-case hexadecimal digits of their length", () => {
    valid({ action: "verify_commit" });
    for (const hash of ["", "0".repeat(127), "0".repeat(129), "F".repeat(128), "g".repeat(128), 5, null]) {
      invalid({ action: "verify_commit", hash }, "hash");
      invalid({ action: "verify_reveal", hash, nonce: NONCE }, "hash");
    }
    for (const nonce of [undefined, "", "0".repeat(63), "0".repeat(65), "F".repeat(64), "\n".repeat(64)])
      invalid({ action: "verify_reveal", hash: HASH, nonce }, "nonce");
    valid({ action: "verify_done", code: "c".repeat(64) });
    for (const code of [undefined, "", "c".repeat(65), 1]) invalid({ action: "verify_done", code }, "code");
  });

  test("read, typing, error, stream", () => {
    valid({ action: "read", id: "i".repeat(64) });
    invalid({ action: "read", id: "i".repeat(65) }, "id");
    invalid({ action: "read" }, "id");
    invalid({ action: "typing" }, "active");
    invalid({ action: "typing", active: 1 }, "active");
    valid({ action: "error", code: "c".repeat(64) });
    invalid({ action: "error", code: "c".repeat(65) }, "code");
    invalid({ action: "error" }, "code");
    valid({ action: "stream", transfer: "t".repeat(64) });
    invalid({ action: "stream", transfer: "t".repeat(65) }, "transfer");
  });
});
