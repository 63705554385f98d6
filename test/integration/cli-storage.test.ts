import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { Profile } from "../../src/client/profile/profile.ts";
import { ClientProcess, expectFailure, PASSWORD, World, type Person, type Ended } from "./cli-process.ts";
import { CommandsProcess } from "./asked-process.ts";

setDefaultTimeout(60_000);

/** Of a database, in bytes. */
const PAGE_SIZE = 4_096;

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
      { exit: 1, code: "disk", en: "Cannot save to the disk", es: "No se puede guardar en el disco" },
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

test("a data folder that others can write to is closed before anything is done, and that is said once", async () => {
  const ana = world.person("ana.open", port);
  mkdirSync(ana.data);
  chmodSync(ana.data, 0o777);
  const { code, stderr } = await ana.run(["register"], { password: PASSWORD });
  expect(stderr).toContain(`Other users of this machine could write to ${ana.data}: now they cannot.`);
  expect([code, statSync(ana.data).mode & 0o777]).toEqual([0, 0o755]);
  expect((await ana.run(["history", "beto"])).stderr).not.toContain("Other users");
  chmodSync(ana.profileFolder, 0o770);
  const again = await ana.run(["--lang", "es", "history", "beto"]);
  expect(again.stderr).toContain(
    `Otros usuarios de esta máquina podían escribir en ${ana.profileFolder}: ya no pueden.`,
  );
  expect(statSync(ana.profileFolder).mode & 0o777).toBe(0o700);
});

