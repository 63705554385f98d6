import { expect, test } from "bun:test";

import { RefusedConnections } from "../../src/net/refused.ts";

function sockets(count: number) {
  const closed = new Set<number>();
  const all = Array.from({ length: count }, (_, index) => ({
    isPaused: false,
    pause() {
      this.isPaused = true;
    },
    terminate: () => void closed.add(index),
  }));
  return { all, closed };
}

test("refused connections are read no more and closed later, all of them; too many are closed at once", async () => {
  const { all, closed } = sockets(600);
  const refused = new RefusedConnections();
  for (const socket of all) refused.add(socket);
  expect(closed.size).toBe(600 - 512);
  expect(closed.has(0)).toBe(false);
  expect(all.filter(({ isPaused }) => isPaused)).toHaveLength(512);
  while (closed.size < 600) await new Promise((turn) => setTimeout(turn, 5));
});

test("those that wait are closed with the listener", () => {
  const { all, closed } = sockets(3);
  const refused = new RefusedConnections();
  for (const socket of all) refused.add(socket);
  refused.stop();
  expect(closed.size).toBe(3);
});
