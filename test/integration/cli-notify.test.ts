/** `--notify-command` of `listen` and `daemon`. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expectFailure, PASSWORD, World } from "./cli-process.ts";

const world = new World();
let port: number;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

test.each(["listen", "daemon"])(
  "%s runs it for a burst, without the password, and tells once that it fails",
  async (name) => {
    const [ana, beto] = [world.person(`ana.${name}`, port), world.person(`beto.${name}`, port)];
    await Promise.all([ana.register(), beto.register()]);
    const out = join(world.folder, name);
    const online = beto.start([name, "--json", "--lang", "es"], {
      password: PASSWORD,
      environment: {
        PALOMA_NOTIFY_COMMAND: `env > ${out}.part; cat >> ${out}.part; mv ${out}.part ${out}; exit 7`,
      },
    });
    await online.event(name === "daemon" ? { event: "server", state: "online" } : { event: "ready" });
    expect((await ana.run(["send", beto.name, "uno\ndos"], { password: PASSWORD })).code).toBe(0);
    await online.says("La orden de --notify-command ha fallado (código de salida 7).");
    expect(existsSync(out)).toBe(true);
    const environment = readFileSync(out, "utf8");
    for (const line of [`PALOMA_FROM=${ana.name}`, "PALOMA_TEXT=uno\ndos", "PALOMA_COUNT=1"])
      expect(environment).toContain(`${line}\n`);
    expect(environment).not.toContain(PASSWORD);
    await online.stop();
  },
);

test("no other command takes it", () =>
  expectFailure(world.person("carla", port), ["users", "--notify-command", "true"], {
    exit: 2,
    code: "usage",
    en: "does not take --notify-command",
    es: "no admite --notify-command",
  }));
