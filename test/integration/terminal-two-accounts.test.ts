import { afterAll, expect, setDefaultTimeout, test } from "bun:test";

import { PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const world = new TerminalWorld();
afterAll(() => world.close());

/** The row with the chat's line. */
function line(terminal: MenuTerminal): string | undefined {
  return terminal.screen.rows[terminal.screen.cursor.row];
}

async function lineIs(terminal: MenuTerminal, text: string): Promise<void> {
  await terminal.until(() => line(terminal) === text, `the line «${text}»`);
}

test("the next account of a run sees nothing of what the one before typed, and none of the names it knew", async () => {
  const place = await world.place();
  const eva = world.openNew(place);
  await eva.joins("two.eva", PASSWORD);
  const shared = world.openNew(place);
  await shared.joins("two.ana", PASSWORD);
  await shared.opensFirstChat("two.eva");
  shared.type(`secret of ana${KEY.enter}`);
  await shared.sees("secret of ana");
  // A name that only this account knows, also by its chat.
  shared.type(`/chat zoraida${KEY.enter}`);
  await shared.sees("Chat con zoraida");
  await shared.isInChat();
  shared.type(`zor${KEY.tab}`);
  await lineIs(shared, "zoraida > zoraida");
  shared.type(KEY.ctrlC);
  await lineIs(shared, "zoraida >");
  shared.type(KEY.up + KEY.up);
  await lineIs(shared, "zoraida > secret of ana");
  shared.type(KEY.ctrlC + KEY.ctrlC);
  await shared.isAsked(shared.texts.menuWhom, "zoraida");
  shared.type(KEY.escape);
  await shared.answers(shared.texts.menuHome("two.ana"), "2");
  await shared.sees(shared.texts.loggedOut);
  // What was typed into a form is not offered to the next person either.
  await shared.answers(shared.texts.menuRegister, "2");
  await shared.answers(shared.texts.menuName, "two.unfinished");
  await shared.isAsked(shared.texts.menuPassword);
  shared.type(KEY.escape);

  const beto = world.person("two.beto", Number(place.split(":")[1]));
  await beto.register();
  await shared.answers(shared.texts.menuLogIn, "1");
  await shared.answers(shared.texts.menuAccount, "2");
  await shared.isAsked(shared.texts.menuName);
  shared.type(`two.beto${KEY.enter}`);
  await shared.answers(shared.texts.passwordPrompt("two.beto"), PASSWORD);
  const before = shared.raw.length;
  await shared.isAsked(shared.texts.menuWhom, "two.eva");
  expect(shared.asked).not.toContain("zoraida");
  shared.type(`1${KEY.enter}`);
  await shared.isInChat();
  shared.type(`${KEY.up}x`);
  await lineIs(shared, "two.eva > x");
  shared.type(`${KEY.ctrlC}zor${KEY.tab}${KEY.tab}-`);
  await lineIs(shared, "two.eva > zor-");
  expect(shared.raw.slice(before)).not.toMatch(/secret of ana|zoraida/);
  shared.type(`${KEY.ctrlC}${KEY.ctrlC}`);
  await shared.isAsked(shared.texts.menuWhom);
  shared.type(KEY.escape);
  await shared.answers(shared.texts.menuHome("two.beto"), "2");
  await shared.answers(shared.texts.menuRegister, "2");
  await shared.isAsked(shared.texts.menuName);
  expect(shared.asked).not.toContain("two.unfinished");
});

test("a password from the environment is not tried on another account than the first", async () => {
  const { tlsPort } = await world.server("given.db");
  const [ana, beto] = ["given.ana", "given.beto"].map((name) => world.person(name, tlsPort));
  if (ana === undefined || beto === undefined) throw new Error("two people");
  await Promise.all([ana.register(), beto.register()]);
  expect((await ana.run(["users"], { password: PASSWORD })).code).toBe(0);
  // A stored session opens the first account, so that the password is not needed.
  const shared = world.openAs(ana, { environment: { PALOMA_PASSWORD: PASSWORD } });
  await shared.arrives("given.ana");
  await shared.answers(shared.texts.menuHome("given.ana"), "2");
  await shared.answers(shared.texts.menuLogIn, "1");
  await shared.answers(shared.texts.menuAccount, "2");
  await shared.answers(shared.texts.menuName, "given.beto");
  await shared.isAsked(shared.texts.passwordPrompt("given.beto"));
});
