import { expect, test } from "bun:test";

import { encodeFrame, type JsonObject } from "../../src/protocol/framing.ts";
import { GROUP_MESSAGES } from "../../src/protocol/group-messages.ts";
import { readPeerMessage } from "../../src/protocol/peer-messages.ts";

const ID = `${"a".repeat(42)}A`;
const SHORT = "b".repeat(22);
const ENTRY = ["header", "s".repeat(86), "{}"];
const HEAD = [ID, 1, SHORT, 1, 2, SHORT, 0];

const of = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

const INVITE = {
  action: "group_invite",
  group: ID,
  feed: ID,
  title: "Familia",
  by: "ana",
  people: 5,
  entries: [ENTRY],
};
const DECLINE = { action: "group_decline", group: ID, feed: ID };
const GREETING = { action: "group_heads", group: ID, sum: ID };
const HEADS = { ...GREETING, heads: [HEAD], since: 1 };
const ENTRIES = { action: "group_entries", group: ID, entries: [ENTRY, ["h", "s", null]] };
const WANT = { action: "group_want", group: ID, bodies: [[ID, 7]] };
const FORK = { action: "group_fork", group: ID, feed: ID, lane: "t", entries: [ENTRY] };
const SEEN = { action: "group_seen", group: ID, seen: [[ID, 7, 3]] };
const ALL = [INVITE, DECLINE, GREETING, HEADS, ENTRIES, WANT, FORK, SEEN];

test("each is read with its fields, and no others", () => {
  for (const source of ALL) expect(readPeerMessage({ ...source, more: 1 })).toEqual(source as never);
  expect(new Set(ALL.map(({ action }) => action))).toEqual(new Set(Object.keys(GROUP_MESSAGES)));
});

test("a field that is missing is named", () => {
  const optional = new Set(["action", "heads", "since"]);
  for (const source of ALL) {
    for (const field of Object.keys(source).filter((name) => !optional.has(name))) {
      const { [field]: _, ...rest } = source as JsonObject;
      expect(readPeerMessage(rest)).toEqual({ action: "invalid", field });
    }
  }
});

test.each([
  [{ ...INVITE, title: "x".repeat(64) }, { ...INVITE, title: "x".repeat(65) }, "title"],
  [INVITE, { ...INVITE, title: "" }, "title"],
  [{ ...INVITE, by: "x".repeat(64) }, { ...INVITE, by: "x".repeat(65) }, "by"],
  [{ ...INVITE, people: 256 }, { ...INVITE, people: 257 }, "people"],
  [{ ...INVITE, people: 1 }, { ...INVITE, people: 0 }, "people"],
  [{ ...INVITE, entries: of(64, ENTRY) }, { ...INVITE, entries: of(65, ENTRY) }, "entries"],
  [{ ...HEADS, heads: of(1_024, HEAD) }, { ...HEADS, heads: of(1_025, HEAD) }, "heads"],
  [{ ...HEADS, since: 0 }, { ...HEADS, since: -1 }, "since"],
  [{ ...ENTRIES, entries: of(256, ENTRY) }, { ...ENTRIES, entries: of(257, ENTRY) }, "entries"],
  [{ ...WANT, bodies: of(100, [ID, 1]) }, { ...WANT, bodies: of(101, [ID, 1]) }, "bodies"],
  [{ ...WANT, bodies: [[ID, 1_000_000_000]] }, { ...WANT, bodies: [[ID, 1_000_000_001]] }, "bodies"],
  [{ ...FORK, entries: of(256, ENTRY) }, { ...FORK, entries: of(257, ENTRY) }, "entries"],
  [{ ...FORK, lane: "c" }, { ...FORK, lane: "x" }, "lane"],
  [{ ...SEEN, seen: of(256, [ID, 1, 1]) }, { ...SEEN, seen: of(257, [ID, 1, 1]) }, "seen"],
])("caps, at and over: %#", (at, over, field) => {
  expect(readPeerMessage(at)).toMatchObject({ action: at.action });
  expect(readPeerMessage(over)).toEqual({ action: "invalid", field });
});

test("an entry is a list of three strings, of which only the body may be null", () => {
  const whole = [["h".repeat(256), "s".repeat(86), "b".repeat(224 * 1024)]];
  expect(readPeerMessage({ ...ENTRIES, entries: whole })).toMatchObject({ action: "group_entries" });
  for (const entry of [
    [],
    ["h", "s"],
    ["h", "s", "b", "more"],
    [null, "s", "b"],
    ["h", null, "b"],
    ["h", "s", 1],
    ["h".repeat(257), "s", "b"],
    ["h", "s".repeat(87), "b"],
    ["h", "s", "b".repeat(224 * 1024 + 1)],
    ["h", "s", "\ud800"],
    { 0: "h", 1: "s", 2: "b", length: 3 },
  ])
    expect(readPeerMessage({ ...ENTRIES, entries: [entry] })).toEqual({
      action: "invalid",
      field: "entries",
    });
});

test("an id has its one form", () => {
  for (const id of ["", "a".repeat(43), `${"a".repeat(43)}A`, `${"a".repeat(41)}+A`, 1, null])
    expect(readPeerMessage({ ...DECLINE, feed: id })).toEqual({ action: "invalid", field: "feed" });
  for (const head of [
    HEAD.slice(1),
    [...HEAD, 0],
    HEAD.with(2, ID),
    HEAD.with(1, 1.5),
    HEAD.with(4, -1),
    HEAD.with(4, "2"),
  ])
    expect(readPeerMessage({ ...HEADS, heads: [head] })).toEqual({ action: "invalid", field: "heads" });
});

test("the sizes are those of the design", () => {
  expect(Buffer.byteLength(encodeFrame(GREETING))).toBeLessThanOrEqual(131);
});
