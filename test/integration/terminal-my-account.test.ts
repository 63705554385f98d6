/** «My account» at a terminal, and the login of an account that another machine has online. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { showFingerprint } from "../../src/identity/fingerprint.ts";
import { PASSWORD, type Person } from "./cli-process.ts";
import { SocketProgram } from "./daemon-process.ts";
import { KEY } from "./keys.ts";
import { TerminalWorld, type Language, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const NEW_PASSWORD = "another correct horse";

const world = new TerminalWorld();
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

/** Someone's menu «My account», and who they are. */
async function inMyAccount(name: string, language: Language): Promise<readonly [MenuTerminal, Person]> {
  const ana = await registered(name);
  expect(await ana.run(["users"], { password: PASSWORD })).toMatchObject({ code: 0 });
  const terminal = world.openAs(ana, { language });
  await terminal.arrives(name);
  await terminal.answers(terminal.texts.menuHome(name), "5");
  await terminal.isAsked(terminal.texts.myAccountQuestion(name));
  return [terminal, ana];
}

async function quits(terminal: MenuTerminal): Promise<void> {
  terminal.type(KEY.ctrlC);
  expect(await terminal.ended()).toBe(130);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.foreignRows).toEqual([]);
  for (const password of [PASSWORD, NEW_PASSWORD]) expect(terminal.text).not.toContain(password);
}

