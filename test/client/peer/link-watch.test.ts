import { expect, test } from "bun:test";

import { LinkReading } from "../../../src/client/peer/link-reading.ts";
import { DEAD_AFTER, LinkWatch, PING_AFTER } from "../../../src/client/peer/link-watch.ts";
import type { PeerLinks } from "../../../src/client/peer/links.ts";

test("while reading is paused the peer is told that we live, and its silence is no sign that it does not", () => {
  let now = 0;
  const clock = {
    now: () => now,
    monotonic: () => now,
    after: () => () => undefined,
    watch: () => undefined,
    unwatch: () => undefined,
  };
  const seen: string[] = [];
  const link = {
    lastReadAt: 0,
    send: ({ action }: { action: string }) => seen.push(action),
    terminate: (code: string) => seen.push(code),
  };
  const links = { current: link, isConnected: true, lastReadAt: 0 } as unknown as PeerLinks;
  const reading = new LinkReading();
  const face = {};
  const watch = new LinkWatch(clock, reading, links, {
    silent: () => seen.push("silent"),
    idle: () => seen.push("idle"),
  });
  const pass = (ms: number, isWanted: boolean) => {
    for (const end = now + ms; now < end; now += 1_000) watch.tick(isWanted);
  };

  reading.set(face, false);
  pass(10 * PING_AFTER, true);
  expect(seen).toEqual(Array(10).fill("pong"));
  seen.length = 0;
  reading.set(face, true);
  // The silence counts from here.
  pass(DEAD_AFTER, true);
  expect(seen).not.toContain("dead");
  pass(1_000, true);
  expect(seen.at(-1)).toBe("dead");
});
