import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { presenceIs } from "./chat-terminal.ts";
import { PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { TerminalWorld, type Language, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
afterAll(() => world.close());

type Story = {
  readonly names: readonly [string, string];
  readonly languages: readonly [Language, Language];
  readonly size: { readonly cols: number; readonly rows: number };
  readonly lines: readonly [string, string];
};

const STORIES: readonly Story[] = [
  {
    names: ["ana", "beto"],
    languages: ["es", "es"],
    size: { cols: 80, rows: 24 },
    lines: ["Hola, ¿cómo estás?", "Bien, gracias. 👋"],
  },
  {
    names: ["alice", "bob"],
    languages: ["en", "en"],
    size: { cols: 40, rows: 12 },
    lines: ["Hello, how are you?", "Fine, thanks. 👋"],
  },
  {
    names: ["carla", "dan"],
    languages: ["es", "en"],
    size: { cols: 60, rows: 16 },
    lines: ["Hola, ¿cómo estás?", "Fine, thanks."],
  },
];

function expectPicture(terminal: MenuTerminal, moment: string): void {
  expect(terminal.picture).toMatchSnapshot(moment);
}

/** Nothing was written that a terminal does not understand, and no password. */
function expectClean(terminal: MenuTerminal): void {
  expect(terminal.screen.unknown).toEqual([]);
  expect(terminal.text).not.toContain(PASSWORD.slice(0, 4));
  expect(terminal.isRestored).toBe(true);
}

describe.each(STORIES)("$names.0 ($languages.0) and $names.1 ($languages.1)", (story) => {
  const [first, second] = story.names;
  const [hello, answer] = story.lines;

  test("register, log out, log in, chat with each other, log out and leave, by the seed's keys", async () => {
    const address = await world.place();
    const [one, other] = story.languages.map((language) =>
      world.openNew(address, { language, ...story.size }),
    );
    if (one === undefined || other === undefined) throw new Error("two people are needed");
    await one.isAsked(one.texts.menuQuit);
    expectPicture(one, "the first menu");
    await one.registers(first, PASSWORD);
    expectPicture(one, "registered");
    await one.arrives(first);
    one.type("2\r");
    await one.sees(one.texts.loggedOut);
    await one.logsIn(first, PASSWORD);
    expectPicture(one, "logged in");
    await other.joins(second, PASSWORD);

    await one.opensFirstChat(second);
    await one.isInChat();
    expectPicture(one, "the chat is open");
    one.type(`${hello}\r`);
    await one.isInChat("✓✓ >");
    await other.sees(other.texts.menuMessages(first, 1));
    await other.isAsked(`(${other.texts.menuNew(1)})`);
    expect(other.screen.bells).toBe(1);
    expectPicture(other, "a message has come");

    await other.opensFirstChat(first);
    await other.isInChat();
    other.type(`${answer}\r`);
    await other.isInChat(`${other.texts.chatReadMark} >`);
    await one.sees(`${second}: ${answer}`);
    await one.isInChat(`${one.texts.chatReadMark} >`);
    expectPicture(one, "the answer is there");
    expectPicture(other, "the answer was sent");

    one.type("exit\r");
    await one.isAsked(one.texts.menuWhom, `1. ${second}`);
    await presenceIs(other, false);
    await other.isInChat(`${other.texts.chatReadMark} >`);
    expectPicture(other, "the other one has left the chat");
    other.type("exit\r");
    await other.isAsked(other.texts.menuWhom, `1. ${first}`);

    await one.answers(one.texts.menuWhom, "3");
    await one.isHome(first);
    one.type("2\r");
    await one.sees(one.texts.loggedOut);
    await one.answers(one.texts.menuRegister, "3");
    expect(await one.ended()).toBe(0);
    expectPicture(one, "logged out and left");
    other.type(KEY.escape);
    await other.isHome(second);
    other.type(KEY.ctrlC);
    expect(await other.ended()).toBe(130);
    expectPicture(other, "left by Ctrl-C");

    expectClean(one);
    expectClean(other);
    const areOfOneLanguage = story.languages[0] === story.languages[1];
    if (areOfOneLanguage) expect([...one.foreignRows, ...other.foreignRows]).toEqual([]);
  });
});
