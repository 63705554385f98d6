import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { Profile } from "../../src/client/profile/profile.ts";
import {
  CLIENT_PROGRAM,
  expectFailure,
  expectNoTrace,
  FRIENDS,
  PASSWORD,
  World,
  type Ended,
  type Person,
} from "./cli-process.ts";
import { Collected } from "./collected.ts";

setDefaultTimeout(60_000);

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);

const world = new World();
let port = 0;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

async function pair(name: string): Promise<[Person, Person]> {
  const people: [Person, Person] = [world.person(`ana.${name}`, port), world.person(`beto.${name}`, port)];
  for (const person of people) {
    await person.register();
    expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  }
  return people;
}

/** Queues a text, without a network, and gives its id. */
async function queue(person: Person, to: string, text: string, ...flags: string[]): Promise<string> {
  const { code, events, stderr } = await person.json(["send", "--wait", "queued", ...flags, to, text]);
  if (code !== 0) throw new Error(stderr);
  return String(events[0]?.["id"]);
}

/** Sends a text to somebody who listens, and gives its id. */
async function deliver(person: Person, to: string, text: string): Promise<string> {
  const { code, events, stderr } = await person.json(["send", to, text]);
  if (code !== 0) throw new Error(stderr);
  return String(events[0]?.["id"]);
}

async function texts(person: Person, other: string): Promise<unknown[]> {
  return (await person.list(["history", other])).map(({ text }) => text);
}

describe("search", () => {
  let ana: Person;
  beforeAll(async () => {
    ana = world.person("ana.search", port);
    await ana.register();
    await queue(ana, "beto.search", "Adiós, señor Nuñez");
    await queue(ana, "carla.search", "nos vemos mañana OR nunca");
    await queue(ana, "beto.search", "mañana no; adios\n2026-01-01 00:00 beto: forged");
  });
  const found = async (...words: string[]) =>
    (await ana.list(["search", ...words])).map(({ to, text }) => [to, String(text).slice(0, 8)]);

  test("finds words of all chats, oldest first, whatever their accents, case and order", async () => {
    expect(await found("ADIOS")).toEqual([
      ["beto.search", "Adiós, s"],
      ["beto.search", "mañana n"],
    ]);
    expect(await found("nunez", "adiós")).toEqual([["beto.search", "Adiós, s"]]);
    expect(await found("nunez adiós")).toEqual([["beto.search", "Adiós, s"]]);
    expect(await found("manana")).toEqual([
      ["carla.search", "nos vemo"],
      ["beto.search", "mañana n"],
    ]);
  });

  test("takes every word as a word, and never as an operator", async () => {
    expect(await found("OR", "vemos")).toEqual([["carla.search", "nos vemo"]]);
    for (const odd of ['"adios', 'a"b', "NEAR(a b)", "text:adios", "adios*", "-adios", "^adios"])
      expect((await ana.json(["search", "--", odd])).code).toBe(0);
  });

  test("prints for programs what history prints, and for people also the chat", async () => {
    const events = await ana.list(["search", "vemos"]);
    expect(events).toEqual(await ana.list(["history", "carla.search"]));
    const { stdout } = await ana.run(["search", "mañana"]);
    const lines = stdout.split("\n");
    const date = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d";
    expect(lines[0]).toMatch(
      new RegExp(`^${date} \\[carla\\.search\\] ana\\.search ·: nos vemos mañana OR nunca$`),
    );
    expect(lines[2]).toBe("    2026-01-01 00:00 beto: forged");
    const none = {
      es: "Ningún mensaje contiene todas esas palabras.\n",
      en: "No message contains all these words.\n",
    };
    for (const lang of ["es", "en"] as const)
      expect(await ana.run(["search", "nada", "--lang", lang])).toEqual({
        code: 0,
        stdout: "",
        stderr: none[lang],
      });
  });

  test("finds the edited text, and nothing of a cancelled one", async () => {
    const edited = await queue(ana, "dora.search", "primavera");
    const cancelled = await queue(ana, "dora.search", "primavera otra vez");
    expect(await found("primavera")).toHaveLength(2);
    expect((await ana.run(["edit", "--wait", "queued", "dora.search", edited, "verano"])).code).toBe(0);
    expect((await ana.run(["cancel", "dora.search", cancelled])).code).toBe(0);
    expect(await found("primavera")).toEqual([]);
    expect(await found("verano")).toHaveLength(1);
  });

  test("needs no lock and no password while another process is online", async () => {
    const [eva, beto] = await pair("beside");
    const listening = await eva.listen();
    const sent = await beto.run(["send", eva.name, "¿Dónde está la biblioteca?"]);
    expect(sent.code).toBe(0);
    await listening.event({ event: "message" });
    expect(await eva.list(["search", "donde", "BIBLIOTECA"])).toMatchObject([{ from: beto.name }]);
    await listening.stop();
  });
});

