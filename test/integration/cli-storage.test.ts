import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import {
  CLIENT_PROGRAM,
  ClientProcess,
  expectFailure,
  expectNoTrace,
  PASSWORD,
  World,
} from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

/** Every command that opens the data folder, with its `--data` replaced. */
async function expectNoFolder(data: string): Promise<void> {
  const person = world.person("ana", port);
  for (const command of [["register"], ["users"], ["listen"], ["send", "beto", "x"]]) {
    await expectFailure(
      person,
      ["--data", data, ...command],
      { exit: 1, code: "disk", en: "cannot be saved to the disk", es: "No se puede guardar en el disco" },
      { password: PASSWORD },
    );
  }
  // What only reads makes no folder, and finds no account where there is none.
  const { code, stderr } = await person.run(["--data", data, "history", "beto"]);
  const [exit, sentence] = existsSync(data)
    ? [1, "not a directory"]
    : [2, "has not been used in this data folder"];
  expect(stderr).toContain(sentence);
  expect(code).toBe(exit);
  expect(stderr.trimEnd()).not.toContain("\n");
}

test("a data folder that is a file, or lies below one, is one sentence", async () => {
  const file = join(world.folder, "a-file");
  writeFileSync(file, "");
  await expectNoFolder(file);
  await expectNoFolder(join(file, "below"));
});

test.skipIf(process.getuid?.() === 0)("a data folder that may not be written is one sentence", async () => {
  const parent = join(world.folder, "read-only");
  mkdirSync(parent);
  chmodSync(parent, 0o500);
  await expectNoFolder(join(parent, "data"));
});

test("what is written is for its owner alone", async () => {
  const ana = world.person("ana.modes", port);
  await ana.register();
  const folder = ana.profileFolder;
  const mode = (path: string) => statSync(path).mode & 0o777;
  for (const path of [ana.data, join(folder, ".."), folder]) expect(mode(path)).toBe(0o700);
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  for (const name of ["profile.db", "lock.db"]) expect(mode(join(folder, name))).toBe(0o600);
  expect(mode(join(ana.data, "servers.db"))).toBe(0o600);
});

test.each([
  ["a text", (file: string) => writeFileSync(file, "dear diary, ".repeat(100))],
  [
    "another program's database",
    (file: string) => {
      const other = new Database(file);
      other.run("CREATE TABLE notes (text TEXT)");
      other.close();
    },
  ],
])("%s in place of a profile or of the servers is not touched", async (_what, write) => {
  for (const place of ["profile", "servers"]) {
    const ana = world.person(`ana.${place}.${_what.length}`, port);
    await ana.register();
    const file = place === "servers" ? join(ana.data, "servers.db") : join(ana.profileFolder, "profile.db");
    await Bun.file(file).delete();
    write(file);
    const before = readFileSync(file);
    // The stored conversation is read without the servers' file.
    const commands = place === "servers" ? [["users"]] : [["users"], ["history", "beto"]];
    for (const command of commands) {
      const { code, events, stderr } = await ana.json(command, { password: PASSWORD });
      expect(stderr).toContain(file);
      expect(stderr.trimEnd()).not.toContain("\n");
      expect(events).toMatchObject([{ event: "error", code: expect.stringMatching(/^store_/) }]);
      expect(code).toBe(1);
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  }
});

test("a profile of a newer version is named as such", async () => {
  const ana = world.person("ana.newer", port);
  await ana.register();
  const profile = new Database(join(ana.profileFolder, "profile.db"));
  profile.run("PRAGMA user_version = 99");
  profile.close();
  await expectFailure(ana, ["history", "beto"], {
    exit: 1,
    code: "store_newer",
    en: "belongs to a newer version of Paloma",
    es: "es de una versión más nueva de Paloma",
  });
});

test("a full disk takes no message, and says so", async () => {
  const ana = world.person("ana.full", port);
  await ana.register();
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  // A limit on the size of files is what a full disk is to SQLite: half a mebibyte in blocks of 512 bytes.
  const flags = ["--server", ana.server, "--user", ana.name, "--data", ana.data, "--json", "--lang", "en"];
  const text = "x".repeat(30_000);
  let failed: { code: number; stderr: string; stdout: string } | undefined;
  let kept = 0;
  while (failed === undefined && kept < 100) {
    const run = Bun.spawn(
      [
        "sh",
        "-c",
        'trap "" XFSZ; ulimit -f 1024; exec "$@"',
        "sh",
        process.execPath,
        "run",
        CLIENT_PROGRAM,
        ...flags,
        "send",
        "--wait",
        "queued",
        "beto",
        text,
      ],
      { stdout: "pipe", stderr: "pipe" },
    );
    const [code, stdout, stderr] = await Promise.all([
      run.exited,
      new Response(run.stdout).text(),
      new Response(run.stderr).text(),
    ]);
    if (code === 0) kept++;
    else failed = { code, stdout, stderr };
  }
  expect(failed?.stderr).toContain("cannot be saved to the disk");
  expectNoTrace(failed?.stderr ?? "");
  expect(JSON.parse(failed?.stdout ?? "")).toMatchObject({ event: "error", code: "disk" });
  expect(failed?.code).toBe(1);
  expect((await ana.json(["history", "beto"])).events).toHaveLength(kept);
});

test("a port in use is one sentence", async () => {
  const ana = world.person("ana.port", port);
  await ana.register();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, resolve));
  const address = taken.address();
  const number = address === null || typeof address === "string" ? 0 : address.port;
  await expectFailure(
    ana,
    ["users", "--p2p-port", String(number)],
    { exit: 1, code: "port_taken", en: `P2P port not available: ${number}`, es: "Puerto P2P no disponible" },
    { password: PASSWORD },
  );
  taken.close();
});

test("without a home and without --data there is nowhere to keep anything", async () => {
  const client = new ClientProcess({
    args: ["users", "--lang", "en"],
    environment: { HOME: "", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
  });
  expect(await client.ended).toEqual({
    code: 2,
    stdout: "",
    stderr: "There is nowhere to keep the data: HOME is not set; use --data DIR.\nSee --help.\n",
  });
});
