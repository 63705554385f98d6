/** `send-file`, `files` and `listen --accept-files`. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { AtTerminal } from "./at-terminal.ts";
import {
  CLIENT_PROGRAM,
  expectFailure,
  FRIENDS,
  PASSWORD,
  World,
  type ClientHere,
  type Event,
  type Person,
} from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
const incoming = join(world.folder, "incoming");
let ana: Person;
let beto: Person;
let listening: ClientHere;

/** A file of Ana's. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(world.folder, name);
  writeFileSync(path, content);
  return path;
}

/** The offer of a file with this name, when Beto has it. */
async function offered(name: string): Promise<Event> {
  return listening.event({ event: "file", name, state: "offered" });
}

beforeAll(async () => {
  const { tlsPort } = await world.server();
  [ana, beto] = ["ana", "beto"].map((name) => world.person(name, tlsPort)) as [Person, Person];
  for (const person of [ana, beto]) await person.register();
  await beto.run(["users"], { password: PASSWORD });
  await ana.run(["users"], { password: PASSWORD });
  await beto.run(["contacts", "add", "ana"]);
  await ana.run(["contacts", "add", "beto"]);
  mkdirSync(incoming);
  listening = await beto.listen();
});
afterAll(() => world.close());

test("a declined file is exit 4, and both sides see it in their lists", async () => {
  const path = file("declined.txt", "no, thanks");
  const sending = ana.start(["send-file", "beto", path]);
  const { number } = await offered("declined.txt");
  const declined = await beto.run(["files", "decline", `#${number}`]);
  expect(declined).toMatchObject({ code: 0, stderr: "" });
  expect(declined.stdout).toContain("“declined.txt” (10 B) from ana was declined.");
  const { code, stderr } = await sending.ended;
  expect(code).toBe(4);
  expect(stderr).toContain("“declined.txt” (10 B) is offered to beto; it waits for their answer.\n");
  expect(stderr).toContain("beto does not accept “declined.txt” (10 B).\n");
  const fields = { name: "declined.txt", size: 10, entries: null, state: "declined", reason: "declined" };
  expect(await ana.list(["files"])).toMatchObject([{ ...fields, direction: "out", peer: "beto", path }]);
  expect(await beto.list(["files"])).toMatchObject([{ ...fields, direction: "in", peer: "ana", path: null }]);
});

test("Ctrl-C is exit 130, and the offer stands until somebody stops it", async () => {
  const sending = ana.start(["send-file", "beto", file("stands.txt", "x")]);
  await offered("stands.txt");
  sending.signal("SIGINT");
  const { code, stderr } = await sending.ended;
  expect(code).toBe(130);
  expect(stderr).toContain("The offer stands: if beto accepts it, it is sent while both of you are online");
  const { number } = (await ana.list(["files"])).at(-1) as Event;
  const stopped = await ana.run(["files", "stop", String(number)]);
  expect(stopped.stdout).toContain("Sending “stands.txt” (1 B) to beto was stopped.");
});

test("what is not there is exit 2, and then nothing is offered", async () => {
  const there = file("there.txt", "x");
  const before = (await ana.list(["files"])).length;
  await expectFailure(ana, ["send-file", "beto", there, join(world.folder, "not-there")], {
    exit: 2,
    code: "usage",
    en: "not-there”: It does not exist.",
    es: "not-there»: No existe.",
  });
  await expectFailure(ana, ["send-file", "ana", there], {
    exit: 2,
    code: "to_oneself",
    en: "yourself",
    es: "sí mismo",
  });
  expect((await ana.list(["files"])).length).toBe(before);
});

test("to somebody who is offline it is exit 5, and the offer waits", async () => {
  const path = file("later.txt", "later");
  await listening.stop();
  const { code, events, stderr } = await ana.json(["send-file", "beto", path]);
  expect(code).toBe(5);
  expect(events).toMatchObject([
    { event: "file", name: "later.txt", state: "offered" },
    { event: "error", code: "user_offline", to: "beto" },
  ]);
  expect(stderr).toContain("The offer is queued and will be sent when beto is online and so are you");
  const queued = await ana.run(["send-file", "--wait", "queued", "beto", path]);
  expect(queued).toMatchObject({ code: 0, stdout: "" });
  expect(queued.stderr).toContain("The offer is queued");
  listening = await beto.listen();
  const online = ana.start(["listen"]);
  await offered("later.txt");
  await online.stop();
});

test("listen accepts what is small enough, and what waits for an answer already", async () => {
  await listening.stop();
  listening = beto.start(["listen", "--json", "--accept-files", incoming, "--max-size", "1K"]);
  await listening.event({ event: "file", name: "later.txt", state: "accepted" });
  const large = file("large.txt", "x".repeat(1_025));
  await expectFailure(ana, ["send-file", "beto", large], {
    exit: 4,
    code: "too_large",
    en: "It is larger than what beto accepts.",
    es: "Es más grande de lo que acepta beto.",
  });
});

