/** A profile that is deleted, moved or replaced while it is in use: nothing is acknowledged that nobody would find again. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, lstatSync, renameSync, rmSync } from "node:fs";

import { FileMovedError } from "../../src/net/open-file.ts";
import { PASSWORD, World, type Person } from "./cli-process.ts";
import { Company, later } from "./messenger-pair.ts";

let world: World;
let ana: Person;
let port: number;

beforeAll(async () => {
  world = new World();
  port = (await world.server()).tlsPort;
  ana = world.person("ana.sends", port);
  await ana.register();
});

afterAll(() => world.close());

function replaceByCopy(folder: string): void {
  cpSync(folder, `${folder}.copy`, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
  rmSync(folder, { recursive: true });
  renameSync(`${folder}.copy`, folder);
}

test.each([
  ["deleted", "en", (folder: string) => rmSync(folder, { recursive: true })],
  ["moved", "es", (folder: string) => renameSync(folder, `${folder}.moved`)],
  ["replaced by a copy", "en", replaceByCopy],
])(
  "listen ends with one sentence when its profile is %s, and acknowledges nothing",
  async (how, language, move) => {
    const bob = world.person(`bob.${how.slice(0, 5)}`, port);
    await bob.register();
    const listening = bob.start(["--lang", language, "listen", "--json"], { password: PASSWORD });
    await listening.event({ event: "ready" });
    const before = await ana.json(["send", bob.name, "before"], { password: PASSWORD });
    expect(before.code).toBe(0);
    const folder = bob.profileFolder;
    move(folder);
    // The last check holds for a second.
    const texts = ["before"];
    let sent = before;
    // 3: it had no time to reach the server on a busy machine.
    while (sent.code === 0 || sent.code === 3) {
      texts.push(`text ${texts.length}`);
      sent = await ana.json(["--timeout", "3", "send", bob.name, texts.at(-1) ?? ""]);
    }
    expect(sent.code).toBe(5);
    // The last one was refused, or bob was offline by then.
    const [text, state] = (await ana.states(bob.name)).at(-1) ?? [];
    expect(text).toBe(texts.at(-1) ?? "");
    expect(["sent", "queued"]).toContain(String(state));
    const ended = await listening.ended;
    expect(ended.code).toBe(1);
    const errors = listening.events.filter(({ event }) => event === "error");
    expect(errors).toMatchObject([{ code: "store_moved" }]);
    const sentence =
      language === "en"
        ? `${folder}/profile.db was deleted, moved or replaced while it was in use: nothing more is saved or acknowledged.`
        : `${folder}/profile.db se ha borrado, movido o cambiado por otro archivo mientras se usaba: ya no se guarda ni se confirma nada.`;
    expect(ended.stderr).toContain(sentence);
    expect(ended.stderr.split(sentence)).toHaveLength(2);
    if (how !== "replaced by a copy") return;
    // The copy is whole: the next start goes on with it, and gets what was not acknowledged.
    const again = await bob.listen(PASSWORD);
    const after = await ana.json(["send", bob.name, "after"]);
    expect(after.code).toBe(0);
    await again.event({ event: "message", text: texts.at(-1) });
    await again.stop();
  },
);

test("a text that is typed after the profile was deleted is not queued", async () => {
  const company = await Company.meet();
  try {
    const carla = await company.person("carla");
    rmSync(carla.profile.folder, { recursive: true });
    await later(1_000, async () => {
      carla.messenger.outbox.send("ana", "for nobody");
      expect(await carla.messenger.outbox.committed().catch((error: unknown) => error)).toBeInstanceOf(
        FileMovedError,
      );
    });
    expect(carla.of("delivery")).toEqual([]);
  } finally {
    await company.close();
  }
});
