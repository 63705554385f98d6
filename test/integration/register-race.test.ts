/** Processes that register or log in with one name in one data folder at the same time. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";

import { profileFile } from "../../src/client/disk/folders.ts";
import { World } from "./cli-process.ts";

setDefaultTimeout(120_000);

const ROUNDS = 8;

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
    const ended = await Promise.all(passwords.map((password) => ana.start(["register"], { password }).ended));
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

test("a first login that is refused removes no profile but its own", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const ana = world.person(`beto.${round}`, port);
    await ana.elsewhere().register();
    const [right] = await Promise.all(
      ["correct horse", "not this one"].map((password) => ana.start(["users"], { password }).ended),
    );
    if (right?.code === 0) expect(existsSync(profileFile(ana.profileFolder))).toBe(true);
  }
});