// What is said comes from tables, so one of the languages is enough; other files take the other one.
describe("in es", () => {
  const language = "es";

  test("the password is changed; a wrong one, a weak one, and two that differ are told", async () => {
    const [terminal, ana] = await inMyAccount(`zoe.change.${language}`, language);
    const { texts } = terminal;
    const menu = texts.myAccountQuestion(ana.name);
    const asks = async (current: string, again: string) => {
      await terminal.answers(menu, "1");
      await terminal.answers(texts.passwordCurrent, current);
      await terminal.answers(texts.passwordNew, NEW_PASSWORD);
      await terminal.answers(texts.passwordAgain, again);
    };
    await asks("not hers", NEW_PASSWORD);
    await terminal.sees(texts.passwordWrong);
    await asks(PASSWORD, "something else");
    await terminal.sees(texts.passwordsDiffer);
    await terminal.answers(texts.passwordNew, "short");
    await terminal.answers(texts.passwordNew, NEW_PASSWORD);
    await terminal.answers(texts.passwordAgain, NEW_PASSWORD);
    await terminal.sees(texts.passwordChanged);
    await terminal.isAsked(menu);
    // The session here goes on, and the new password is the one that counts.
    expect(await ana.run(["users"])).toMatchObject({ code: 0 });
    await quits(terminal);
    expect((await ana.elsewhere().run(["users"], { password: PASSWORD })).code).toBe(4);
    expect((await ana.elsewhere().run(["users"], { password: NEW_PASSWORD })).code).toBe(0);
  });

  test("what others are told is chosen for everybody and for one person, and seen by other programs", async () => {
    const ana = await registered(`zoe.signs.${language}`);
    expect(await ana.run(["users"], { password: PASSWORD })).toMatchObject({ code: 0 });
    await ana.run(["send", "--wait", "queued", "benito", "hello"]);
    const terminal = world.openAs(ana, { language });
    const { texts } = terminal;
    const { signYes: yes, signNo: no } = texts;
    await terminal.arrives(ana.name);
    await terminal.answers(texts.menuHome(ana.name), "5");
    await terminal.answers(texts.myAccountQuestion(ana.name), "2");
    const rows = (read: string, typing: string) => [
      `1. ${texts.signRead} (${read})`,
      `2. ${texts.signTyping} (${typing})`,
    ];
    await terminal.isAsked(texts.signsQuestion, ...rows(yes, yes));
    terminal.type(`1${KEY.enter}`);
    await terminal.isAsked(...rows(no, yes));
    terminal.type(`2${KEY.enter}`);
    // What was changed stays marked, so that Enter alone changes it back.
    await terminal.isAsked(...rows(no, no), `> 2. ${texts.signTyping}`);
    const beside = await SocketProgram.on(ana);
    expect(await beside.result("privacy")).toEqual({ read: "off", typing: "off", people: [] });
    terminal.type(`3${KEY.enter}`);
    await terminal.answers(texts.signsOfWhom, "1");
    const asForAll = texts.signAsForAll(no);
    await terminal.isAsked(texts.signsOfQuestion("benito"), ...rows(asForAll, asForAll));
    terminal.type(`1${KEY.enter}`);
    await terminal.isAsked(...rows(yes, asForAll));
    expect(await beside.result("privacy")).toEqual({
      read: "off",
      typing: "off",
      people: [{ username: "benito", read: "on", typing: "default" }],
    });
    terminal.type(KEY.escape);
    await terminal.isAsked(texts.signsOfWhom, `benito (${texts.signsOwn})`);
    terminal.type(KEY.escape);
    await terminal.isAsked(texts.signsQuestion);
    terminal.type(KEY.escape);
    await terminal.isAsked(texts.myAccountQuestion(ana.name));
    terminal.type(KEY.escape);
    await terminal.isHome(ana.name);
    beside.leave();
    await quits(terminal);
  });

  test("the own fingerprint is shown", async () => {
    const [terminal, ana] = await inMyAccount(`zoe.print.${language}`, language);
    const [shown] = (await ana.json(["fingerprint"])).events;
    terminal.type(`3${KEY.enter}`);
    await terminal.sees(showFingerprint(shown?.["fingerprint"] as string));
    await terminal.isAsked(terminal.texts.myAccountQuestion(ana.name));
    await quits(terminal);
  });

  test("the account is deleted after its name and the password, and it is said what stays here", async () => {
    const [terminal, ana] = await inMyAccount(`zoe.gone.${language}`, language);
    const { texts } = terminal;
    const menu = texts.myAccountQuestion(ana.name);
    const question = texts.accountDeletionQuestion(ana.name);
    await terminal.answers(menu, "4");
    await terminal.answers(question, "yes");
    await terminal.sees(texts.accountDeletionDeclined);
    await terminal.answers(menu, "4");
    await terminal.answers(question, ana.name);
    await terminal.answers(texts.passwordPrompt(ana.name), "not hers");
    await terminal.sees(texts.passwordWrong);
    await terminal.answers(menu, "4");
    await terminal.answers(question, ana.name);
    await terminal.answers(texts.passwordPrompt(ana.name), PASSWORD);
    const said = () => terminal.screen.transcript.replace(/\s+/g, "");
    const stays = texts.accountDeleted(ana.name, ana.profileFolder).replace(/\s+/g, "");
    await terminal.until(() => said().includes(stays), "what stays");
    await terminal.isAsked(texts.menuRegister);
    expect(terminal.hasSeen(texts.sessionOver)).toBe(false);
    await quits(terminal);
    expect((await ana.elsewhere().run(["users"], { password: PASSWORD })).code).toBe(4);
  });

  test("an account that is open on another machine is taken from there if the person says so", async () => {
    const ana = await registered(`zoe.taken.${language}`);
    const listening = await ana.listen(PASSWORD);
    const terminal = world.openNew(ana.server, { language });
    const { texts } = terminal;
    await terminal.answers(texts.menuLogIn, "1");
    await terminal.answers(texts.menuName, ana.name);
    await terminal.answers(texts.passwordPrompt(ana.name), PASSWORD);
    await terminal.answers(texts.menuReplace(ana.name), "2");
    await terminal.answers(texts.menuLogIn, "1");
    await terminal.answers(texts.menuName, "");
    await terminal.answers(texts.passwordPrompt(ana.name), PASSWORD);
    await terminal.answers(texts.menuReplace(ana.name), "1");
    await terminal.isAsked(texts.menuWhom);
    await listening.event({ event: "error", code: "session_replaced" });
    expect((await listening.ended).code).toBe(4);
    await quits(terminal);
  });
});
