import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import { CLIENT_PROGRAM, expectFailure, expectNoTrace, PASSWORD, World, type Person } from "./cli-process.ts";

setDefaultTimeout(120_000);

const MENDED = "the message indexes were wrong";
const TEXTS = Array.from({ length: 300 }, (_, number) => `message ${number} ${"paloma ".repeat(60)}`);

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

/** Someone who was online here, with stored messages. */
async function withMessages(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  for (const text of TEXTS.slice(0, 3)) {
    await person.run(["send", "--wait", "queued", "beto", text]);
  }
  inDatabase(person, (database) => {
    const add = database.prepare(
      `INSERT INTO messages (contact, outgoing, id, text, sent_at, received_at, state)
       SELECT id, 0, ?, ?, ?, ?, 2 FROM contacts WHERE username = 'beto'`,
    );
    TEXTS.slice(3).forEach((text, index) => add.run(`id-${index}`, text, Date.now(), Date.now()));
    add.finalize();
  });
  return person;
}

function inDatabase<T>(person: Person, use: (database: Database) => T): T {
  const database = new Database(join(person.profileFolder, "profile.db"), { strict: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** Has `listen` killed, so that its end is none that it made itself. */
async function killListening(person: Person): Promise<void> {
  const client = await person.listenApart();
  client.signal("SIGKILL");
  await client.process.exited;
}

/** Writes over one page of a tree, while nobody has the file open. @param which of its leaves, from behind */
function damage(person: Person, tree: string, which = -1): void {
  const page = inDatabase(person, (database) => {
    database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const query = database.prepare<{ page: number }, [string]>(
      "SELECT pageno AS page FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno",
    );
    const pages = query.all(tree);
    query.finalize();
    return pages.at(which)?.page ?? 0;
  });
  expect(page).toBeGreaterThan(1);
  const file = openSync(join(person.profileFolder, "profile.db"), "r+");
  writeSync(file, Buffer.alloc(4_096, 0xab), 0, 4_096, (page - 1) * 4_096);
  closeSync(file);
}

const rescues = (person: Person) =>
  readdirSync(person.profileFolder).filter((name) => name.startsWith("rescued"));

test("after kill -9 a sound profile is used without a notice", async () => {
  const ana = await withMessages("ana.sound");
  await killListening(ana);
  const { code, stderr } = await ana.run(["users"]);
  expect(code).toBe(0);
  expect(stderr).not.toContain("damaged");
  expect(await ana.list(["history", "beto"])).toHaveLength(TEXTS.length);
});

test("after kill -9 a long check is announced", async () => {
  const ana = await withMessages("ana.large");
  await killListening(ana);
  inDatabase(ana, (database) =>
    database.run(
      `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000)
       INSERT INTO messages (contact, outgoing, id, text, received_at, state)
       SELECT contacts.id, 0, 'large ' || n, printf('%.*c', 1000, 'x'), 1, 2 FROM contacts, number`,
    ),
  );
  const { code, stderr } = await ana.run(["users"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("checking your stored messages")]);
  expect((await ana.run(["users"])).stderr).not.toContain("being checked");
});

test("after kill -9 a damaged index is rebuilt, reported once, and nothing is lost", async () => {
  const ana = await withMessages("ana.index");
  await killListening(ana);
  damage(ana, "messages_by_contact");
  const { code, stderr } = await ana.run(["users"]);
  expect(stderr).toContain(MENDED);
  expect(code).toBe(0);
  expect((await ana.list(["history", "beto"])).map(({ text }) => text)).toEqual(TEXTS);
  const again = await ana.run(["users"]);
  expect(again.stderr).not.toContain(MENDED);
  expect(again.code).toBe(0);
});

test("after a clean shutdown nothing is checked", async () => {
  const ana = await withMessages("ana.clean");
  expect((await (await ana.listen()).stop()).code).toBe(0);
  damage(ana, "messages_by_contact");
  damage(ana, "messages", 2);
  const { code, stderr } = await ana.run(["users"]);
  expect(stderr).not.toContain(MENDED);
  expect(code).toBe(0);
  expect(rescues(ana)).toEqual([]);
});

test("after kill -9 damaged messages end the start with one sentence, and the readable ones are in a file", async () => {
  const ana = await withMessages("ana.broken");
  await killListening(ana);
  damage(ana, "messages", 2);
  // Each start finds it again, and none of them writes the messages a second time.
  await expectFailure(ana, ["users"], {
    exit: 1,
    code: "profile_damaged",
    en: /is damaged and cannot be used.*rescued-.*\.jsonl.*move it elsewhere as a whole.*log in again.*new key/,
    es: /está dañado y no se puede usar.*rescued-.*\.jsonl.*(?:muévala|mueva).*iniciar sesión.*clave nueva/,
  });
  const [file = "", ...others] = rescues(ana);
  expect(others).toEqual([]);
  const lines = readFileSync(join(ana.profileFolder, file), "utf8").trimEnd().split("\n");
  const texts = lines.map((line) => (JSON.parse(line) as { text: string }).text);
  expect(texts.length).toBeGreaterThan(TEXTS.length / 2);
  expect(texts.length).toBeLessThan(TEXTS.length);
  expect(texts).toEqual(TEXTS.filter((text) => texts.includes(text)));
});

test("a disk without room for the rescued messages is reported, leaves no partial file, and the next start tries again", async () => {
  const ana = await withMessages("ana.full");
  await killListening(ana);
  damage(ana, "messages", 2);
  // A limit on the size of files is what a full disk is to a program: 64 KiB in blocks of 512 bytes.
  const flags = ["--server", ana.server, "--user", ana.name, "--data", ana.data, "--lang", "en"];
  const run = Bun.spawn(
    [
      ...["sh", "-c", 'trap "" XFSZ; ulimit -f 128; exec "$@"', "sh"],
      ...[process.execPath, "run", CLIENT_PROGRAM, ...flags, "users"],
    ],
    { stdout: "pipe", stderr: "pipe" },
  );
  const [code, stderr] = await Promise.all([run.exited, new Response(run.stderr).text()]);
  expect(stderr).toContain("Cannot save to the disk");
  expectNoTrace(stderr);
  expect(code).toBe(1);
  expect(rescues(ana)).toEqual([]);
  expect((await ana.json(["users"])).events).toMatchObject([{ event: "error", code: "profile_damaged" }]);
  expect(rescues(ana)).toHaveLength(1);
});
