import { expect, test } from "bun:test";

import type { StoredMessage } from "../../src/client/message-store.ts";
import { historyEvent, messageEvent, messageLine } from "../../src/ui/message-format.ts";

const AT = new Date(2026, 2, 4, 5, 6).getTime();
const incoming: StoredMessage = {
  seq: 1,
  contact: 1,
  outgoing: false,
  id: "id-1",
  text: "hola",
  replyTo: undefined,
  sentAt: AT - 60_000,
  receivedAt: AT,
  state: "received",
};

test("a program gets the fields of CLI, and null for a time that nobody knows", () => {
  expect(JSON.parse(messageEvent({ ...incoming, sentAt: undefined }, "ana"))).toEqual({
    event: "message",
    from: "ana",
    text: "hola",
    id: "id-1",
    sent_at: null,
    received_at: new Date(AT).toISOString(),
  });
  const outgoing: StoredMessage = { ...incoming, outgoing: true, receivedAt: undefined, state: "queued" };
  expect(JSON.parse(historyEvent({ ...outgoing, replyTo: "id-0" }, "beto", "ana"))).toEqual({
    event: "message",
    from: "beto",
    to: "ana",
    text: "hola",
    id: "id-1",
    reply_to: "id-0",
    sent_at: new Date(AT - 60_000).toISOString(),
    received_at: null,
    state: "queued",
  });
});

test("a person sees when it arrived here, who wrote it, and how far an own one came", () => {
  expect(messageLine(incoming, "ana")).toBe("2026-03-04 05:06 ana: hola\n");
  const marks = (["queued", "sent", "received"] as const).map((state) =>
    messageLine({ ...incoming, outgoing: true, sentAt: AT, state }, "beto"),
  );
  expect(marks).toEqual([
    "2026-03-04 05:06 beto ·: hola\n",
    "2026-03-04 05:06 beto ✓: hola\n",
    "2026-03-04 05:06 beto ✓✓: hola\n",
  ]);
});

test("every further line of a text is indented, also those that the terminal's edge would make", () => {
  const several = messageLine({ ...incoming, text: "a\nb\r\nc\u2028d" }, "ana");
  expect(several).toBe("2026-03-04 05:06 ana: a\n    b\n    c\n    d\n");
  const forged = messageLine(
    { ...incoming, text: `ok${" ".repeat(56)}2026-03-04 05:07 carla: no` },
    "ana",
    80,
  );
  for (const line of forged.split("\n").slice(1, -1)) expect(line).toStartWith("    ");
  expect(forged).not.toMatch(/^2026-03-04 05:07/m);
});

test("neither a name nor a text can move the cursor or begin a line of ours", () => {
  const line = messageLine({ ...incoming, text: "a\nb\u001b[2J\r\u202ec" }, "an\u001b[31ma\n");
  expect(line).toBe("2026-03-04 05:06 an␛[31ma␊: a\n    b␛[2J␍c\n");
});
