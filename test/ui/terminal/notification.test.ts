import { expect, test } from "bun:test";

import { notificationSequence } from "../../../src/ui/terminal/notification.ts";
import { TerminalScreen } from "../../integration/terminal-screen.ts";

test("a notification has its author and the text", () => {
  expect(notificationSequence("osc9", "ana", "hola")).toBe("\u001b]9;ana: hola\u001b\\");
  expect(notificationSequence("osc777", "ana", "hola")).toBe("\u001b]777;notify;ana;hola\u001b\\");
});

test.each(["osc9", "osc777"] as const)("whatever others write is nothing else, as %s", (kind) => {
  const texts = [
    "4;1;50",
    "a;b",
    "x\u0007\u001b]2;forged\u0007",
    "\u001b\\\u009c\u001b[2J\n\r",
    "\u0000\u202e",
    "👩‍👩‍👧",
  ];
  for (const title of texts)
    for (const text of texts) {
      const sequence = notificationSequence(kind, title, text);
      const screen = new TerminalScreen(40, 5);
      screen.feed(sequence);
      const fields = kind === "osc9" ? 1 : 3;
      expect(sequence.match(/;/g)).toHaveLength(fields);
      expect([
        screen.notifications.length,
        screen.unknown,
        screen.bells,
        screen.title,
        screen.transcript,
      ]).toEqual([1, [], 0, undefined, ""]);
    }
});
