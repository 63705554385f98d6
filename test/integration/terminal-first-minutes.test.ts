/** Somebody new, from an empty data folder to a delivered message: how much is asked, and how many keys it takes. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
let address: string;
beforeAll(async () => {
  const { tlsPort } = await world.server();
  address = `127.0.0.1:${tlsPort}`;
  const benito = world.person("benito", tlsPort);
  await benito.register();
  await benito.listen(PASSWORD);
});
afterAll(() => world.close());

/** The questions that were asked, as they stand on the screen; the last one may be open. */
function questionsOn({ screen }: MenuTerminal): readonly string[] {
  return screen.transcript.split("\n").filter((row) => row.startsWith("? "));
}

const WAYS = [
  { way: "with --server", isGiven: true, prompts: 6 },
  { way: "without a server", isGiven: false, prompts: 7 },
] as const;

describe.each(["es", "en"] as const)("in %s", (language) => {
  test.each(WAYS)("$way: $prompts prompts, two of them for the password", async ({ isGiven, prompts }) => {
    const name = `new.${language}.${prompts}`;
    const data = ["--data", join(world.folder, name)];
    const given = isGiven ? ["--server", address] : [];
    const terminal = world.at([...given, ...data], { language });
    const { texts } = terminal;
    let keys = 0;
    const types = (typed: string) => {
      keys += [...typed].length;
      terminal.type(typed);
    };
    const answers = async (question: string, typed: string) => {
      await terminal.isAsked(question);
      types(typed + KEY.enter);
    };
    if (!isGiven) await answers(texts.menuFirstServer, address);
    await answers(`> 2. ${texts.menuRegister}`, "");
    await answers(texts.menuName, name);
    await answers(texts.menuPassword, PASSWORD);
    await answers(texts.passwordAgain, PASSWORD);
    await answers(texts.menuEmail, "");
    await answers("> 1. benito", "");
    await terminal.isInChat();
    types(`hola${KEY.enter}`);
    await terminal.isInChat("✓✓ >");

    const questions = questionsOn(terminal);
    expect(questions).toHaveLength(prompts);
    const { menuPassword, passwordAgain } = texts;
    const isSecret = (row: string) => row.includes(menuPassword) || row.includes(passwordAgain);
    expect(questions.filter(isSecret)).toHaveLength(2);
    const typed = [...(isGiven ? [] : [address]), name, PASSWORD, PASSWORD, "hola"].join("").length;
    // What had to be typed, and an Enter behind each answer and the message.
    expect(keys).toBe(typed + prompts + 1);
    terminal.type(KEY.ctrlC);
    await terminal.isAsked(texts.menuWhom);
    terminal.type(KEY.ctrlC);
    expect(await terminal.ended()).toBe(130);

    // The next time nothing is asked before the list of people, nor is the server needed.
    const again = world.at(data, { language });
    await again.isAsked(texts.menuWhom, "1. benito");
    expect(questionsOn(again)).toHaveLength(1);
    again.type(KEY.ctrlC);
    expect(await again.ended()).toBe(130);
    expect([...terminal.foreignRows, ...again.foreignRows]).toEqual([]);
  });
});
