import { beforeEach, expect, test } from "bun:test";

import { LinkReading } from "../../../src/client/peer/link-reading.ts";
import { DEAD_AFTER, LinkWatch, PING_AFTER, PROBE_TIMEOUT } from "../../../src/client/peer/link-watch.ts";
import type { PeerLinks } from "../../../src/client/peer/links.ts";

let now: number;
let seen: string[];
let link: { lastReadAt: number; send(message: { action: string }): void; terminate(code: string): void };
let reading: LinkReading;
let watch: LinkWatch;

beforeEach(() => {
  now = 0;
  const clock = {
    now: () => now,
    monotonic: () => now,
    after: () => () => undefined,
    watch: () => undefined,
    unwatch: () => undefined,
  };
  seen = [];
  link = {
    lastReadAt: 0,
    send: ({ action }) => seen.push(action),
    terminate: (code) => seen.push(code),
  };
  const links = { current: link, isConnected: true, lastReadAt: 0 } as unknown as PeerLinks;
  reading = new LinkReading();
  watch = new LinkWatch(clock, reading, links, {
    silent: () => seen.push("silent"),
    idle: () => seen.push("idle"),
  });
});

function pass(ms: number, isWanted: boolean): void {
  for (const end = now + ms; now < end; now += 1_000) watch.tick(isWanted);
}

test("while reading is paused the peer is told that we live, and its silence is no sign that it does not", () => {
  const face = {};
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

test("a link that is doubted again and again before it has answered is given up as soon as one doubted once", () => {
  for (let doubts = 0; doubts < PROBE_TIMEOUT; doubts += 2_000) {
    watch.doubt();
    pass(2_000, true);
  }
  expect(seen).toEqual([]);
  pass(1_000, true);
  expect(seen).toEqual(["dead"]);
});

test("a link that has answered has the whole time again when it is doubted again", () => {
  watch.doubt();
  pass(PROBE_TIMEOUT, true);
  link.lastReadAt = now - 1;
  watch.doubt();
  pass(PROBE_TIMEOUT, true);
  expect(seen).toEqual([]);
  pass(1_000, true);
  expect(seen).toEqual(["dead"]);
});