describe("export", () => {
  let ana: Person;
  let folder: string;
  const others = "beto.export";
  beforeAll(async () => {
    ana = world.person("ana.export", port);
    await ana.register();
    folder = join(world.folder, "exports");
    mkdirSync(folder);
    const first = await queue(ana, others, "uno\ndos\u001b[2J");
    await queue(ana, others, "tres", "--reply-to", first);
  });

  test("is what history prints, as JSON lines or as text, for its owner alone", async () => {
    const json = join(folder, "all.jsonl");
    const { code, events } = await ana.json(["export", others, json]);
    expect({ code, events }).toEqual({
      code: 0,
      events: [{ event: "exported", username: others, file: json, count: 2 }],
    });
    expect(readFileSync(json, "utf8")).toBe(
      (await ana.run(["--json", "history", others])).stdout.replace('{"event":"end","count":2}\n', ""),
    );
    const text = join(folder, "all.txt");
    const exported = await ana.run(["export", others, text]);
    expect(exported).toEqual({ code: 0, stdout: `2 messages saved to ${text}\n`, stderr: "" });
    const content = readFileSync(text, "utf8");
    expect(content).toBe((await ana.run(["history", others])).stdout);
    expect(content).toContain("    dos␛[2J\n");
    expect(content).toContain("↪ “uno dos␛[2J”: tres\n");
    for (const file of [json, text]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(["all.jsonl", "all.txt"]);
    // As a chat has no shell to do that.
    const home = join(world.folder, "home");
    mkdirSync(home);
    const environment = { HOME: home };
    expect((await ana.startApart(["export", others, "~/all.txt"], { environment }).ended).code).toBe(0);
    expect(readFileSync(join(home, "all.txt"), "utf8")).toBe(content);
  });

  test("never touches what is there already, be it a file, a folder or a link to nowhere", async () => {
    const file = join(folder, "twice.json");
    expect((await ana.run(["export", others, file])).code).toBe(0);
    const before = readFileSync(file, "utf8");
    await queue(ana, others, "cuatro");
    const nowhere = join(folder, "link.txt");
    symlinkSync(join(folder, "target.txt"), nowhere);
    for (const existing of [file, folder, nowhere]) {
      await expectFailure(ana, ["export", others, existing], {
        exit: 1,
        code: "file_exists",
        en: "already exists and was not touched",
        es: "ya existe y no se ha tocado",
      });
    }
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(readdirSync(folder)).not.toContain("target.txt");
  });

  test("says why it fails, and leaves no file behind", async () => {
    const before = readdirSync(folder);
    await expectFailure(ana, ["export", others, join(folder, "missing", "a.txt")], {
      exit: 1,
      code: "no_folder",
      en: "The folder for ",
      es: "No existe la carpeta",
    });
    await expectFailure(ana, ["export", "nobody", join(folder, "nobody.txt")], {
      exit: 1,
      code: "no_messages",
      en: "There are no messages to save",
      es: "No hay mensajes que guardar",
    });
    await expectFailure(ana, ["export", others, `${join(folder, "new")}/`], {
      exit: 1,
      code: "no_name",
      en: "is a folder: the file's name is missing",
      es: "es una carpeta: falta el nombre del archivo",
    });
    if (existsSync("/proc/self")) {
      await expectFailure(ana, ["export", others, "/proc/a.txt"], {
        exit: 1,
        code: "not_written",
        en: /^\/proc\/a\.txt cannot be saved \(E[A-Z]+: [^()/]+\)/,
        es: /^No se puede guardar \/proc\/a\.txt \(E[A-Z]+: [^()/]+\)/,
      });
    }
    for (let count = 0; count < 5; count++) await queue(ana, others, "x".repeat(30_000));
    // A limit on the size of files is what a full disk is here: 64 KiB in blocks of 512 bytes.
    const flags = ["--user", ana.name, "--data", ana.data, "--lang", "en"];
    const limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 128; exec "$@"', "sh", process.execPath, "run"];
    const file = join(folder, "full.txt");
    const run = Bun.spawn([...limited, CLIENT_PROGRAM, "export", others, file, ...flags], {
      env: { ...process.env, ...FRIENDS, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
      stdout: "ignore",
      stderr: "pipe",
    });
    const [code, stderr] = await Promise.all([run.exited, new Response(run.stderr).text()]);
    expectNoTrace(stderr);
    expect(stderr).toMatch(/full\.txt cannot be saved \(E\w+: [^()]+\)/);
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("a message that was not sent", () => {
  test("is cancelled by its id or with all others, and never reaches the peer", async () => {
    const [ana, beto] = await pair("cancel");
    const [first, , third] = [
      await queue(ana, beto.name, "uno"),
      await queue(ana, beto.name, "dos"),
      await queue(ana, beto.name, "tres"),
    ];
    expect((await ana.json(["cancel", beto.name, first])).events).toEqual([
      { event: "cancelled", to: beto.name, id: first },
    ]);
    expect(await texts(ana, beto.name)).toEqual(["dos", "tres"]);
    await expectFailure(ana, ["cancel", beto.name, first], {
      exit: 2,
      code: "unknown_message",
      en: "There is no message with that ID",
      es: "No hay ningún mensaje con ese ID",
    });
    const all = await ana.json(["cancel", beto.name]);
    expect(all.events).toMatchObject([
      { event: "cancelled" },
      { event: "cancelled", id: third },
      { event: "end", count: 2 },
    ]);
    expect(all.stderr).toBe(`2 unsent messages to ${beto.name} were cancelled.\n`);
    expect(await texts(ana, beto.name)).toEqual([]);
    const none = await ana.run(["cancel", beto.name, "--lang", "es"]);
    expect(none).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`No hay mensajes a ${beto.name} pendientes de enviar.\n`),
    });
    await queue(ana, beto.name, "cuatro");
    const listening = await beto.listen();
    expect((await ana.run(["send", beto.name, "cinco"])).code).toBe(0);
    await listening.event({ text: "cinco" });
    const arrived = listening.events.filter(({ event }) => event === "message").map(({ text }) => text);
    expect(arrived).toEqual(["cuatro", "cinco"]);
    await listening.stop();
  });

  test("is not cancelled when it may be on its way, and is counted", async () => {
    const [ana, beto] = await pair("tried");
    const tried = await queue(ana, beto.name, "quizá");
    const profile = Profile.open(ana.profileFolder);
    const contact = profile.contacts.ensure(beto.name);
    expect(profile.messages.claim(contact, 0, 10)).toHaveLength(1);
    profile.close();
    await queue(ana, beto.name, "seguro que no");
    await expectFailure(ana, ["cancel", beto.name, tried], {
      exit: 4,
      code: "already_left",
      en: "cannot be cancelled: use withdraw to take it back on both sides",
      es: "no se puede cancelar: withdraw lo retira en los dos lados",
    });
    const { code, stderr } = await ana.run(["cancel", beto.name]);
    expect(code).toBe(0);
    expect(stderr).toContain(`1 unsent message to ${beto.name} was cancelled.\nAnother one may be`);
    expect(await texts(ana, beto.name)).toEqual(["quizá"]);
  });

  test("is edited and withdrawn in place, and is sent as it is then", async () => {
    const [ana, beto] = await pair("inplace");
    const [edited, withdrawn] = [await queue(ana, beto.name, "uno"), await queue(ana, beto.name, "dos")];
    const change = await ana.json(["edit", "--wait", "queued", beto.name, edited, "uno bis"]);
    expect(change).toMatchObject({
      code: 0,
      events: [{ event: "edited", to: beto.name, id: edited, text: "uno bis", at: TIME, action: null }],
    });
    expect(change.stderr).toContain("The message is queued");
    const taken = await ana.json(["withdraw", beto.name, withdrawn]);
    expect(taken).toEqual({
      code: 0,
      events: [{ event: "cancelled", to: beto.name, id: withdrawn }],
      stderr: `The message to ${beto.name} had not been sent: it is cancelled, and nobody will see it.\n`,
    });
    const listening = await beto.listen();
    expect((await ana.run(["send", beto.name, "tres"])).code).toBe(0);
    await listening.event({ text: "tres" });
    expect(
      listening.events.filter(({ event }) => ["message", "edited", "withdrawn"].includes(event)),
    ).toMatchObject([
      { event: "message", text: "uno bis", id: edited },
      { event: "message", text: "tres" },
    ]);
    await listening.stop();
  });
});

describe("a message that was sent", () => {
  let ana: Person;
  let beto: Person;
  beforeAll(async () => {
    [ana, beto] = await pair("left");
  });

  test("is edited and withdrawn on both sides, and both histories say so", async () => {
    const listening = await beto.listen();
    const id = await deliver(ana, beto.name, "uno");
    const edited = await ana.json(["edit", beto.name.toUpperCase(), id], { input: "uno,\ncorregido\n" });
    const action = edited.events[0]?.["action"];
    expect(action).toEqual(expect.any(String));
    expect(edited).toEqual({
      code: 0,
      events: [
        { event: "edited", to: beto.name, id, text: "uno,\ncorregido", at: TIME, action },
        ...["queued", "sent", "received"].map((state) => ({
          event: "delivery",
          to: beto.name,
          id: action,
          state,
          at: TIME,
        })),
      ],
      stderr: `✓✓ changed for ${beto.name} too\n`,
    });
    const heard = await listening.event({ event: "edited" });
    expect(heard).toEqual({ event: "edited", from: ana.name, id, text: "uno,\ncorregido", at: TIME });
    const date = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d";
    const asText = (await beto.run(["history", ana.name, "--lang", "es"])).stdout;
    const inZone = async (TZ: string) =>
      await beto.startApart(["history", ana.name], { environment: { TZ } }).ended;
    const [east, none] = [await inZone("XYZ-5:45"), await inZone("<->")];
    const minutes = ({ stdout }: Ended) => Date.parse(`${stdout.slice(0, 16).replace(" ", "T")}Z`) / 60_000;
    expect(minutes(east) - minutes(none)).toBe(5 * 60 + 45);
    expect([east.stderr, none.stderr]).toEqual([
      "",
      "TZ, “<->”, is not understood: times are shown in UTC.\n",
    ]);
    expect(asText).toMatch(new RegExp(`^${date} ana\\.left \\(editado\\): uno,\n    corregido\n$`));
    expect(await ana.list(["history", beto.name])).toEqual([
      {
        event: "message",
        from: ana.name,
        to: beto.name,
        text: "uno,\ncorregido",
        id,
        sent_at: TIME,
        left_at: TIME,
        received_at: TIME,
        read_at: null,
        edited_at: TIME,
        withdrawn_at: null,
        change_pending: false,
        state: "received",
      },
    ]);

    const withdrawn = await ana.json(["withdraw", beto.name, id]);
    expect(withdrawn.code).toBe(0);
    expect(withdrawn.events[0]).toEqual({
      event: "withdrawn",
      to: beto.name,
      id,
      at: TIME,
      action: withdrawn.events[1]?.["id"],
    });
    expect(await listening.event({ event: "withdrawn" })).toEqual({
      event: "withdrawn",
      from: ana.name,
      id,
      at: TIME,
    });
    for (const [person, other] of [
      [ana, beto],
      [beto, ana],
    ] as const) {
      const events = await person.list(["history", other.name]);
      expect(events).toMatchObject([{ id, text: "", edited_at: TIME, withdrawn_at: TIME }]);
      expect((await person.run(["history", other.name])).stdout).toEndWith(" (withdrawn)\n");
    }
    for (const again of [
      ["withdraw", beto.name, id],
      ["edit", beto.name, id, "otra vez"],
      ["cancel", beto.name, id],
    ]) {
      await expectFailure(ana, again, {
        exit: 4,
        code: "already_withdrawn",
        en: "That message has already been withdrawn",
        es: "Ese mensaje ya está retirado",
      });
    }
    await listening.stop();
  });

  test("is not changed where it is not one's own, was acknowledged, or the peer would not understand the change", async () => {
    const listening = await beto.listen();
    const own = await deliver(ana, beto.name, "mío");
    await listening.stop();
    const anaListens = await ana.listen();
    const theirs = await deliver(beto, ana.name, "suyo");
    await anaListens.stop();
    for (const command of [
      ["edit", beto.name, theirs, "x"],
      ["withdraw", beto.name, theirs],
      ["cancel", beto.name, theirs],
    ]) {
      await expectFailure(ana, command, {
        exit: 2,
        code: "not_own",
        en: "That message is not yours",
        es: "Ese mensaje no es suyo",
      });
    }
    await expectFailure(ana, ["cancel", beto.name, own], {
      exit: 4,
      code: "already_left",
      en: "has been sent, or may be on its way",
      es: "ya se ha enviado, o puede estar en camino",
    });
    const profile = Profile.open(ana.profileFolder);
    profile.contacts.saveFeatures(profile.contacts.ensure(beto.name), []);
    profile.close();
    for (const command of [
      ["edit", beto.name, own, "x"],
      ["withdraw", beto.name, own],
    ]) {
      await expectFailure(ana, command, {
        exit: 4,
        code: "not_supported",
        en: "does not support edits or withdrawals",
        es: "no admite ediciones ni retiradas",
      });
    }
    expect((await texts(ana, beto.name)).slice(-2)).toEqual(["mío", "suyo"]);
  });

  test("is changed by an action that waits while the peer is away, and the command is exit 5", async () => {
    const [eva, leo] = await pair("away");
    const listening = await leo.listen();
    const id = await deliver(eva, leo.name, "uno");
    await listening.stop();
    const { code, stderr } = await eva.json(["edit", leo.name, id, "uno bis"]);
    expect(code).toBe(5);
    expect(stderr).toContain("The change is queued");
    const spanish = await eva.run(["edit", leo.name, id, "uno ter", "--lang", "es"]);
    expect(spanish.stderr).toContain("El cambio queda en cola");
    // The other side has the older text as long as it waits.
    expect(await eva.list(["history", leo.name])).toMatchObject([{ change_pending: true }]);
    expect((await eva.run(["history", leo.name, "--lang", "es"])).stdout).toContain(
      "✓✓ (editado, en cola): uno ter\n",
    );
    expect(await eva.list(["search", "ter"])).toMatchObject([{ change_pending: true }]);
    const again = await leo.listen();
    expect((await eva.run(["send", leo.name, "dos"])).code).toBe(0);
    await again.event({ text: "dos" });
    expect(again.events.filter(({ event }) => event === "edited").map(({ text }) => text)).toEqual([
      "uno bis",
      "uno ter",
    ]);
    expect(await texts(leo, eva.name)).toEqual(["uno ter", "dos"]);
    const events = await eva.list(["history", leo.name]);
    expect(events.map((event) => event["change_pending"])).toEqual([false, false]);
    await again.stop();
  });
});

test("changes go through the process that has the account online", async () => {
  const [ana, beto] = await pair("online");
  const [online, listening] = [await ana.listen(), await beto.listen()];
  const id = await queue(ana, beto.name, "uno");
  await online.event({ event: "delivery", id, state: "received" });
  const edited = await ana.json(["edit", "--wait", "queued", beto.name, id, "uno bis"]);
  const action = edited.events[0]?.["action"];
  expect(edited.events).toEqual([
    { event: "edited", to: beto.name, id, text: "uno bis", at: TIME, action },
    { event: "delivery", to: beto.name, id: action, state: "queued", at: TIME },
  ]);
  expect(edited.code).toBe(0);
  await online.event({ event: "delivery", id: action, state: "received" });
  await listening.event({ event: "edited", id, text: "uno bis" });
  const withdrawn = await ana.json(["withdraw", beto.name, id]);
  expect(withdrawn.code).toBe(0);
  expect(withdrawn.events.at(-1)).toMatchObject({ event: "delivery", state: "received" });
  await listening.event({ event: "withdrawn", id });

  await listening.stop();
  const waiting = await queue(ana, "carla.online", "espera");
  expect((await ana.run(["cancel", "carla.online", waiting])).code).toBe(0);
  const other = await queue(ana, "carla.online", "también");
  expect((await ana.json(["withdraw", "carla.online", other])).events).toEqual([
    { event: "cancelled", to: "carla.online", id: other },
  ]);
  expect(await texts(ana, "carla.online")).toEqual([]);
  await online.stop();
});

test("a reply names the message that it answers, and quotes it for people", async () => {
  const [ana, beto] = await pair("reply");
  const listening = await beto.listen();
  const id = await deliver(ana, beto.name, "¿vienes mañana?");
  await listening.stop();
  const answering = await ana.listen();
  expect((await beto.run(["send", "--reply-to", id, ana.name, "sí"])).code).toBe(0);
  expect(await answering.event({ event: "message" })).toMatchObject({ text: "sí", reply_to: id });
  await answering.stop();
  const { stdout } = await ana.run(["history", beto.name, "--lang", "es"]);
  expect(stdout).toContain("beto.reply ↪ «¿vienes mañana?»: sí\n");

  // Nothing that was withdrawn is answered, and nobody reads how far it had come.
  expect((await ana.run(["withdraw", beto.name, id])).code).toBe(5);
  const history = await ana.run(["history", beto.name, "--lang", "es"]);
  expect(history.stdout).toContain("ana.reply (retirado, en cola)\n");
  await expectFailure(ana, ["send", "--reply-to", id, beto.name, "x"], {
    exit: 4,
    code: "already_withdrawn",
    en: "That message was withdrawn and cannot be replied to",
    es: "Ese mensaje se ha retirado, y no se puede responder a él",
  });
  expect(await texts(ana, beto.name)).toEqual(["", "sí"]);
});

test("a message cannot be edited into nothing but spaces", async () => {
  const ana = world.person("ana.blank", port);
  await ana.register();
  const id = await queue(ana, "beto.blank", "uno");
  for (const blank of ["", "   ", "\n\t "]) {
    await expectFailure(ana, ["edit", "beto.blank", id, blank], {
      exit: 2,
      code: "usage",
      en: "The text is empty",
      es: "El texto está vacío",
    });
  }
  expect(await texts(ana, "beto.blank")).toEqual(["uno"]);
});

describe("delete", () => {
  test("removes one message on this side only, and it does not come again", async () => {
    const [ana, beto] = await pair("delete");
    const listening = await beto.listen();
    const [first, second] = [await deliver(ana, beto.name, "uno"), await deliver(ana, beto.name, "dos")];
    await listening.stop();
    const { code, events } = await beto.json(["delete", ana.name, first]);
    expect({ code, events }).toEqual({
      code: 0,
      events: [{ event: "deleted", username: ana.name, id: first }],
    });
    expect(await texts(beto, ana.name)).toEqual(["dos"]);
    expect(await texts(ana, beto.name)).toEqual(["uno", "dos"]);
    expect((await ana.run(["delete", beto.name, second])).stdout).toContain("1 message of the conversation");
    expect(readFileSync(join(beto.profileFolder, "profile.db")).includes("uno")).toBe(false);
  });

  test("of a whole conversation needs a confirmation, and keeps what is unsent", async () => {
    const [ana, beto] = await pair("wipe");
    const listening = await beto.listen();
    for (const text of ["uno", "dos"]) await deliver(ana, beto.name, text);
    await listening.stop();
    const waiting = await queue(ana, beto.name, "espera");
    await expectFailure(ana, ["delete", beto.name, waiting], {
      exit: 4,
      code: "still_waiting",
      en: "is still unsent or unacknowledged",
      es: "aún está pendiente de enviar",
    });
    await expectFailure(ana, ["delete", beto.name], {
      exit: 2,
      code: "usage",
      en: "needs --yes",
      es: "necesita --yes",
    });
    expect(await texts(ana, beto.name)).toEqual(["uno", "dos", "espera"]);
    const { code, events, stderr } = await ana.json(["delete", "--yes", beto.name]);
    expect({ code, events }).toEqual({
      code: 0,
      events: [{ event: "deleted", username: beto.name, count: 2, kept: 1 }],
    });
    expect(stderr).toContain("2 messages of the conversation");
    expect(stderr).toContain("1 unsent or unacknowledged message was kept");
    expect(await texts(ana, beto.name)).toEqual(["espera"]);
    const nobody = await ana.run(["delete", "--yes", "nobody"]);
    expect(nobody).toEqual({ code: 0, stdout: "", stderr: "There are no messages with nobody.\n" });
  });
});

test("a full disk of the peer is reported in a sentence, and everything arrives once it has room", async () => {
  const [ana, beto] = await pair("full");
  const large = Array.from({ length: 30 }, (_, index) => `${index} ${"x".repeat(30_000)}`);
  const profile = Profile.open(ana.profileFolder);
  const contact = profile.contacts.ensure(beto.name);
  const queued = large.map((text, index) => ({
    kind: "text" as const,
    contact,
    id: `full-${index}`,
    text,
    sentAt: Date.now(),
    replyTo: undefined,
  }));
  profile.messages.queue(queued);
  profile.close();
  // A limit on the size of files is what a full disk is to SQLite: half a mebibyte in blocks of 512 bytes.
  const limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 1024; exec "$@"', "sh", process.execPath, "run"];
  const flags = ["--server", beto.server, "--user", beto.name, "--data", beto.data, "--json", "--lang", "es"];
  const full = Bun.spawn([...limited, CLIENT_PROGRAM, "listen", ...flags], {
    env: { ...process.env, ...FRIENDS, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = [Collected.of(full.stdout), Collected.of(full.stderr)];
  await stdout.line((line) => line.includes('"ready"'));
  const sent = await ana.json(["send", "--timeout", "8", beto.name, "último"]);
  expect(sent.events.at(-1)).toMatchObject({ event: "error", code: "peer_storage_failed" });
  expect(sent.stderr.match(/disk of beto\.full's machine does not accept what was sent/g)).toHaveLength(2);
  expect(sent.stderr).toContain("will be sent when the disk of beto.full has room and you are online");
  expect(sent.code).toBe(5);
  expect(await stderr.line((line) => line.includes("El disco falla o está lleno"))).toBeDefined();
  full.kill("SIGTERM");
  await Promise.all([full.exited, stdout.end, stderr.end]);
  expectNoTrace(stderr.text);

  const listening = await beto.listen();
  const online = ana.start(["listen", "--json", "--lang", "es"]);
  await listening.event({ text: "último" });
  await Promise.all([online.stop(), listening.stop()]);
  expect(await texts(beto, ana.name)).toEqual([...large, "último"]);
});
