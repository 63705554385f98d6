import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";

import { sentenceFor, type Code } from "../../src/protocol/codes.ts";
import { PASSWORD, type Person } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import type { ServerHere } from "./server-process.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
let server: ServerHere;
let address: string;
beforeAll(async () => {
  server = await world.server();
  address = `127.0.0.1:${server.tlsPort}`;
});
afterAll(() => world.close());

/** Someone with an account and a stored session. */
async function member(name: string, port = server.tlsPort): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  expect((await person.run(["users"], { password: PASSWORD })).code).toBe(0);
  return person;
}

/** The address of a server that has ended. */
async function goneServer(database: string): Promise<string> {
  const gone = await world.serverApart(database);
  gone.kill("SIGKILL");
  await gone.exited;
  return `127.0.0.1:${gone.tlsPort}`;
}

/** One line of failure, which begins so and ends as a sentence, and the first menu below it, that works. */
async function expectSentence(terminal: MenuTerminal, sentence: string, times = 1): Promise<void> {
  const { texts } = terminal;
  await terminal.sees(sentence);
  await terminal.isAsked(texts.menuLogIn, texts.menuRegister, texts.menuQuit);
  const rows = terminal.screen.transcript.split("\n");
  const failures = rows.flatMap((row, index) => (row.startsWith("! ") ? [index] : []));
  expect(failures).toHaveLength(times);
  const last = failures.at(-1) ?? 0;
  const end = rows.findIndex((row, index) => index > last && !row.startsWith("    "));
  expect(rows.slice(last, end).join(" ")).toMatch(/[.)]$/);
  expect(rows[end]).toStartWith("? ");
}

/** Quits by the menu. */
async function quits(terminal: MenuTerminal): Promise<void> {
  await terminal.answers(terminal.texts.menuQuit, "3");
  expect(await terminal.ended()).toBe(0);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.unknown).toEqual([]);
  expect(terminal.foreignRows).toEqual([]);
}

