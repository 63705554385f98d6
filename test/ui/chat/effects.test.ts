import { describe, expect, test } from "bun:test";

import { MAX_TEXT_BYTES } from "../../../src/protocol/peer-messages.ts";
import { firstShown } from "../../../src/ui/chat/effects.ts";

/** Messages with `seq` 1, 2, … and texts of this length. */
const messages = (count: number, length = 10) =>
  Array.from({ length: count }, (_, index) => ({ seq: index + 1, text: "x".repeat(length) }));

describe("on opening, a chat shows", () => {
  test("a page of twenty messages, or fewer if there are no more", () => {
    expect(firstShown(messages(500), undefined)).toBe(480);
    expect(firstShown(messages(7), undefined)).toBe(0);
    expect(firstShown([], undefined)).toBe(0);
  });

  test("all unread messages, and a page at least", () => {
    expect(firstShown(messages(500), 101)).toBe(100);
    expect(firstShown(messages(500), 499)).toBe(480);
    // The first unread one is before all of these.
    expect(firstShown(messages(500).slice(100), 3)).toBe(0);
  });

  test("of many long unread messages no more than a page of the longest: they take seconds to lay out", () => {
    expect(firstShown(messages(500, MAX_TEXT_BYTES), 1)).toBe(480);
    expect(firstShown(messages(500, MAX_TEXT_BYTES / 2), 1)).toBe(460);
    expect(firstShown(messages(20, MAX_TEXT_BYTES), undefined)).toBe(0);
  });
});
