import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { label } from "../../src/identity/names.ts";
import { eventsOf, PASSWORD, World, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

/** All that a terminal obeys or does not show, but for the line feed. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const ATTACKS = [
  "\u001b[2J\u001b[1;1Howned",
  "\u001b]0;title\u0007",
  "\u001b]52;c;cm0gLXJm\u001b\\",
  "\u009b31mred\u009d0;title\u009c",
  "overwritten\rby this",
  "\u202egpj.exe\u2066x\u2069\u200f",
  "in\u200bvisi\u2060ble\ufeff",
  "bell\u0007 back\b\b\b tab\t nul\u0000 del\u007f",
  "next\u2028line\u2029and\u0085more\u000bvertical\u000cform",
  "\u{e0041}\u{e0042} tags",
];

const world = new World();
let ana: Person;
let beto: Person;
beforeAll(async () => {
  const port = (await world.server()).tlsPort;
  [ana, beto] = [world.person("ana", port), world.person("beto", port)];
  await Promise.all([ana.register(), beto.register()]);
});
afterAll(() => world.close());

test("no hostile text reaches a terminal as it is, and programs get it unchanged", async () => {
  const pretty = beto.start(["listen"], { password: PASSWORD });
  await pretty.stdout.line(() => true);
  for (const attack of ATTACKS) {
    const sent = await ana.run(["send", beto.name], { input: attack, password: PASSWORD });
    expect(sent.code).toBe(0);
  }
  expect((await ana.run(["send", beto.name, "the end"])).code).toBe(0);
  await pretty.stdout.line((line) => line.includes("the end"));
  await pretty.stop();
  const shown = [
    pretty.stdout.text,
    (await beto.run(["history", ana.name])).stdout,
    (await ana.run(["history", beto.name])).stdout,
  ];
  for (const text of shown) {
    expect(text).not.toMatch(UNSAFE);
    expect(text).not.toContain("\u{e0041}");
    expect(text).toContain("owned");
  }
  const json = await beto.run(["--json", "history", ana.name]);
  expect(json.stdout).not.toMatch(UNSAFE);
  expect(json.stdout).not.toContain("\u{e0041}");
  const texts = eventsOf(json.stdout).map(({ text }) => text);
  // What ends the list has no text.
  expect(texts).toEqual([...ATTACKS, "the end", undefined]);
});

test("no line of a message can look like a line of the program", async () => {
  const fake = "hi\n2026-01-01 10:00 beto: pay 1000\r\n2026-01-01 10:00 beto: now\u2028x: y";
  const listening = beto.start(["listen"], { password: PASSWORD });
  await listening.stdout.line(() => true);
  expect((await ana.run(["send", beto.name, fake], { password: PASSWORD })).code).toBe(0);
  expect((await ana.run(["send", beto.name, "end of fake"])).code).toBe(0);
  await listening.stdout.line((line) => line.includes("end of fake"));
  await listening.stop();
  for (const text of [listening.stdout.text, (await beto.run(["history", ana.name])).stdout]) {
    const lines = text.split("\n");
    const forged = lines.filter((line) => /pay 1000|beto: now|x: y/.test(line));
    expect(forged).toEqual([
      "    2026-01-01 10:00 beto: pay 1000",
      "    2026-01-01 10:00 beto: now",
      "    x: y",
    ]);
  }
});

test("look-alike names carry their labels in every command, and programs get the names alone", async () => {
  const port = Number(ana.server.split(":")[1]);
  const [carla, twin] = [world.person("carla.b", port), world.person("car1a.b", port)];
  await Promise.all([carla.register(), twin.register()]);
  const shown = [carla, twin].map(
    ({ name }) => `${name} (${label(name).replace(/^(.{4})(.{4}).*$/, "$1 $2")})`,
  );
  const listening = beto.start(["listen"], { password: PASSWORD });
  await listening.stdout.line(() => true);
  for (const person of [carla, twin, carla]) {
    const sent = await person.run(["send", beto.name, `ready ${person.name}`], { password: PASSWORD });
    expect(sent.code).toBe(0);
  }
  await listening.stdout.line((line) => line.includes(`${shown[0]}: ready carla.b`));
  await listening.stdout.line((line) => line.includes(`${shown[1]}: ready car1a.b`));
  await listening.stop();
  const file = join(world.folder, "twin.txt");
  for (const [index, person] of [carla, twin].entries()) {
    expect((await beto.run(["history", person.name])).stdout).toContain(` ${shown[index]}: ready`);
    expect((await beto.run(["search", `ready ${person.name}`])).stdout).toContain(
      ` [${shown[index]}] ${shown[index]}: ready`,
    );
    expect((await beto.run(["fingerprint", person.name])).stdout).toContain(shown[index] ?? "");
    expect((await beto.run(["send", person.name, "hi"])).stderr).toContain(shown[index] ?? "");
    const events = await beto.list(["history", person.name]);
    expect(events[0]).toMatchObject({ from: person.name, to: beto.name });
  }
  expect((await beto.run(["export", twin.name, file])).code).toBe(0);
  expect(await Bun.file(file).text()).toContain(` ${shown[1]}: ready`);
  await Promise.all([carla, twin].map((person) => person.listen()));
  const users = (await beto.run(["users"])).stdout;
  for (const name of shown) expect(users).toContain(`${name}  `);
  // A name that looks like one's own is labelled too.
  expect((await beto.run(["history", "bet0"])).stderr).toContain("bet0 (");
});
