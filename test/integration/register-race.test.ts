/** Processes that register or log in with one name in one data folder at the same time. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { profileFile } from "../../src/client/disk/folders.ts";
import { AtTerminal } from "./at-terminal.ts";
import { World } from "./cli-process.ts";
import { flagsOf } from "./sharing-faces.ts";

setDefaultTimeout(120_000);

const ROUNDS = 2;

const world = new World();
let port = 0;
beforeAll(async () => {
  const unlimited = ["--register-rate", "1000:1000/min", "--login-rate", "1000:1000/min"];
  port = (await world.server("users.db", 0, unlimited)).tlsPort;
});
afterAll(() => world.close());

test("of two that register a name at once the one that succeeds has the profile, and nothing else is left", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const ana = world.person(`ana.${round}`, port);
    const passwords = ["first password", "second password"];
    const ended = await Promise.all(
      passwords.map((password) => ana.startApart(["register"], { password }).ended),
    );
    expect(ended.map(({ code }) => code).toSorted()).toEqual([0, 4]);
    const folder = ana.profileFolder;
    expect(readdirSync(dirname(folder))).toHaveLength(1);
    // A process that only looks whether there is a profile leaves SQLite's files beside it.
    expect(readdirSync(folder).filter((name) => !/^profile\.db(?:-wal|-shm)?$/.test(name))).toEqual([]);
    const winner = passwords[ended.findIndex(({ code }) => code === 0)];
    expect(await ana.run(["users"], { password: winner })).toMatchObject({
      code: 0,
      stderr: "Nobody else is online.\n",
    });
  }
});

test("a first login that is refused removes no profile but its own, and another process logs in with its own password", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const ana = world.person(`beto.${round}`, port);
    await ana.elsewhere().register();
    const [right, wrong] = await Promise.all(
      ["correct horse", "not this one"].map((password) => ana.startApart(["users"], { password }).ended),
    );
    expect(right?.stderr).toEndWith("Nobody else is online.\n");
    expect(right?.code).toBe(0);
    // It needs no password where it came second.
    expect(wrong?.code).toBeOneOf([0, 4]);
    expect(existsSync(profileFile(ana.profileFolder))).toBe(true);
  }
});

test("while a first login waits for its password, other processes wait for the account, and then log in themselves", async () => {
  const ana = world.person("carla", port);
  await ana.elsewhere().register();
  const asked = new AtTerminal([...flagsOf(ana), "--lang", "en", "users"]);
  await asked.shows("Password for carla");
  expect(existsSync(join(ana.profileFolder, "online"))).toBe(false);
  const text = "queued only where it stays";
  const sending = ana.start(["send", "nobody", text, "--json"], { password: "correct horse" });
  asked.type("not this one\r");
  expect(await asked.ended()).toBe(4);
  const sent = await sending.ended;
  expect([sent.code, sent.stderr]).toEqual([5, expect.stringContaining("nobody")]);
  expect((await ana.run(["history", "nobody"])).stdout).toContain(text);
});