test("what is accepted arrives as it was sent, and each tenth of it is a line", async () => {
  const content = crypto.getRandomValues(new Uint8Array(65_536)).toHex().repeat(40);
  const path = file("whole.txt", content);
  await listening.stop();
  listening = beto.start(["listen", "--json", "--sha256", "--accept-files", incoming]);
  const { code, stdout, stderr } = await ana.run(["send-file", "--sha256", "beto", path]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  const digest = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  expect(stderr.split("\n").at(-2)).toBe(`beto has received “whole.txt” (5.0 MiB). Its SHA-256: ${digest}`);
  const done = { event: "file", name: "whole.txt", state: "done", sha256: digest };
  const { path: received } = await listening.event(done);
  expect(received).toBe(join(incoming, "whole.txt"));
  expect(readFileSync(String(received), "utf8") === content).toBe(true);
});

test("several files and a folder are sent at once, and each has its end", async () => {
  const folder = join(world.folder, "photos");
  mkdirSync(join(folder, "empty"), { recursive: true });
  writeFileSync(join(folder, "one.jpg"), "1");
  symlinkSync("one.jpg", join(folder, "link.jpg"));
  const { code, events, stderr } = await ana.json([
    "send-file",
    "beto",
    file("a.txt", "a"),
    folder,
    file("b.txt", ""),
  ]);
  expect({ code, stderr: stderr.match(/has received “[^”]+”/g)?.toSorted() }).toEqual({
    code: 0,
    stderr: ["a.txt", "b.txt", "photos"].map((name) => `has received “${name}”`),
  });
  expect(stderr).toContain("Links and special files in “photos” are not sent: “link.jpg”.");
  expect(events.filter(({ state }) => state === "done").length).toBe(3);
  expect(readFileSync(join(incoming, "photos", "one.jpg"), "utf8")).toBe("1");
  expect(readdirSync(join(incoming, "photos")).toSorted()).toEqual(["empty", "one.jpg"]);
});

/** A command of Ana's that sends what is written into it. */
function piped(from: string): readonly string[] {
  const flags = ["--lang", "en", "--server", ana.server, "--user", "ana", "--data", ana.data];
  const command = [process.execPath, "run", CLIENT_PROGRAM, ...flags, "send-file", "beto", "-"];
  return ["sh", "-c", `${from} | "$@"`, "sh", ...command];
}

test("at a terminal a row shows how far it is, and nothing is left of it", async () => {
  const fifo = join(world.folder, "fifo");
  expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
  const terminal = new AtTerminal([], { program: { line: piped(`cat '${fifo}'`) } });
  const writer = await open(fifo, "w");
  await writer.write(new Uint8Array(2 * 1_048_576));
  await terminal.showsRow(/^⇡ stdin .*MiB/);
  await writer.close();
  expect(await terminal.exited).toBe(0);
  expect(terminal.screen.rows.filter((row) => row !== "")).toEqual([
    "“stdin” (unknown size) is offered to beto; it waits for their answer.",
    "beto has received “stdin” (2.0 MiB).",
  ]);
  await terminal.close();
  expect(readFileSync(join(incoming, "stdin"))).toHaveLength(2 * 1_048_576);
});

test("standard input is sent to its end also where another process has the account online", async () => {
  const online = await ana.listen();
  const child = Bun.spawn([...piped("head -c 3000000 /dev/zero")], {
    env: { PATH: process.env["PATH"] ?? "", ...FRIENDS },
    stderr: "pipe",
  });
  expect(await child.stderr.text()).toContain("beto has received “stdin” (2.9 MiB).");
  expect(await child.exited).toBe(0);
  await online.stop();
  expect(readFileSync(join(incoming, "stdin (2)"))).toHaveLength(3_000_000);
});

test("what a command for files does not take is exit 2", async () => {
  const wrong = [
    [["files", "burn", "1"], "“burn” is not known", "no se conoce «burn»"],
    [["files", "accept"], "ID is missing", "Falta ID"],
    [["send-file", "beto", ...Array<string>(101).fill("x")], "more than 100 paths", "más de 100 rutas"],
    [["send-file", "beto", "-", "-"], "can be sent only once", "solo se puede enviar una vez"],
    [["send-file", "beto", "-", "--wait", "queued"], "cannot be queued", "no puede quedar en cola"],
    [
      ["listen", "--accept-files", join(world.folder, "no-folder")],
      "there is no folder",
      "no hay ninguna carpeta",
    ],
  ] as const;
  for (const [args, en, es] of wrong) await expectFailure(ana, args, { exit: 2, code: "usage", en, es });
  await expectFailure(ana, ["files", "stop", "4711"], {
    exit: 2,
    code: "no_such_transfer",
    en: "There is no such transfer.",
    es: "No hay ningún envío así.",
  });
});
