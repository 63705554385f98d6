import { describe, expect, test } from "bun:test";

import { MAX_TEXT_BYTES } from "../../../src/protocol/peer-messages.ts";
import { shownOnOpening } from "../../../src/ui/chat/effects.ts";
import { shownAtOnce } from "../../../src/ui/chat/history-effects.ts";
import { incoming } from "./chat-script.ts";

/** A page of messages with `seq` 1, 2, … and texts of this length. */
const page = (count: number, length = 10) => ({
  messages: Array.from({ length: count }, (_, index) => incoming(index + 1, "x".repeat(length))),
  isMore: false,
});

/** The first `seq` shown, and whether there are older messages. */
function firstShown(newest: ReturnType<typeof page>, unreadFrom?: number) {
  const { messages, isMore } = shownOnOpening(newest, unreadFrom);
  return [messages[0]?.seq, isMore];
}

describe("on opening, a chat shows", () => {
  test("a page of twenty messages, or fewer if there are no more", () => {
    expect(firstShown(page(500))).toEqual([481, true]);
    expect(firstShown(page(7))).toEqual([1, false]);
    expect(firstShown(page(0))).toEqual([undefined, false]);
  });

  test("all unread messages, and a page at least", () => {
    expect(firstShown(page(500), 101)).toEqual([101, true]);
    expect(firstShown(page(500), 499)).toEqual([481, true]);
    // The first unread one is before all of these.
    const { messages } = page(500);
    expect(firstShown({ messages: messages.slice(100), isMore: true }, 3)).toEqual([101, true]);
  });

  test("of many long messages no more than can be laid out at once", () => {
    expect(firstShown(page(500, MAX_TEXT_BYTES), 1)).toEqual([493, true]);
    expect(firstShown(page(500, MAX_TEXT_BYTES / 2), 1)).toEqual([485, true]);
    expect(firstShown(page(20, MAX_TEXT_BYTES))).toEqual([13, true]);
  });
});

test("a list or an older page of long messages is shorter, and never empty", () => {
  const { messages, isMore } = shownAtOnce(page(50, MAX_TEXT_BYTES));
  expect([messages.length, messages.at(-1)?.seq, isMore]).toEqual([8, 50, true]);
  expect(shownAtOnce(page(50))).toEqual(page(50));
});
