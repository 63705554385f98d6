import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";

import { PASSWORD, type Ended } from "./cli-process.ts";
import { comparable, SharedWorld, type Beside } from "./sharing-faces.ts";

setDefaultTimeout(90_000);

const world = new SharedWorld();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterEach(() => world.leave());
afterAll(() => world.close());

/** Beto moves to another machine with a new key, and ana accepts it by commands. What these print. */
async function acceptance(beside: Beside, lang: string): Promise<Ended[]> {
  const [ana, beto] = [
    await world.loggedIn(`ana.${beside}.${lang}`, port),
    await world.loggedIn(`beto.${beside}.${lang}`, port),
  ];
  const before = await beto.listen();
  await world.begin(beside, ana, beto.name);
  expect((await ana.run(["send", beto.name, "to the known key"])).code).toBe(0);
  await before.stop();
  const moved = await beto.elsewhere().listen(PASSWORD);
  const names = new Map([
    [ana.name, "ana"],
    [beto.name, "beto"],
  ]);
  const ended: Ended[] = [];
  for (const args of [
    ["send", beto.name, "to the new key"],
    ["fingerprint", beto.name, "--accept"],
    ["fingerprint", beto.name],
    ["fingerprint", beto.name, "--accept"],
    ["fingerprint", beto.name],
  ])
    ended.push(comparable(await ana.run(["--lang", lang, ...args]), names));
  expect((await ana.run(["send", beto.name, "accepted"])).code).toBe(0);
  await moved.event({ event: "message", text: "to the new key" });
  return ended;
}

test("a changed key is accepted beside each other face as alone", async () => {
  const lang = "es";
  const alone = await acceptance("nothing", lang);
  expect(alone.map(({ code }) => code)).toEqual([6, 6, 0, 0, 0]);
  for (const beside of ["listen", "screen"] as const) expect(await acceptance(beside, lang)).toEqual(alone);
});
