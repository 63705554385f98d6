import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { PASSWORD, type Ended, type Person } from "./cli-process.ts";
import { comparable, SharedWorld, type Beside } from "./sharing-faces.ts";

setDefaultTimeout(120_000);

const world = new SharedWorld();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
  await (await world.loggedIn("beto", port)).listen();
  await world.loggedIn("carla", port);
});
afterAll(() => world.close());

const MODES = [
  ["--lang", "en", "--json"],
  ["--lang", "es"],
] as const;

/** Runs every command that ends by itself, and gives what each has printed. */
async function commands(ana: Person, mode: readonly string[]): Promise<Map<string, Ended>> {
  const results = new Map<string, Ended>();
  const replaced = new Map([
    [ana.name, "ana"],
    [ana.data, "DATA"],
  ]);
  const run = async (args: readonly string[], input?: string) => {
    const ended = await ana.run([...mode, ...args], input === undefined ? {} : { input });
    results.set(
      `${results.size} ${comparable({ code: 0, stdout: args.join(" "), stderr: "" }, replaced).stdout}`,
      comparable(ended, replaced),
    );
  };
  const lastId = async (other: string) => String((await ana.list(["history", other])).at(-1)?.["id"]);

  await run(["users"]);
  await run(["send", "beto", "hola"]);
  const first = await lastId("beto");
  await run(["send", "beto"], "desde la entrada\n");
  await run(["send", "--reply-to", await lastId("beto"), "beto", "respuesta"]);
  await run(["edit", "beto", first, "hola otra vez"]);
  await run(["withdraw", "beto", first]);
  await run(["withdraw", "beto", first]);
  await run(["edit", "beto", first, "tarde"]);
  await run(["send", "--reply-to", first, "beto", "a nada"]);
  await run(["cancel", "beto", first]);
  await run(["edit", "beto", "nothing", "x"]);
  await run(["send", "carla", "luego"]);
  const waiting = await lastId("carla");
  await run(["edit", "--wait", "queued", "carla", waiting, "luego, otra vez"]);
  await run(["send", "--wait", "queued", "carla", "dos"]);
  await run(["cancel", "carla", waiting]);
  await run(["withdraw", "carla", await lastId("carla")]);
  await run(["send", "--wait", "queued", "carla", "tres"]);
  await run(["send", "--wait", "queued", "carla", "cuatro"]);
  await run(["cancel", "carla"]);
  await run(["cancel", "carla"]);
  await run(["cancel", "nobody"]);
  await run(["send", "--wait", "queued", "nobody", "hay alguien"]);
  await run(["send", "nobody", "hay alguien"]);
  await run(["send", ana.name, "a mí"]);
  await run(["send", "beto", " "]);
  await run(["history", "beto"]);
  await run(["history", "carla"]);
  await run(["search", "entrada"]);
  await run(["search", "elefante"]);
  await run(["export", "beto", join(ana.data, `${mode.length}.txt`)]);
  await run(["delete", "beto", first]);
  await run(["delete", "nobody", "--yes"]);
  await run(["delete", "beto", "--yes"]);
  await run(["history", "beto"]);
  await run(["fingerprint"]);
  await run(["fingerprint", "beto"]);
  await run(["fingerprint", "beto", "--accept"]);
  await run(["fingerprint", "carla"]);
  return results;
}

describe.each(MODES.map((mode) => ({ mode })))("with $mode", ({ mode }) => {
  const alone = Promise.withResolvers<Map<string, Ended>>();

  async function beside(face: Beside): Promise<Map<string, Ended>> {
    const ana = await world.loggedIn(`ana.${face}.${mode.length}`, port);
    const end = await world.begin(face, ana, "beto");
    const results = await commands(ana, mode);
    await end();
    // The next one lists who is online.
    const carla = world.person("carla", port);
    for (let listed = true; listed;)
      listed = (await carla.run(["users"], { password: PASSWORD })).stdout.includes(ana.name);
    return results;
  }

  test("the commands work alone", async () => {
    beside("nothing").then(alone.resolve, alone.reject);
    const codes = [...(await alone.promise).values()].map(({ code }) => code);
    expect(codes.join(" ")).toMatchInlineSnapshot(
      `"0 0 0 0 0 0 4 4 4 4 2 5 0 0 0 0 0 0 0 0 0 0 5 2 2 0 0 0 0 0 0 0 0 0 0 0 1 1"`,
    );
  });

  test.each(["listen", "screen"] as const)("they print and answer the same beside a %s", async (face) => {
    const found = await beside(face);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(await alone.promise));
  });
});
