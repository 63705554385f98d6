import { expect, test } from "bun:test";

import { gathered, withMessage, withoutBurst, type Bursts } from "../../../src/ui/notifications/bursts.ts";
import { incoming } from "../chat/chat-script.ts";

const arrived = (bursts: Bursts, from: string, now: number, text = "hola"): Bursts =>
  withMessage(bursts, { name: "message", from, message: incoming(1, text) }, now);

test("what comes within half a second is announced together, with the newest text", () => {
  const three = ["uno", "dos", "x".repeat(5_000)].reduce(
    (bursts, text) => arrived(bursts, "ana", 1_000, text),
    new Map() as Bursts,
  );
  expect(gathered(three, 1_499).due).toEqual([]);
  const { due, notified, bursts } = gathered(three, 1_500);
  expect(due).toMatchObject([{ from: "ana", count: 3, text: "x".repeat(1_024) }]);
  expect(notified).toEqual(due);
  expect(gathered(arrived(bursts, "ana", 20_000), 21_000).due).toEqual([]);
  // Half a minute of silence, or eyes, end it.
  expect(gathered(arrived(bursts, "ana", 31_000, "dos"), 32_000).due).toMatchObject([
    { count: 1, text: "dos" },
  ]);
  expect(gathered(arrived(withoutBurst(bursts, "ana"), "ana", 2_000), 3_000).due).toHaveLength(1);
});

test("of ten thousand strangers ten are notified of, until they are quiet", () => {
  let bursts: Bursts = new Map();
  let count = 0;
  for (let stranger = 0; stranger < 10_000; stranger++) {
    const now = stranger * 2;
    bursts = arrived(bursts, `stranger ${stranger}`, now);
    if (stranger % 500 !== 0) continue;
    const next = gathered(bursts, now);
    bursts = next.bursts;
    count += next.notified.length;
  }
  expect(count).toBe(10);
  expect(bursts.size).toBeLessThanOrEqual(1_000);
  const quiet = gathered(gathered(bursts, 21_000).bursts, 60_000);
  expect(quiet.bursts.size).toBe(0);
  expect(gathered(arrived(quiet.bursts, "ana", 61_000), 62_000).notified).toHaveLength(1);
});
