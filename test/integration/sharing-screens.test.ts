import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import type { AtTerminal } from "./at-terminal.ts";
import { promptIs, says, times } from "./chat-terminal.ts";
import type { Client, Person } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(90_000);

const world = new SharedWorld();
let ana: Person;
let beto: Person;
let listening: Client;
let screens: readonly [AtTerminal, AtTerminal];
beforeAll(async () => {
  const { tlsPort } = await world.server();
  ana = await world.loggedIn("ana", tlsPort);
  beto = await world.loggedIn("beto", tlsPort);
  listening = await beto.listen();
  screens = [await world.chat(ana, "beto"), await world.chat(ana, "beto")];
});
afterAll(() => world.close());

/** Types a line, and resolves when it was received and stands on both screens, with that state. */
async function typed(screen: AtTerminal, text: string): Promise<void> {
  screen.type(`${text}${KEY.enter}`);
  await listening.event({ event: "message", text });
  await Promise.all(screens.map((each) => says(each, text)));
  await Promise.all(screens.map((each) => promptIs(each, "✓✓")));
}

/** Every row of both chats that has this text. */
function rowsWith(text: string): string[][] {
  return screens.map(({ screen }) => screen.transcript.split("\n").filter((row) => row.includes(text)));
}

test("a chat on two screens, typed on both: each line stands once on both, with the same states", async () => {
  const [first, second] = screens;
  await typed(first, "typed on the first");
  await typed(second, "typed on the second");
  expect((await beto.run(["send", "ana", "from beto"])).code).toBe(0);
  await Promise.all(screens.map((screen) => says(screen, "from beto")));
  for (const text of ["typed on the first", "typed on the second", "from beto"]) {
    const [left = [], right = []] = rowsWith(text);
    expect(left).toHaveLength(1);
    expect(right).toEqual(left);
  }
  expect(listening.events.filter(({ event }) => event === "message")).toHaveLength(2);
});

test("lines typed on both at once stand once on both", async () => {
  const [first, second] = screens;
  const texts = Array.from({ length: 6 }, (_, index) => `at once ${index}`);
  texts.forEach((text, index) => (index % 2 === 0 ? first : second).type(`${text}${KEY.enter}`));
  for (const text of texts) await listening.event({ event: "message", text });
  for (const screen of screens) {
    for (const text of texts) await says(screen, text);
    await promptIs(screen, "✓✓");
    expect(texts.map((text) => times(screen, text))).toEqual(texts.map(() => 1));
  }
});

test("a text that is edited and withdrawn on one screen changes on the other", async () => {
  const [first, second] = screens;
  await typed(first, "mistake");
  first.type(`/edit corrected${KEY.enter}`);
  await Promise.all(screens.map((screen) => says(screen, "corrected")));
  second.type(`/withdraw${KEY.enter}`);
  await listening.event({ event: "withdrawn" });
  expect(await ana.states("beto")).toContainEqual(["", "received"]);
  await Promise.all(screens.map((screen) => says(screen, "Withdrew the message")));
});

test("what one screen leaves unsent is cancelled from the other, and `listen` twice prints the same", async () => {
  const [first, second] = screens;
  const listens = [await ana.listen(), await ana.listen()];
  expect((await beto.run(["send", "ana", "to everyone"])).code).toBe(0);
  await Promise.all(screens.map((screen) => says(screen, "to everyone")));
  const heard = await Promise.all(
    listens.map((each) => each.event({ event: "message", text: "to everyone" })),
  );
  expect(heard[0]).toEqual(heard[1]!);
  await listening.stop();
  first.type(`for later${KEY.enter}`);
  await promptIs(second, "·");
  second.type(`/cancel${KEY.enter}`);
  await Promise.all(screens.map((screen) => promptIs(screen, "✓✓")));
  expect((await ana.states("beto")).map(([text]) => text)).not.toContain("for later");
});