test("a data folder that is shared with others is refused by every command, and nothing is written there", async () => {
  const ana = world.person("ana.shared", port);
  mkdirSync(ana.data);
  chmodSync(ana.data, 0o1777);
  for (const command of [["register"], ["users"], ["send", "beto", "x"], ["listen"], ["history", "beto"]]) {
    await expectFailure(
      ana,
      command,
      {
        exit: 1,
        code: "open_to_others",
        en: `Other users of this machine can write to ${ana.data}: it is not safe`,
        es: `Otros usuarios de esta máquina pueden escribir en ${ana.data}: no es seguro`,
      },
      { password: PASSWORD },
    );
  }
  expect(readdirSync(ana.data)).toEqual([]);
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

/** Someone who has been online and has 400 messages of beto, one of whose pages the disk has lost. */
async function damaged(name: string): Promise<{ ana: Person; folder: string }> {
  const ana = world.person(name, port);
  await ana.register();
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  const folder = ana.profileFolder;
  damage(folder, "<200> ");
  return { ana, folder };
}

/** Stores 400 messages of beto, and empties the page that holds a text; without one all but the first page. */
function damage(folder: string, text: string | undefined): void {
  const profile = Profile.open(folder);
  const incoming = Array.from({ length: 400 }, (_, index) => ({
    kind: "text" as const,
    id: `id-${index}`,
    text: `<${index}> ${"x".repeat(200)}`,
    sentAt: undefined,
    replyTo: undefined,
  }));
  const contact = profile.contacts.ensure("beto");
  profile.messages.commitRead(contact, { incoming, acknowledged: [], readUpTo: undefined }, Date.now());
  profile.close();
  const file = join(folder, "profile.db");
  const database = new Database(file);
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const bytes = readFileSync(file);
  const page = text === undefined ? PAGE_SIZE : Math.floor(bytes.indexOf(text) / PAGE_SIZE) * PAGE_SIZE;
  writeFileSync(file, bytes.fill(0, page, text === undefined ? bytes.length : page + PAGE_SIZE));
}

test("history of a damaged profile prints what stands before the damage, and the next start saves the rest", async () => {
  const { ana, folder } = await damaged("ana.damaged");
  const file = join(folder, "profile.db");
  const { code, events, stderr } = await ana.json(["history", "beto"]);
  expect(code).toBe(1);
  expect(events.at(-1)).toMatchObject({ event: "error", code: "profile_damaged" });
  const read = events.slice(0, -1).map(({ text }) => Number(String(text).match(/^<(\d+)>/)?.[1]));
  expect(read.length).toBeGreaterThan(100);
  expect(read).toEqual(Array.from({ length: read.length }, (_, index) => index));
  expect(stderr).toContain("Start listen or the menus");
  expect(stderr).not.toContain("Cannot save to the disk");
  expect(stderr.trimEnd()).not.toContain("\n");

  // It was noted: the next start checks a profile whose last one ended well.
  const started = await ana.json(["listen"]);
  expect(started.events).toMatchObject([{ event: "error", code: "profile_damaged" }]);
  expect(started.stderr).toContain(
    `${file} is damaged and cannot be used. The messages that could still be read`,
  );
  expect(started.stderr).toContain(`The folder ${folder} is left as it is: move it elsewhere as a whole`);
  expect(started.code).toBe(1);
});

test("listen and export end with a damaged profile in one sentence, and the next start checks it", async () => {
  const { ana, folder } = await damaged("ana.damaged.listen");
  const target = join(world.folder, "damaged.jsonl");
  await expectFailure(ana, ["export", "beto", target], {
    exit: 1,
    code: "profile_damaged",
    en: "The file with your messages is damaged",
    es: "El archivo de sus mensajes está dañado",
  });
  expect(existsSync(target)).toBe(false);
  // As if nobody had met it yet.
  rmSync(join(folder, "check-me"));
  const met = await ana.json(["listen"]);
  expect(met.code).toBe(1);
  expect(met.events.filter(({ event }) => event === "error")).toMatchObject([{ code: "profile_damaged" }]);
  expect(met.stderr).toContain("The file with your messages is damaged");
  expect((await ana.json(["listen"])).stderr).toContain("The messages that could still be read");
});

test.each([
  ["the page of the newest messages", "<399> "],
  ["nearly everything", undefined],
])(
  "a listen under which the disk loses %s ends, says so once, and the next start checks it",
  async (_what, text) => {
    const [ana, beto] = ["ana", "beto"].map((name) =>
      world.person(`${name}.under.${text === undefined ? "all" : "one"}`, port),
    ) as [Person, Person];
    for (const person of [ana, beto]) {
      await person.register();
      expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
    }
    const listening = await ana.listen();
    damage(ana.profileFolder, text);
    const sent = await beto.run(["send", ana.name, "for a broken disk", "--timeout", "8"]);
    expect(sent.code).toBe(5);
    const { code, stderr } = await listening.ended;
    expect(code).toBe(1);
    expect(listening.events.filter(({ code: each }) => each === "profile_damaged")).toHaveLength(1);
    expect(stderr).not.toContain("cannot be saved");
    const started = await ana.json(["listen"]);
    expect(started.stderr).toContain("is damaged and cannot be used");
    expect(started.code).toBe(1);
  },
);

test("a profile that is no database any more, is empty or is gone is named, and nothing is made in its place", async () => {
  const ana = world.person("ana.lost", port);
  await ana.register();
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  const file = join(ana.profileFolder, "profile.db");
  const bytes = readFileSync(file);
  const commands = [["history", "beto"], ["users"]];
  writeFileSync(file, Buffer.from(bytes).fill(0x5a, 0, 200));
  for (const command of commands) {
    await expectFailure(ana, command, {
      exit: 1,
      code: "store_damaged",
      en: `${file} is damaged`,
      es: `${file} está dañado`,
    });
  }
  for (const lose of [() => writeFileSync(file, ""), () => rmSync(file)]) {
    lose();
    for (const command of commands) {
      await expectFailure(ana, command, {
        exit: 1,
        code: "store_lost",
        en: `${file} is missing or empty`,
        es: `Falta ${file} o está vacío`,
      });
    }
  }
  expect(existsSync(file)).toBe(false);
});

/** No file may grow beyond this size, in blocks of 512 bytes: what a full disk is to SQLite. */
function withFileLimit(blocks: number): CommandsProcess {
  return new CommandsProcess(["sh", "-c", `trap "" XFSZ; ulimit -f ${blocks}; exec "$@"`, "sh"]);
}

test("a search on a full disk finds also what could not be indexed", async () => {
  const ana = world.person("ana.search", port);
  await ana.register();
  const send = (text: string) => ana.run(["send", "--wait", "queued", "beto", text], { password: PASSWORD });
  expect((await send("first words")).code).toBe(0);
  expect((await ana.run(["search", "words"])).stdout).toContain("first words");
  expect((await send(`later words ${"x y z ".repeat(5_000)}`)).code).toBe(0);
  await using commands = withFileLimit(64);
  const flags = ["--user", ana.name, "--data", ana.data, "--lang", "en"];
  const { code, stdout, stderr } = await commands.run({ args: ["search", "words", ...flags] });
  expect(stderr).toBe("");
  expect(stdout).toContain("first words");
  expect(stdout).toContain("later words");
  expect(code).toBe(0);
});

test("a full disk takes no message, and says so", async () => {
  const ana = world.person("ana.full", port);
  await ana.register();
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  const flags = ["--server", ana.server, "--user", ana.name, "--data", ana.data, "--json", "--lang", "en"];
  const text = "x".repeat(30_000);
  await using commands = withFileLimit(1_024);
  let failed: Ended | undefined;
  let kept = 0;
  while (failed === undefined && kept < 100) {
    const ended = await commands.run({ args: [...flags, "send", "--wait", "queued", "beto", text] });
    if (ended.code === 0) kept++;
    else failed = ended;
  }
  expect(failed?.stderr).toContain("Cannot save to the disk");
  expect(JSON.parse(failed?.stdout ?? "")).toMatchObject({ event: "error", code: "disk" });
  expect(failed?.code).toBe(1);
  expect(await ana.list(["history", "beto"])).toHaveLength(kept);
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

test("without a home folder and without --data it is wrong usage", async () => {
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
