/** What a terminal sends that is no key: it changes nothing in the menus, the forms and the hidden password. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";

import { PASSWORD } from "./cli-process.ts";
import { FOCUS, KEY, MODIFIED_ENTERS, NO_KEYS } from "./keys.ts";
import { TerminalWorld } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
afterAll(() => world.close());

/** A string that is longer than a terminal's buffer stands in the tests of `key-sequences.ts`. */
const SEQUENCES = [
  ...MODIFIED_ENTERS,
  ...Object.values(FOCUS),
  ...Object.values(NO_KEYS).filter(({ length }) => length < 1_000),
];

/** Each sequence in two writes, cut at a place that differs; before the characters of `text` and behind them. */
function woven(text: string): string[] {
  const characters = [...text];
  return SEQUENCES.flatMap((sequence, index) => {
    const points = [...sequence];
    const at = 1 + (index % (points.length - 1 || 1));
    const isLast = index === SEQUENCES.length - 1;
    const typed = isLast ? characters.splice(0).join("") : (characters.shift() ?? "");
    return [points.slice(0, at).join(""), points.slice(at).join("") + typed];
  }).concat(SEQUENCES[0] ?? "");
}

test.each(["es", "en"] as const)(
  "a sequence of no key never becomes text, answers nothing and ends nothing, in %s",
  async (language) => {
    const screen = world.openNew(await world.place(), { language });
    const { texts } = screen;
    const name = `keys.${language}`;
    const answers = async (question: string, text: string, isShown = true) => {
      await screen.isAsked(question);
      for (const piece of woven(text)) screen.type(piece);
      if (isShown) await screen.isAsked(`${question} ${text}`);
      screen.type(KEY.enter);
    };
    await answers(texts.menuRegister, "2", false);
    await answers(texts.menuName, name);
    await answers(texts.menuPassword, PASSWORD, false);
    // The second time without them: both must be the same.
    await screen.answers(texts.passwordAgain, PASSWORD);
    await answers(texts.menuEmail, `${name}@example.org`);
    await screen.sees(texts.registered(name));
    await answers(texts.menuBack, "2", false);
    await screen.isHome(name);
    await answers(texts.menuPeople, "7", false);
    expect(await screen.ended()).toBe(0);
    expect(screen.screen.bells).toBe(0);
    expect(screen.isRestored).toBe(true);
    expect(screen.screen.unknown).toEqual([]);
  },
);

test("nor at a terminal that can only append", async () => {
  const screen = world.openNew(await world.place(), { environment: { TERM: "dumb" } });
  const { texts } = screen;
  const answers = async (question: string, text: string) => {
    await screen.shows(question);
    for (const piece of woven(text)) screen.type(piece);
    screen.type(KEY.enter);
  };
  await answers(`2. ${texts.menuRegister}`, "2");
  await answers(texts.menuName, "keys.dumb");
  await screen.shows("> keys.dumb");
  await answers(texts.menuPassword, PASSWORD);
  await answers(texts.passwordAgain, PASSWORD);
  await answers(texts.menuEmail, "keys@example.org");
  await screen.shows("> keys@example.org");
  await screen.shows(texts.registered("keys.dumb"));
  screen.type(KEY.ctrlC);
  expect(await screen.ended()).toBe(130);
  expect(screen.isRestored).toBe(true);
});
