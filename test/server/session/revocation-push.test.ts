import { beforeEach, expect, test } from "bun:test";

import { MAX_REVOKED } from "../../../src/protocol/rendezvous-messages.ts";
import type { OwnUser } from "../../../src/server/presence/online-user.ts";
import { GATHERING_TIME, RevocationPush } from "../../../src/server/session/revocation-push.ts";

let lines: string[];
let timers: { at: number; run: () => void }[];
let now: number;
let push: RevocationPush;

beforeEach(() => {
  [lines, timers, now] = [[], [], 0];
  const online = [{ session: { pushLine: (line: string) => lines.push(line) } }] as unknown as OwnUser[];
  push = new RevocationPush({ own: () => online }, (ms, run) => {
    const timer = { at: now + ms, run };
    timers.push(timer);
    return () => void timers.splice(timers.indexOf(timer), 1);
  });
});

function passes(ms: number): void {
  now += ms;
  for (const timer of timers.filter(({ at }) => at <= now)) {
    timers.splice(timers.indexOf(timer), 1);
    timer.run();
  }
}

const revocation = (number: number) => ({ label: number.toString(16).padStart(40, "0"), before: number });
const sent = () =>
  lines.map((line) =>
    (JSON.parse(line) as { revoked: { before: number }[] }).revoked.map(({ before }) => before),
  );

test("revocations are gathered for half a second after the first, and sent in one message", () => {
  push.add(revocation(1));
  passes(GATHERING_TIME - 1);
  push.add(revocation(2));
  expect(lines).toEqual([]);
  passes(1);
  expect(lines).toEqual([
    `${JSON.stringify({ action: "revoked", revoked: [revocation(1), revocation(2)] })}\n`,
  ]);
  passes(10 * GATHERING_TIME);
  push.add(revocation(3));
  passes(GATHERING_TIME);
  expect(sent()).toEqual([[1, 2], [3]]);
});

test("a message holds at most 300, and is sent as soon as it does", () => {
  const numbers = Array.from({ length: 2 * MAX_REVOKED + 1 }, (_, index) => index + 1);
  for (const number of numbers) push.add(revocation(number));
  expect(sent().map(({ length }) => length)).toEqual([MAX_REVOKED, MAX_REVOKED]);
  passes(GATHERING_TIME);
  expect(sent().flat()).toEqual(numbers);
  expect(timers).toEqual([]);
});

test("what was gathered is sent before the server stops, once", () => {
  push.add(revocation(1));
  push.flush();
  push.flush();
  passes(GATHERING_TIME);
  expect(sent()).toEqual([[1]]);
});
