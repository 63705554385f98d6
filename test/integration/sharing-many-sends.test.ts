import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import type { ClientProcess } from "./cli-process.ts";
import { SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(280_000);

const TEXTS = Array.from({ length: 50 }, (_, index) => `text ${index}`);

const world = new SharedWorld();
let port = 0;
let listening: ClientProcess;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
  listening = await (await world.loggedIn("beto", port)).listen();
});
afterAll(() => world.close());

test.each(["nothing", "screen"] as const)(
  "fifty sends at once beside a %s are delivered once each, and all succeed",
  async (beside) => {
    const ana = await world.loggedIn(`ana.${beside}`, port);
    await world.begin(beside, ana, "beto");
    // On a busy machine fifty processes need long to start.
    const sends = TEXTS.map((text) => ana.start(["send", "--timeout", "240", "beto", text]));
    const ended = await Promise.all(sends.map((each) => each.ended));
    expect(ended).toEqual(TEXTS.map(() => ({ code: 0, stdout: "", stderr: "✓✓ received by beto\n" })));
    for (const text of TEXTS) await listening.event({ event: "message", from: ana.name, text });
    const received = listening.events.filter(({ event, from }) => event === "message" && from === ana.name);
    expect(received.map(({ text }) => text).toSorted()).toEqual(TEXTS.toSorted());
    const states = await ana.states("beto");
    expect(states.toSorted()).toEqual(TEXTS.map((text) => [text, "received"]).toSorted());
  },
);
