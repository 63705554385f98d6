/** `passwd` and `delete-account`, and what a command asks when the account is open on another machine. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { textsIn } from "../../src/ui/texts/texts.ts";
import { AtTerminal } from "./at-terminal.ts";
import { ClientHere, expectFailure, PASSWORD, type Person } from "./cli-process.ts";
import { flagsOf, SharedWorld } from "./sharing-faces.ts";

setDefaultTimeout(60_000);

const NEW_PASSWORD = "another correct horse";
const LANGUAGES = ["es", "en"] as const;

const world = new SharedWorld();
let port: number;
beforeAll(async () => {
  port = (await world.server()).tlsPort;
});
afterAll(() => world.close());

async function registered(name: string): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  return person;
}

function atTerminal(person: Person, lang: "es" | "en", ...args: readonly string[]): AtTerminal {
  return new AtTerminal([...args, "--lang", lang, ...flagsOf(person)], { cols: 120 });
}

/** Whether this password logs the account in on a machine that has no session of it. */
async function isPasswordOf(person: Person, password: string): Promise<boolean> {
  return (await person.elsewhere().run(["users"], { password })).code === 0;
}

describe("passwd", () => {
  test("reads both passwords from two lines, with a stored session and without", async () => {
    const ana = await world.loggedIn("ana.lines", port);
    const change = ["passwd", "--password-stdin"];
    expect(await ana.json(change, { input: `${PASSWORD}\r\n${NEW_PASSWORD}\r\n` })).toMatchObject({
      code: 0,
      events: [{ event: "password_changed", username: ana.name }],
    });
    // The session goes on.
    expect(await ana.run(["users"])).toMatchObject({ code: 0 });
    expect(await isPasswordOf(ana, PASSWORD)).toBe(false);
    expect(await isPasswordOf(ana, NEW_PASSWORD)).toBe(true);
    await ana.run(["logout"]);
    expect(await ana.run(change, { input: `${NEW_PASSWORD}\n${PASSWORD}` })).toMatchObject({ code: 0 });
    expect(await isPasswordOf(ana, PASSWORD)).toBe(true);
  });

  test("says what is wrong with them, and changes nothing", async () => {
    const ana = await world.loggedIn("ana.wrong", port);
    const [es, en] = [textsIn("es"), textsIn("en")];
    const change = ["passwd", "--password-stdin"];
    await expectFailure(
      ana,
      change,
      { exit: 4, code: "invalid_credentials", en: en.passwordWrong, es: es.passwordWrong },
      { input: `not hers\n${NEW_PASSWORD}\n` },
    );
    await expectFailure(
      ana,
      change,
      { exit: 4, code: "weak_password", en: /8/, es: /8/ },
      { input: `${PASSWORD}\nshort\n` },
    );
    const missing = { exit: 2, code: "usage", en: en.passwordsNeeded, es: es.passwordsNeeded };
    for (const input of ["", `${PASSWORD}\n`]) await expectFailure(ana, change, missing, { input });
    await expectFailure(ana, ["passwd"], missing, { password: PASSWORD });
    expect(await isPasswordOf(ana, PASSWORD)).toBe(true);
  });

  test("beside a listen, which goes on", async () => {
    const ana = await registered("ana.beside");
    const listening = await ana.listen(PASSWORD);
    const input = `${PASSWORD}\n${NEW_PASSWORD}\n`;
    expect(await ana.run(["passwd", "--password-stdin"], { input })).toMatchObject({ code: 0 });
    const bob = await world.loggedIn("bob.beside", port);
    expect(await bob.run(["send", ana.name, "are you there?"])).toMatchObject({ code: 0 });
    await listening.event({ event: "message", text: "are you there?" });
    expect((await listening.stop()).code).toBe(0);
  });

  test("asks at a terminal without showing anything", async () => {
    const ana = await world.loggedIn("ana.asked", port);
    const texts = textsIn("es");
    const ask = async (again: string) => {
      const terminal = atTerminal(ana, "es", "passwd");
      for (const [question, answer] of [
        [texts.passwordCurrent, PASSWORD],
        [texts.passwordNew, NEW_PASSWORD],
        [texts.passwordAgain, again],
      ]) {
        await terminal.shows(question as string);
        terminal.type(`${answer}\r`);
      }
      const code = await terminal.ended();
      terminal.close();
      for (const password of [PASSWORD, NEW_PASSWORD]) expect(terminal.text).not.toContain(password);
      return { code, text: terminal.text.replace(/\s+/g, " ") };
    };
    const differ = await ask("something else");
    expect(differ.code).toBe(2);
    expect(differ.text).toContain(texts.passwordsDiffer);
    const changed = await ask(NEW_PASSWORD);
    expect(changed.text).toContain(texts.passwordChanged);
    expect(changed.code).toBe(0);
    expect(await isPasswordOf(ana, NEW_PASSWORD)).toBe(true);
  });
});

