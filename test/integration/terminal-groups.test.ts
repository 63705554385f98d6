import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { TerminalWorld, type MenuTerminal } from "./terminal-people.ts";

setDefaultTimeout(90_000);

const cleanups = cleanupsForEachTest();
const world = new TerminalWorld();
afterAll(() => world.close());

function type(terminal: MenuTerminal, line: string): void {
  terminal.type(line + KEY.enter);
}

/** The line is open behind this beginning of a prompt. */
async function promptIs(terminal: MenuTerminal, prompt: string): Promise<void> {
  const row = () => terminal.screen.rows[terminal.screen.cursor.row] ?? "";
  await terminal.until(() => row().startsWith(prompt) && row().endsWith(">"), `the prompt «${prompt}»`);
}

/** From the second menu to the list of groups. */
async function toGroups(terminal: MenuTerminal, name: string): Promise<void> {
  await terminal.answers(terminal.texts.menuHome(name), "6");
}

test("a group is founded from the menu, joined by invitation, written to and left, in both languages", async () => {
  const place = await world.place();
  const ana = world.openNew(place, { language: "es" });
  const ben = world.openNew(place, { language: "en" });
  await ana.joins("grupo.ana", PASSWORD);
  await ben.joins("grupo.ben", PASSWORD);

  await toGroups(ana, "grupo.ana");
  await ana.answers(ana.texts.menuNoGroups, "1");
  await ana.answers(ana.texts.menuNewGroupTitle, "Familia");
  await ana.sees("Grupo «Familia», 1 persona, cifrado.");
  type(ana, "/group add grupo.ben");
  await ana.sees("grupo.ana ha invitado a grupo.ben");

  await ben.sees("grupo.ana invites you to “Familia” (1 person).");
  await ben.isAsked("6. Groups (1 invitation)");
  ben.type(`6${KEY.enter}`);
  await ben.answers("1. #Familia (invited by grupo.ana) · 1 person", "1");
  await ben.sees("You will see earlier messages. /group accept or /group decline");
  type(ben, "/group accept");
  await ben.sees("You are in “Familia”.");
  await ana.sees("grupo.ben se ha unido");

  type(ana, "hola a todos");
  await ben.sees("grupo.ana: hola a todos");
  await promptIs(ana, "#Familia ✓ en 1 de 1");
  type(ben, "hi");
  await ana.sees("grupo.ben: hi");
  await promptIs(ben, "#Familia ✓ with 1 of 1");

  // In another chat the group is announced, and has a number.
  type(ben, "/chat grupo.ana");
  await ben.sees("Chat with grupo.ana");
  type(ana, "¿sigue ahí?");
  await ben.sees("#Familia: 1 new message (/1)");
  type(ben, "/1");
  await ben.sees("grupo.ana: ¿sigue ahí?");
  type(ben, "/group members");
  await ben.sees("grupo.ana · founded it · online");

  // A file is a line of ours, and comes from whoever has it.
  const folder = mkdtempSync(join(tmpdir(), "paloma-group-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const [note, got] = [join(folder, "note.txt"), join(folder, "got")];
  writeFileSync(note, "a note");
  mkdirSync(got);
  type(ben, `/send ${note}`);
  await ben.sees("grupo.ben offers to all “note.txt” (6 B)");
  await ana.sees("grupo.ben ofrece a todos «note.txt» (6 B), /get #1");
  type(ana, `/get #1 ${got}`);
  await ana.sees("Recibido «note.txt» (6 B) de grupo.ben en «Familia»");
  expect(readFileSync(join(got, "note.txt"), "utf8")).toBe("a note");

  type(ana, "/group remove grupo.ben");
  await ana.sees("¿Sacar a grupo.ben de «Familia»?");
  type(ana, "sí");
  await ana.sees("grupo.ana ha sacado a grupo.ben");
  await ben.sees("grupo.ana removed you from “Familia”. What you have stays");
  type(ben, "hello?");
  await ben.sees("! You are no longer in “Familia”.");
  ben.type(KEY.ctrlC + KEY.ctrlC);
  await ben.isAsked("1. #Familia (you are out)");
  for (const terminal of [ana, ben])
    expect(terminal.foreignRows.filter((row) => !/hola|sigue|paloma-group/.test(row))).toEqual([]);
});
