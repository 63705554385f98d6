/** What becomes of a conversation when somebody's line has changed, over a simulated network. */
import { afterEach, expect, test } from "bun:test";

import { World } from "../simulation/world.ts";

const SECOND = 1_000;
const world = new World(1, true);
afterEach(() => world.close());

test("somebody who moves while the server cannot say it is looked for when the server says again who is there", async () => {
  const { network, server, sites, queue } = world;
  const [ana, berta] = world.people;
  const after = async (ms: number, act: () => void) => {
    queue.after(0, act);
    await world.runUntil(queue.now + ms);
  };
  network.weather = { delay: 1, jitter: 1, capacity: Infinity, splits: 0 };
  world.passSecond();
  for (const person of world.people) person.start(world.otherOf(person));
  await after(5 * SECOND, () => undefined);
  await after(5 * SECOND, () => {
    for (const person of world.people) person.decide("accept");
    ana.program?.openChat();
  });
  expect(network.wholeWays).toBe(1);
  await after(10 * SECOND, () => {
    server.fail(SECOND);
    berta.site = sites.open();
    network.befall("silent", "all");
    // She is back before Ana, and wants no link.
    queue.after(SECOND + 1, () => {
      if (berta.program !== undefined) server.logIn(berta, berta.program);
    });
  });
  expect(network.wholeWays).toBe(1);
});