describe("delete-account", () => {
  test("needs --yes without a terminal, and the password; what is on this disk stays", async () => {
    const ana = await world.loggedIn("ana.leaves", port);
    await ana.run(["send", "--wait", "queued", "somebody", "unsent"]);
    const [es, en] = [textsIn("es"), textsIn("en")];
    const needsYes = {
      exit: 2,
      code: "usage",
      en: en.accountDeletionNeedsYes,
      es: es.accountDeletionNeedsYes,
    };
    await expectFailure(ana, ["delete-account"], needsYes, { password: PASSWORD });
    await expectFailure(ana, ["delete-account", "--yes"], {
      exit: 2,
      code: "password_needed",
      en: en.passwordNeeded,
      es: es.passwordNeeded,
    });
    expect(await ana.run(["delete-account", "--yes"], { password: "not hers" })).toMatchObject({ code: 4 });
    const { code, events } = await ana.json(["delete-account", "--yes"], { password: PASSWORD });
    expect(events).toEqual([{ event: "account_deleted", username: ana.name, folder: ana.profileFolder }]);
    expect(code).toBe(0);
    expect(await ana.run(["users"], { password: PASSWORD })).toMatchObject({ code: 4 });
    expect((await ana.json(["history", "somebody"])).events[0]).toMatchObject({ text: "unsent" });
  });

  test("asks at a terminal for the name and the password", async () => {
    const ana = await world.loggedIn("ana.typed", port);
    const texts = textsIn("en");
    const question = texts.accountDeletionQuestion(ana.name).slice(-25);
    const declined = atTerminal(ana, "en", "delete-account");
    await declined.shows(question);
    declined.type("yes\r");
    expect(await declined.ended()).toBe(1);
    await declined.shows(texts.accountDeletionDeclined);
    declined.close();
    const terminal = atTerminal(ana, "en", "delete-account");
    await terminal.shows(question);
    terminal.type(`${ana.name.toUpperCase()}\r`);
    await terminal.shows(texts.passwordPrompt(ana.name));
    terminal.type(`${PASSWORD}\r`);
    expect(await terminal.ended()).toBe(0);
    const said = terminal.text.replace(/\s+/g, "");
    expect(said).toContain(texts.accountDeleted(ana.name, ana.profileFolder).replace(/\s+/g, ""));
    terminal.close();
    expect(await isPasswordOf(ana, PASSWORD)).toBe(false);
  });
});

test.each(LANGUAGES)("a terminal is asked whether the other machine's session ends, in %s", async (lang) => {
  const ana = await registered(`ana.elsewhere.${lang}`);
  const texts = textsIn(lang);
  const listening = await ana.listen(PASSWORD);
  const asked = async (answer: string) => {
    const terminal = atTerminal(ana.elsewhere(), lang, "users");
    await terminal.shows(texts.passwordPrompt(ana.name));
    terminal.type(`${PASSWORD}\r`);
    await terminal.shows(texts.replaceQuestion);
    terminal.type(`${answer}\r`);
    const code = await terminal.ended();
    terminal.close();
    return code;
  };
  expect(await asked(lang === "es" ? "no" : "sí")).toBe(4);
  expect(listening.events.filter(({ event }) => event === "error")).toEqual([]);
  expect(await asked(lang === "es" ? "sí" : "yes")).toBe(0);
  await listening.event({ event: "error", code: "session_replaced" });
  expect((await listening.ended).code).toBe(4);
});

test("a command without --server goes to the server that was used last with the data folder", async () => {
  const ana = world.person("ana.last", port);
  const here = () =>
    new ClientHere({ args: ["users", "--data", ana.data], environment: { PALOMA_PASSWORD: PASSWORD } }).ended;
  await ana.register();
  expect((await here()).code).toBe(0);
  const other = await world.serverApart("other.db");
  await ana.at(`127.0.0.1:${other.tlsPort}`).register();
  other.kill("SIGKILL");
  await other.exited;
  expect((await here()).code).toBe(3);
  expect((await ana.run(["users"])).code).toBe(0);
  expect((await here()).code).toBe(0);
});
