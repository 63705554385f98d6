/** The commands about groups, and groups where a command takes a conversation: three people and a list of names. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expectFailure, PASSWORD, World, type Client, type Person } from "./cli-process.ts";

setDefaultTimeout(60_000);

const world = new World();
let ana: Person;
let benito: Person;
let carla: Person;
let listening: Client;

beforeAll(async () => {
  const { tlsPort } = await world.server();
  const people = ["ana", "benito", "carla", "dora"].map((name) => world.person(`${name}.group`, tlsPort));
  for (const person of people) await person.register();
  [ana, benito, carla] = people as [Person, Person, Person];
  listening = await benito.listen(PASSWORD);
  await carla.listen(PASSWORD);
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
});
afterAll(() => world.close());

test("a class is founded and invited in one command, and says who has to be waited for", async () => {
  const [founded] = (await ana.json(["group", "new", "#Clase 2B", "--writes", "admins"])).events;
  expect(founded).toMatchObject({
    event: "group",
    title: "Clase 2B",
    name: "#Clase 2B",
    people: 1,
    role: "founder",
  });
  const alone = await ana.json(["send", "#Clase 2B", "Is anybody there?"]);
  expect(alone.code).toBe(5);
  expect(alone.events.at(-1)).toMatchObject({ event: "error", code: "user_offline" });
  const list = join(world.folder, "class.txt");
  writeFileSync(list, "# 2.º B\nbenito.group\n\ncarla.group # new\ndora.group\nANA.group\n");
  const { code, stdout, stderr } = await ana.run(["group", "add", "clase 2b", "--from", list]);
  expect(stdout.split("\n")).toEqual([
    "benito.group: invited",
    "carla.group: invited",
    "dora.group: waits, or nobody has this name: check it",
    "ANA.group: is in the group already",
    "",
  ]);
  expect(stderr).toContain("#Clase 2B: 2 invited, 1 waiting, 1 in it already.\n");
  expect(code).toBe(5);
  await listening.event({ event: "group", title: "Clase 2B", state: "invited", invited_by: "ana.group" });
});

test("who has accepted gets the texts, once each, and all of them can be read again", async () => {
  const asked = await benito.run(["group", "members", "#Clase 2B"]);
  expect(asked).toMatchObject({ code: 0, stdout: "" });
  expect(asked.stderr).toContain("ana.group invites you to “Clase 2B” (1 person).");
  expect((await benito.run(["group", "accept", "#Clase 2B", "--wait", "queued"])).code).toBe(0);
  const again = await benito.run(["group", "accept", "#Clase 2B"]);
  expect(again).toMatchObject({ code: 0, stdout: "You are in “Clase 2B” already.\n" });
  const sent = await ana.json(["send", "#Clase 2B", "The exam is on Friday"]);
  expect(sent).toMatchObject({ code: 0 });
  expect(sent.events.at(-1)).toMatchObject({ event: "delivery", state: "received", received: 1 });
  const { group, feed, title } = await listening.event({ event: "message", text: "The exam is on Friday" });
  expect(title).toBe("Clase 2B");
  expect(group).toEqual(sent.events[0]?.["group"]);
  const [stored, later] = await benito.list(["history", "#clase 2b"]);
  expect(stored).toMatchObject({ from: "ana.group", text: "Is anybody there?", number: 1 });
  expect(later).toMatchObject({ from: "ana.group", to: `#${group}`, group, feed, number: 2 });
  expect((await benito.run(["search", "exam"])).stdout).toMatch(
    /\[#"Clase 2B"\] ana\.group: The exam is on Friday\n$/,
  );
  expect((await ana.run(["history", "#Clase 2B"])).stdout).toMatch(/ana\.group ✓ with 1 of 1: The exam/);
  const edited = await ana.json(["edit", "#Clase 2B", String(sent.events[0]?.["id"]), "No exam"]);
  expect(edited).toMatchObject({ code: 0 });
  expect(edited.events.at(-1)).toMatchObject({ event: "delivery", state: "received", received: 1 });
  await listening.event({ event: "edited", from: "ana.group", group, text: "No exam" });
  const { code, stderr } = await benito.run(["send", "#Clase 2B", "May I?"]);
  expect(stderr).toContain("Only admins write in this group.");
  expect(code).toBe(4);
});

test("nothing is changed, and what is written waits, while nobody of the group is online", async () => {
  await listening.stop();
  const renamed = await ana.json(["group", "name", "#Clase 2B", "Clase 3B"]);
  expect(renamed.events).toMatchObject([{ event: "error", code: "nobody_online" }]);
  expect(renamed.code).toBe(5);
  const added = await ana.run(["group", "add", "#Clase 2B", "dora.group,", "BENITO.group,ana.group"]);
  expect(added.stdout.split("\n").slice(1)).toEqual([
    "BENITO.group: is in the group already",
    "ana.group: is in the group already",
    "",
  ]);
  expect(added.code).toBe(5);
  expect(added.stderr).toContain("Nobody else of the group is online: the invitation waits for a member");
  const queued = await ana.run(["send", "#Clase 2B", "In room 3", "--wait", "queued"]);
  expect(queued).toMatchObject({ code: 0, stderr: 'The message is queued for #"Clase 2B".\n' });
  const { code, events, stderr } = await ana.json(["send", "#Clase 2B", "In room 4"]);
  expect(events.map(({ event, state, code: why }) => [event, state ?? why])).toEqual([
    ["delivery", "queued"],
    ["error", "user_offline"],
  ]);
  expect(stderr).toContain('Nobody of #"Clase 2B" is online.\n');
  expect(code).toBe(5);
  listening = await benito.listen(PASSWORD);
});

test("a file is given to all, whoever wants it takes it, and nothing else is given", async () => {
  const [photo, folder] = [join(world.folder, "foto.jpg"), join(world.folder, "got")];
  mkdirSync(folder);
  writeFileSync(photo, "a photo");
  for (const [path, en, es] of [
    ["-", /not standard input/, /no la entrada estándar/],
    [folder, /files, not folders/, /archivos, no carpetas/],
  ] as const)
    await expectFailure(ana, ["send-file", "#Clase 2B", photo, path], { exit: 2, code: "usage", en, es });
  const { code, events, stderr } = await ana.json(["send-file", "#Clase 2B", photo]);
  expect(stderr).toContain("“foto.jpg” (7 B) is offered to all of “Clase 2B”");
  expect(stderr).toContain("The offer has arrived.");
  expect(events[0]).toMatchObject({ event: "file", state: "offered", title: "Clase 2B", from: null });
  expect(events.at(-1)).toMatchObject({
    event: "delivery",
    id: events[0]?.["id"],
    state: "received",
    received: 1,
  });
  expect(code).toBe(0);
  const offered = await listening.event({
    event: "file",
    direction: "in",
    state: "offered",
    from: "ana.group",
  });
  const { file } = await listening.event({ event: "message", text: "foto.jpg" });
  expect(file).toEqual({ number: offered["number"], name: "foto.jpg", size: 7 });
  expect((await benito.run(["history", "#Clase 2B", "--last", "1"])).stdout).toEndWith(
    `ana.group offers to all “foto.jpg” (7 B), files accept ${offered["number"]}\n`,
  );
  const asked = ["files", "accept", String(offered["number"]), "--downloads", folder];
  expect((await benito.run(asked)).stdout).toContain("waits for somebody who has it");
  const giving = await ana.listen(PASSWORD);
  const done = await listening.event({ event: "file", state: "done", group: offered["group"] });
  expect(readFileSync(String(done["path"]), "utf8")).toBe("a photo");
  await giving.stop();
  expect((await benito.run(["files"])).stdout).toContain(
    "Received “foto.jpg” (7 B) from ana.group in “Clase 2B”",
  );
  const stopped = await ana.run(["files", "stop", String(events[0]?.["number"])]);
  expect(stopped.stdout).toContain("You no longer give “foto.jpg” (7 B) to “Clase 2B”.");
});

test("members are listed, and one who is removed is told so", async () => {
  const members = await ana.list(["group", "members", "#Clase 2B"]);
  expect(members.map(({ username, role, state }) => [username, role, state])).toEqual([
    ["ana.group", "founder", "member"],
    ["benito.group", "member", "member"],
    ["carla.group", "member", "invited"],
    ["dora.group", "member", "to_invite"],
  ]);
  expect((await ana.run(["group", "remove", "#Clase 2B", "dora.group"])).stdout).toBe(
    "dora.group will not be invited.\n",
  );
  expect((await ana.run(["group", "remove", "#Clase 2B", "Benito.group"])).code).toBe(0);
  await listening.event({ event: "group_notice", kind: "removed_self", by: "ana.group" });
  const [group] = await benito.list(["groups"]);
  expect(group).toMatchObject({ title: "Clase 2B", state: "removed", may_write: false });
  await expectFailure(benito, ["send", "#Clase 2B", "Why?"], {
    exit: 4,
    code: "removed",
    en: /You are no longer in “Clase 2B”/,
    es: /Ya no está en «Clase 2B»/,
  });
});

test("what is no group, or is not meant so, is said before anything is done", async () => {
  await expectFailure(ana, ["send", "#Clase 3B,benito.group", "x"], {
    exit: 2,
    code: "usage",
    en: /There is no group “#Clase 3B”/,
    es: /No hay ningún grupo «#Clase 3B»/,
  });
  await expectFailure(ana, ["group", "ad", "#Clase 2B", "dora.group"], {
    exit: 2,
    code: "usage",
    en: /“ad” is not known. Did you mean add\?/,
    es: /no se conoce «ad». ¿Quiere decir add\?/,
  });
  await expectFailure(ana, ["group", "new", "##Clase"], {
    exit: 2,
    code: "usage",
    en: /does not begin with #/,
    es: /no empieza por #/,
  });
  await expectFailure(ana, ["group", "decline", "#Clase 2B"], {
    exit: 4,
    code: "not_invited",
    en: /No invitation to this group waits/,
    es: /no espera respuesta ninguna invitación/,
  });
  await expectFailure(ana, ["group", "leave", "#Clase 2B", "--from", "x"], {
    exit: 2,
    code: "usage",
    en: /group leave does not take --from/,
    es: /group leave no admite --from/,
  });
});