// What is said comes from tables, so one of the languages is enough; other files take the other one.
describe("in es", () => {
  const language = "es";
  const sentenceOf = (code: Code) => sentenceFor(code, language);

  test("a given server that cannot be reached is told before the first question", async () => {
    const gone = await goneServer(`gone.${language}.db`);
    const someone = world.openNew(gone, { language });
    const { texts } = someone;
    const sentence = texts.serverRefuses(gone);
    await someone.answers(texts.menuLogIn, "1");
    await expectSentence(someone, sentence);
    await someone.answers(texts.menuRegister, "2");
    await someone.until(() => someone.text.split("! ").length === 3, "the sentence again");
    await expectSentence(someone, sentence, 2);
    await quits(someone);
  });

  test("a typed server that cannot be used, or where registration is closed, is told and asked for again", async () => {
    const gone = await goneServer(`away.${language}.db`);
    const closed = await world.server(`closed.${language}.db`, 0, ["--register", "closed"]);
    const place = `127.0.0.1:${closed.tlsPort}`;
    const someone = world.at(["--data", join(world.folder, `typed.${language}`)], { language, rows: 40 });
    const { texts } = someone;
    await someone.answers(`${texts.menuFirstServer} (localhost:8443)`, `https://${gone}`);
    await someone.sees(texts.badServer(`https://${gone}`, gone));
    // What was refused stands in the line, to be changed.
    await someone.answers(`${texts.menuFirstServer} https://${gone}`, `${KEY.ctrlU}${gone}`);
    await someone.sees(texts.serverRefuses(gone));
    await someone.answers(`${texts.menuFirstServer} ${gone}`, `${KEY.ctrlU}${place}`);
    await someone.isAsked(texts.menuStart(place), `> 2. ${texts.menuRegister}`, texts.menuStartKeys);
    someone.type(KEY.enter);
    await someone.sees(sentenceOf("registration_closed"));
    await someone.answers(`${texts.menuServer} (${place})`, address);
    await someone.isAsked(texts.menuName);
    someone.type(KEY.escape);
    await someone.isAsked(texts.menuStart(address));
    someone.type(KEY.escape);
    await someone.isAsked(`${texts.menuServer} (${address})`);
    someone.type(KEY.escape);
    await someone.isAsked(texts.menuStart(address));
    await quits(someone);
  });

  test("a wrong password is reported, and the right one logs in", async () => {
    const { name } = await member(`wrong.${language}`);
    const someone = world.openNew(address, { language });
    const { texts } = someone;
    await someone.answers(texts.menuLogIn, "1");
    await someone.answers(texts.menuName, name);
    await someone.answers(texts.passwordPrompt(name), "not the password");
    await expectSentence(someone, sentenceOf("invalid_credentials"));
    await someone.answers(texts.menuLogIn, "1");
    // The name that was typed stands there.
    await someone.isAsked(`${texts.menuName} (${name})`);
    someone.type(KEY.enter);
    await someone.answers(texts.passwordPrompt(name), PASSWORD);
    await someone.isAsked(texts.menuWhom);
    expect(someone.text).not.toContain("not the password");
    someone.type(KEY.ctrlC);
    expect(await someone.ended()).toBe(130);
  });

  test("of the answers for a new account only the one that is refused is asked for again", async () => {
    const { name } = await member(`taken.${language}`);
    const someone = world.openNew(address, { language, rows: 60 });
    const { texts } = someone;
    await someone.answers(texts.menuRegister, "2");
    await someone.answers(texts.menuName, "a b");
    await someone.sees(sentenceOf("invalid_username"));
    await someone.answers(texts.menuName, name);
    await someone.answers(texts.menuPassword, "short");
    await someone.sees(sentenceOf("weak_password"));
    await someone.answers(texts.menuPassword, PASSWORD);
    await someone.answers(texts.passwordAgain, `${PASSWORD}!`);
    await someone.sees(texts.passwordsDiffer);
    await someone.answers(texts.menuPassword, PASSWORD);
    await someone.answers(texts.passwordAgain, PASSWORD);
    await someone.answers(texts.menuEmail, "no email");
    await someone.sees(sentenceOf("invalid_email"));
    await someone.answers(texts.menuEmail, "new@example.org");
    await someone.sees(sentenceOf("username_taken"));
    // The password and the email stay.
    await someone.answers(texts.menuName, `new.${language}`);
    await someone.sees(texts.registered(`new.${language}`));
    await someone.arrives(`new.${language}`);
    await someone.answers(texts.menuHome(`new.${language}`), "7");
    expect(await someone.ended()).toBe(0);
    expect(someone.foreignRows).toEqual([]);
    expect(someone.text).not.toContain(PASSWORD);
  });

  test("an account that is open on another machine is left there, and can log in once that has ended", async () => {
    const person = await member(`there.${language}`);
    const listening = await person.listen();
    const someone = world.openNew(address, { language });
    const { texts } = someone;
    await someone.answers(texts.menuLogIn, "1");
    await someone.answers(texts.menuName, person.name);
    await someone.answers(texts.passwordPrompt(person.name), PASSWORD);
    // The way back.
    await someone.answers(texts.menuReplace(person.name), "2");
    await listening.stop();
    await someone.answers(texts.menuLogIn, "1");
    await someone.answers(texts.menuName, "");
    await someone.answers(texts.passwordPrompt(person.name), PASSWORD);
    await someone.isAsked(texts.menuWhom);
    someone.type(KEY.ctrlC);
    expect(await someone.ended()).toBe(130);
  });

  test("a taken port is reported", async () => {
    const person = await member(`port.${language}`);
    const other = await (await member(`holds.${language}`)).listen();
    const port = other.events.find(({ event }) => event === "ready")?.["p2p_port"];
    const someone = world.openAs(person, { language, args: ["--p2p-port", String(port)] });
    await expectSentence(someone, someone.texts.portTaken(String(port)));
    await quits(someone);
    await other.stop();
  });

  test("a profile of a newer version, and a broken one, are reported", async () => {
    const newer = await member(`newer.${language}`);
    const file = join(newer.profileFolder, "profile.db");
    const database = new Database(file);
    database.run("PRAGMA user_version = 9999");
    database.close();
    // Wide, as a path is broken anywhere.
    const someone = world.openAs(newer, { language, cols: 200 });
    await expectSentence(someone, someone.texts.accountsUnreadable(1));
    await someone.answers(someone.texts.menuLogIn, "1");
    await someone.answers(someone.texts.menuName, "");
    await expectSentence(someone, someone.texts.storeNewer(file), 2);
    await quits(someone);

    const broken = await member(`broken.${language}`);
    const brokenFile = join(broken.profileFolder, "profile.db");
    await Bun.write(brokenFile, "no database at all".repeat(1_000));
    const unlucky = world.openAs(broken, { language, cols: 200 });
    await unlucky.answers(unlucky.texts.menuLogIn, "1");
    await unlucky.answers(unlucky.texts.menuName, "");
    await unlucky.sees(unlucky.texts.storeDamaged(brokenFile, broken.profileFolder));
    await unlucky.answers(unlucky.texts.menuQuit, "3");
    expect(await unlucky.ended()).toBe(0);
  });

  test("with a stored session and no server it goes on offline, says so, and says when it is back", async () => {
    const first = await world.serverApart(`back.${language}.db`);
    const person = await member("offline", first.tlsPort);
    expect((await person.run(["send", "--wait", "queued", "friend", "hola"])).code).toBe(0);
    const listening = await person.listen();
    await listening.stop();
    first.kill("SIGKILL");
    await first.exited;
    const someone = world.openAs(person, { language });
    const { texts } = someone;
    // Nobody knows who is online, and the list says so.
    await someone.isAsked(texts.menuWhomUnknown, "1. friend", `2. ${texts.menuWrite}`);
    expect(someone.hasSeen(texts.serverRefuses(person.server))).toBe(true);
    expect(someone.picture).toMatchSnapshot("offline");
    await world.server(`back.${language}.db`, first.tlsPort);
    await someone.sees(texts.serverBack);
    // The server is asked at once.
    await someone.isAsked(`? ${texts.menuWhom}`, `1. friend · ${texts.menuOffline}`);
    someone.type(KEY.escape);
    await someone.isHome("offline");
    expect(someone.picture).toMatchSnapshot("online again");
    someone.type(KEY.ctrlC);
    expect(await someone.ended()).toBe(130);
    expect(someone.isRestored).toBe(true);
  });
});

test("a server that is lost while a menu is open is reported once, and once when it is back", async () => {
  const first = await world.serverApart("goes.db");
  const someone = world.openNew(`127.0.0.1:${first.tlsPort}`);
  const { texts } = someone;
  await someone.joins("stays", PASSWORD);
  first.kill("SIGKILL");
  await first.exited;
  await someone.sees(texts.serverLost.split(".")[0] ?? "?");
  await someone.isHome("stays");
  await world.server("goes.db", first.tlsPort);
  await someone.sees(texts.serverBack);
  await someone.isHome("stays");
  const lost = texts.serverLost.split(";")[0] ?? "?";
  expect(someone.screen.transcript.split(lost)).toHaveLength(2);
  someone.type(KEY.ctrlC);
  expect(await someone.ended()).toBe(130);
});
