/**
 * `profile export` and `profile import`: an account moves to another machine, wherever it is online; the old machine reads,
 * and goes online only with `--force`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { COST } from "../../src/client/moving/sealed-format.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { AtTerminal } from "./at-terminal.ts";
import { expectFailure, PASSWORD, type Person } from "./cli-process.ts";
import { DaemonHere } from "./daemon-process.ts";
import { flagsOf, SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(60_000);

const PASSPHRASE = "four words that rhyme";
const GIVEN = { input: `${PASSPHRASE}\n` };

// A file tells what its key costs; here it is cheap, as the server's hashes are.
Object.assign(COST, { memory: 32, passes: 1 });

const world = new SharedWorld();
let port: number;
let benito: Person;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
  benito = await world.loggedIn("benito", port);
  await benito.listen();
});
afterAll(() => world.close());

const fileOf = (person: Person) => join(world.folder, `${person.name}.paloma`);
const exported = (person: Person, ...args: readonly string[]) =>
  person.json(["profile", "export", fileOf(person), "--password-stdin", ...args], GIVEN);
const imported = (person: Person, file: string, ...args: readonly string[]) =>
  person.json(["profile", "import", file, "--password-stdin", ...args], GIVEN);

/** The sentence as it stands in standard error, up to the day in it. */
const moved = (lang: "es" | "en") => textsIn(lang).accountMoved("#").split("#")[0] as string;

