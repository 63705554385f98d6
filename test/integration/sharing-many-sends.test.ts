import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import type { Client } from "./cli-process.ts";
import { SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(280_000);

const world = new SharedWorld();
let port = 0;
let listening: Client;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
  listening = await (await world.loggedIn("beto", port)).listen();
});
afterAll(() => world.close());

test.each([
  // Processes of their own, of which each may become the one that is online.
  ["nothing", 4],
  // All go through the screen.
  ["screen", 12],
] as const)(
  "many sends at once beside a %s are delivered once each, and all succeed",
  async (beside, count) => {
    const texts = Array.from({ length: count }, (_, index) => `text ${index}`);
    const ana = await world.loggedIn(`ana.${beside}`, port);
    await world.begin(beside, ana, "beto");
    // On a busy machine so many processes need long to start.
    const ended = await Promise.all(
      texts.map((text) => {
        const send = ["send", "--timeout", "240", "beto", text];
        return beside === "screen" ? ana.run(send) : ana.startApart(send).ended;
      }),
    );
    expect(ended).toEqual(texts.map(() => ({ code: 0, stdout: "", stderr: "✓✓ received by beto\n" })));
    for (const text of texts) await listening.event({ event: "message", from: ana.name, text });
    const received = listening.events.filter(({ event, from }) => event === "message" && from === ana.name);
    expect(received.map(({ text }) => text).toSorted()).toEqual(texts.toSorted());
    const states = await ana.states("beto");
    expect(states.toSorted()).toEqual(texts.map((text) => [text, "received"]).toSorted());
  },
);
