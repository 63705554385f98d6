import { expect, test } from "bun:test";

import { LineReader, MEETING_LINE_LIMIT, readMeetingLine } from "../../src/protocol/meeting-messages.ts";

const TICKET = "a".repeat(43);

test("lines are cut however their bytes come, and what follows the last is given back", () => {
  const bytes = Buffer.from('{"action":"relay"}\n{"action":"ready"}\n\x16\x03\x01');
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new LineReader();
    const lines: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size));
      for (let line = reader.next(); line !== undefined; line = reader.next()) lines.push(line);
    }
    expect(lines).toEqual([{ action: "relay" }, { action: "ready" }]);
    expect(Buffer.from(reader.takeRest()).toString("hex")).toBe("160301");
    expect(reader.takeRest()).toHaveLength(0);
  }
});

test("a line over the limit is a fault, complete or not", () => {
  const line = (length: number) => `{"action":"${"x".repeat(length - 13)}"}`;
  for (const [length, isFault] of [
    [MEETING_LINE_LIMIT, false],
    [MEETING_LINE_LIMIT + 1, true],
  ] as const) {
    for (const end of ["", "\n"]) {
      const reader = new LineReader();
      reader.push(Buffer.from(line(length) + end));
      expect(reader.next() === "fault").toBe(isFault);
    }
  }
});

test.each(["{]", "[]", "null", "7", "", "\u0000"])("%j is no line", (text) => {
  const reader = new LineReader();
  reader.push(Buffer.from(`${text}\n`));
  expect(reader.next()).toBe("fault");
});

test("a client says only this", () => {
  expect(readMeetingLine({ action: "meet", ticket: TICKET, relay: true, more: 1 })).toEqual({
    action: "meet",
    ticket: TICKET,
    relay: true,
  });
  expect(readMeetingLine({ action: "observe", ticket: TICKET })).toEqual({
    action: "observe",
    ticket: TICKET,
  });
  expect(readMeetingLine({ action: "pong", n: 2 ** 32 - 1 })).toEqual({ action: "pong", n: 2 ** 32 - 1 });
  for (const action of ["relay", "ready"] as const) expect(readMeetingLine({ action })).toEqual({ action });
  for (const wrong of [
    {},
    { action: "spliced" },
    { action: "constructor" },
    { action: 7 },
    { action: "meet" },
    { action: "meet", ticket: `${TICKET}a` },
    { action: "meet", ticket: TICKET, relay: 1 },
    { action: "pong", n: -1 },
    { action: "pong", n: 2 ** 32 },
  ]) {
    expect(readMeetingLine(wrong)).toBeUndefined();
  }
});