test("an account moves with its key, people, messages and outbox, and is the same to everybody", async () => {
  const ana = await world.loggedIn("ana.moves", port);
  expect((await ana.run(["send", benito.name, "from the old machine"])).code).toBe(0);
  await ana.run(["send", "--wait", "queued", "carla.away", "still unsent"]);
  const file = fileOf(ana);
  expect(await exported(ana)).toEqual({
    code: 0,
    events: [{ event: "profile_exported", username: ana.name, file, bytes: statSync(file).size }],
    stderr: `${textsIn("en").afterExport}\n`,
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const there = ana.elsewhere();
  const { code, events } = await imported(there, file);
  expect(code).toBe(0);
  // The server of this test is the old machine itself.
  const folder = there.profileFolder;
  expect(events).toEqual([{ event: "profile_imported", username: ana.name, folder, servers: [] }]);
  for (const command of [["history", benito.name], ["history", "carla.away"], ["contacts"], ["fingerprint"]])
    expect((await there.json(command)).events).toEqual((await ana.json(command)).events);
  expect((await there.json(["whoami"])).events).toMatchObject([{ has_session: false, moved_at: null }]);

  // The session stays behind, and the key does not change.
  expect((await there.json(["users"])).events).toMatchObject([{ event: "error", code: "password_needed" }]);
  const listening = await there.listen(PASSWORD);
  expect((await benito.run(["send", ana.name, "are you the same?"])).code).toBe(0);
  await listening.event({ event: "message", text: "are you the same?" });
  const carla = world.person("carla.away", port);
  await carla.register();
  await (await carla.listen(PASSWORD)).event({ event: "message", from: ana.name, text: "still unsent" });
  expect((await benito.list(["contacts"])).find(({ username }) => username === ana.name)).toMatchObject({
    key: "known",
  });
});

describe("where it was exported", () => {
  let ana: Person;
  beforeAll(async () => {
    ana = await world.loggedIn("ana.stays", port);
    expect((await ana.run(["send", benito.name, "before"])).code).toBe(0);
    expect((await exported(ana)).code).toBe(0);
  });

  test.each([
    [["users"]],
    [["send", "benito", "x"]],
    [["send", "--wait", "queued", "benito", "x"]],
    [["listen"]],
    [["cancel", "benito"]],
    [["logout"]],
    [["delete-account", "--yes"]],
  ])("an account does not go online: %j", async (args) => {
    const refused = { exit: 4, code: "account_moved", en: moved("en"), es: moved("es") };
    await expectFailure(ana, args, refused, { password: PASSWORD });
  });

  test("nor for a daemon", async () => {
    const daemon = new DaemonHere(ana, PASSWORD);
    expect((await daemon.ended).code).toBe(4);
    await daemon.line({ event: "error", code: "account_moved" });
  });

  test("what is stored can be read, found and exported", async () => {
    expect(await ana.list(["history", benito.name])).toMatchObject([{ text: "before" }]);
    expect(await ana.list(["search", "before"])).toMatchObject([{ text: "before" }]);
    expect(await ana.list(["contacts"])).toMatchObject([{ username: benito.name }]);
    expect((await ana.run(["export", benito.name, join(world.folder, "chat.txt")])).code).toBe(0);
    expect((await ana.json(["whoami"])).events).toMatchObject([
      { has_session: false, moved_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
    ]);
    const day = (await ana.run(["whoami"])).stdout.split("\n")[1];
    expect(day).toMatch(/^Moved to another machine on \d{4}-\d\d-\d\d: here it can only be read\.$/);
  });

  test("the menus say so, and stay", async () => {
    const terminal = new AtTerminal([...flagsOf(ana), "--lang", "es"]);
    await terminal.shows("1. Iniciar sesión");
    terminal.type("1\r");
    await terminal.shows(ana.name);
    terminal.type("\r");
    const said = moved("es").replace(/\s+/g, "").slice(0, 40);
    await terminal.until(() => terminal.text.replace(/\s+/g, "").includes(said), "the refusal");
    await terminal.until(
      ({ rows }) => rows.filter((row) => row.includes("1. Iniciar sesión")).length > 0,
      "the menu",
    );
    terminal.close();
  });

  test("--force brings it back, and then it is at home again; without a login it is not", async () => {
    expect((await ana.run(["users", "--force"], { password: "not hers" })).code).toBe(4);
    expect((await ana.json(["users"])).events).toMatchObject([{ code: "account_moved" }]);
    expect((await ana.run(["users", "--force"], { password: PASSWORD })).code).toBe(0);
    expect((await ana.run(["send", benito.name, "here again"])).code).toBe(0);
    expect((await ana.json(["whoami"])).events).toMatchObject([{ has_session: true, moved_at: null }]);
  });
});

describe("an account that is online", () => {
  const moving = textsIn("en").accountMoving;

  test("is taken from a listen and a daemon beside it, which say why and end", async () => {
    const ana = await world.loggedIn("ana.online", port);
    const listening = await ana.listen();
    const daemon = await new DaemonHere(ana).online();
    expect((await benito.run(["send", ana.name, "the last one here"])).code).toBe(0);
    expect((await exported(ana)).code).toBe(0);
    const ended = await listening.ended;
    expect(ended.code).toBe(4);
    expect(ended.stderr.split(moving)).toHaveLength(2);
    expect(listening.events.filter(({ event }) => event === "error")).toEqual([
      { event: "error", code: "account_moving", message: moving },
    ]);
    expect((await daemon.ended).code).toBe(4);
    expect(daemon.lines.filter(({ event }) => event === "error")).toMatchObject([{ code: "account_moving" }]);
    const there = ana.elsewhere();
    expect((await imported(there, fileOf(ana))).code).toBe(0);
    expect(await there.list(["history", benito.name])).toMatchObject([{ text: "the last one here" }]);
  });

  test("is taken from a screen in a chat, which goes back to its first menu", async () => {
    const ana = await world.loggedIn("ana.chats", port);
    const screen = await world.chat(ana, benito.name);
    screen.type("half a thought");
    await screen.shows("half a thought");
    expect((await exported(ana)).code).toBe(0);
    await screen.until(({ rows }) => rows.some((row) => row.includes("1. Log in")), "the first menu");
    expect(screen.text.replace(/\s+/g, "")).toContain(moving.replace(/\s+/g, ""));
  });

  test("is taken from a send that waits, whose message moves", async () => {
    const ana = await world.loggedIn("ana.waits", port);
    const carla = world.person("carla.halts", port);
    await carla.register();
    const listening = await carla.listenApart(PASSWORD);
    expect((await ana.run(["send", carla.name, "hello"])).code).toBe(0);
    // She does not acknowledge: the command waits.
    listening.signal("SIGSTOP");
    const sending = ana.start(["send", carla.name, "waiting", "--json", "--timeout", "600"]);
    await sending.event({ event: "delivery", state: "queued" });
    expect((await exported(ana)).code).toBe(0);
    const ended = await sending.ended;
    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain(moving);
    expect((await imported(ana.elsewhere(), fileOf(ana))).code).toBe(0);
    expect((await ana.elsewhere().states(carla.name)).at(-1)?.[0]).toBe("waiting");
    listening.signal("SIGKILL");
  });

  test("stays online when the export cannot begin", async () => {
    const ana = await world.loggedIn("ana.refused", port);
    const listening = await ana.listen();
    const [es, en] = [textsIn("es"), textsIn("en")];
    const args = ["profile", "export", fileOf(ana), "--password-stdin"];
    const usage = (name: "passphraseNeeded" | "passphraseBad") => ({
      exit: 2,
      code: "usage",
      en: en[name],
      es: es[name],
    });
    await expectFailure(ana, args, usage("passphraseNeeded"), { input: "" });
    await expectFailure(ana, args.slice(0, -1), usage("passphraseNeeded"), { password: PASSWORD });
    await expectFailure(ana, args, usage("passphraseBad"), { input: "short\n" });
    writeFileSync(fileOf(ana), "mine");
    await expectFailure(
      ana,
      args,
      { exit: 1, code: "file_exists", en: "already exists", es: "ya existe" },
      GIVEN,
    );
    const unknown = { exit: 2, code: "usage", en: en.exportOrImport("move"), es: es.exportOrImport("move") };
    await expectFailure(ana, ["profile", "move", fileOf(ana)], unknown);
    expect((await benito.run(["send", ana.name, "still there?"])).code).toBe(0);
    await listening.event({ event: "message", text: "still there?" });
  });
});

test("an import says what is wrong with a file, each in its own words, and leaves nothing", async () => {
  const ana = await world.loggedIn("ana.file", port);
  const file = fileOf(ana);
  expect((await exported(ana)).code).toBe(0);
  const [es, en] = [textsIn("es"), textsIn("en")];
  const there = ana.elsewhere();
  const refuse = async (
    exit: number,
    code: string,
    sentence: "passphraseWrong" | "fileTruncated" | "fileNotOurs",
    input: string,
  ) => {
    const args = ["profile", "import", file, "--password-stdin"];
    await expectFailure(there, args, { exit, code, en: en[sentence], es: es[sentence] }, { input });
    expect(existsSync(there.data) ? readdirSync(there.data) : []).toEqual([]);
  };
  await refuse(4, "wrong_passphrase", "passphraseWrong", "not the one\n");
  const here = { exit: 4, code: "account_exists", en: "as it was moved", es: "tal como se llevó" };
  await expectFailure(ana, ["profile", "import", file, "--password-stdin"], here, GIVEN);
  truncateSync(file, statSync(file).size - 1);
  await refuse(1, "file_truncated", "fileTruncated", GIVEN.input);
  writeFileSync(file, "hello");
  await refuse(1, "file_not_ours", "fileNotOurs", GIVEN.input);
});

test("at a terminal the passphrase is asked twice, and is not shown", async () => {
  const ana = await world.loggedIn("ana.types", port);
  const run = async (
    person: Person,
    command: "export" | "import",
    lang: "es" | "en",
    asked: readonly (readonly [
      question: "passphrase" | "passphraseNew" | "passphraseAgain",
      answer: string,
    ])[],
  ) => {
    const args = ["profile", command, fileOf(ana), "--lang", lang, ...flagsOf(person)];
    const terminal = new AtTerminal(args, { cols: 120 });
    for (const [question, answer] of asked) {
      await terminal.shows(textsIn(lang)[question]);
      terminal.type(`${answer}\r`);
    }
    const code = await terminal.ended();
    terminal.close();
    expect(terminal.text).not.toContain(PASSPHRASE);
    return { code, text: terminal.text.replace(/\s+/g, "") };
  };
  const [es, en] = [textsIn("es"), textsIn("en")];
  const first = ["passphraseNew", PASSPHRASE] as const;
  const differ = await run(ana, "export", "en", [first, ["passphraseAgain", "something else"]]);
  expect(differ.code).toBe(2);
  expect(differ.text).toContain(en.passphrasesDiffer.replace(/\s+/g, ""));
  const done = await run(ana, "export", "es", [first, ["passphraseAgain", PASSPHRASE]]);
  expect(done.code).toBe(0);
  expect(done.text).toContain(es.accountExported(ana.name, fileOf(ana)).replace(/\s+/g, ""));
  const there = ana.elsewhere();
  const arrived = await run(there, "import", "en", [["passphrase", PASSPHRASE]]);
  expect(arrived.text).toContain(en.accountImported(ana.name, there.profileFolder).replace(/\s+/g, ""));
  expect(arrived.code).toBe(0);
});
