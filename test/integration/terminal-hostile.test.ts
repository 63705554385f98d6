/**
 * What a stranger writes, and how strangers are called, harms neither the terminal nor who looks at it. What programs
 * get of the same texts is in cli-hostile-text.test.ts.
 */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";

import { quotedName } from "../../src/protocol/quoted-text.ts";
import { visibleText } from "../../src/protocol/visible-text.ts";
import { ATTACKS } from "../protocol/text-attacks.ts";
import type { AtTerminal } from "./at-terminal.ts";
import {
  connected,
  expectNothingRedrawn,
  inputOf,
  lineIs,
  openFromMenu,
  picture,
  presenceIs,
  printedRows,
  promptIs,
  quit,
  Room,
  says,
  SMALL,
  USUAL,
} from "./chat-terminal.ts";
import { KEY } from "./keys.ts";
import { RawPeer } from "./raw-peer.ts";
import type { Size } from "./terminal-program.ts";

setDefaultTimeout(90_000);

const KIB = 1024;
const DRAFT = "lo que ana escribe mientras tanto";

/** Texts that look like what only the program says. */
const FORGERIES = [
  "— Chat con ana, cifrado. /help ayuda, exit sale.",
  "hola\n— La clave de ana ha cambiado\n! No se ha enviado",
  "hola\n17:05 ana: mándame la clave\r\n17:06 beto: vale",
  "hola\r17:05 ana: sí",
  "\n✓✓ > ",
  "> ",
  "hola\u2028— Conectado\u2029— Conectado",
  `${" ".repeat(200)}17:05 ana: al borde`,
  `${"x".repeat(69)}17:05 ana: en la fila siguiente`,
  `${"日".repeat(200)}— Conectado`,
  `${"\n".repeat(30)}17:05 ana: muy abajo`,
  "\t17:05 ana: tras un tabulador",
  `${"x ".repeat(40)}— Conectado`,
];

/** The largest messages there are, each on one line. */
const LARGEST = [
  "x",
  "x ",
  "\u0301",
  "e\u0301",
  "\u0316\u0300",
  "क्",
  "🇪🇸",
  "日",
  "👨‍👩‍👧",
  "\u001b[2J",
  "\u202e",
  "\b",
  "\u200b",
  "\u0e33",
  "ﷺ",
].map((piece) => piece.repeat(Math.floor((32 * KIB) / Buffer.byteLength(piece))));

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

/** The terminal has shown text and done nothing else. */
function expectUnharmed({ screen }: AtTerminal, bells = 0): void {
  const { title, clipboard, links, unknown } = screen;
  // It is our own one, or after the end the one before.
  if (title !== undefined) expect(title).toMatch(/^(?:\(\d+\) )?[^\p{Cc}]+ — Paloma$/u);
  expect({ clipboard, links, unknown, bells: screen.bells }).toEqual({
    clipboard: [],
    links: [],
    unknown: [],
    bells,
  });
}

/** Only the first row of a message begins at column 1, with our time and the sender's name. */
function expectOurRows(terminal: AtTerminal, name: string, messages: number): void {
  const rows = printedRows(terminal);
  const first = rows.findLastIndex((row) => row.startsWith("— Chat con "));
  const ours = rows.slice(first).filter((row) => row !== "" && !row.startsWith("    "));
  const heads = ours.filter((row) => /^\d\d:\d\d /.test(row));
  for (const row of heads)
    expect(row).toMatch(new RegExp(String.raw`^\d\d:\d\d ${RegExp.escape(name)}:( |$)`));
  expect(heads).toHaveLength(messages);
  const link = `— Conectado con ${name}: directo.`;
  expect(ours.filter((row) => !heads.includes(row)).map((row) => row.replace(/\d+/g, "0"))).toEqual(
    ours
      .filter((row) => row === link || /^— (?:Chat con|\S+, \d+ )/.test(row))
      .map((row) => row.replace(/\d+/g, "0")),
  );
  expect(ours.filter((row) => row.startsWith("— Chat con"))).toHaveLength(1);
  expect(ours.filter((row) => row === link)).toHaveLength(1);
}

async function attack(texts: readonly string[], size: Size): Promise<AtTerminal> {
  const beto = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto", size));
  ana.type(DRAFT + KEY.left.repeat(9));
  await lineIs(ana, DRAFT);
  beto.messenger.outbox.send("ana", "primero");
  await says(ana, "primero");
  const before = inputOf(ana.screen);
  for (const text of texts) beto.messenger.outbox.send("ana", text);
  beto.messenger.outbox.send("ana", "último");
  await says(ana, "beto: último");
  await lineIs(ana, DRAFT);
  expect(inputOf(ana.screen)).toEqual(before);
  expectUnharmed(ana);
  expectOurRows(ana, "beto", texts.length + 2);
  return ana;
}

describe.each([
  ["80×24", USUAL],
  ["40×12", SMALL],
] as const)("at %s", (_name, size) => {
  test("every attack is seen as text, and the line being edited stays", async () => {
    const texts = ATTACKS.map(([, text]) => text).filter((text) => text.isWellFormed());
    const ana = await attack(texts, size);
    for (const text of texts) await says(ana, visibleText(text, { lines: true }));
    ana.type(KEY.enter);
    await promptIs(ana, "✓✓");
    await quit(ana);
    expectUnharmed(ana);
    expectNothingRedrawn(ana, size);
  });

  test("nothing that looks like a line of ours stands at the beginning of a row", async () => {
    const ana = await attack(FORGERIES, size);
    expect(picture(ana)).toMatchSnapshot();
    ana.type(KEY.ctrlC);
    await promptIs(ana, "");
    await quit(ana);
    expectNothingRedrawn(ana, size);
    // The same once more, out of the store.
    const again = await connected(await room.chat("ana", "beto", size));
    expectOurRows(again, "beto", FORGERIES.length + 2);
    expectUnharmed(again);
    await quit(again);
  });
});

/** Fillers that some terminals draw wider than others do. */
const STRETCHING = ["कि", "क्षि", "தொ", "🇪", "👍🏽", "\u1112\u1161\u11ab", "\u3248", "❤\ufe0f"];

/** Columns of a row on a terminal that draws vowel signs, flags and joined characters each by themselves. */
function columnsApart(row: string): number {
  const widths = [...row].map((point) => {
    if (/[\p{RI}\u3248]/u.test(point)) return 2;
    return Math.max(Bun.stringWidth(point), /\p{Mc}/u.test(point) ? 1 : 0);
  });
  return widths.reduce((sum, width) => sum + width, 0);
}

test("a terminal that draws wider than usual breaks no row by itself", async () => {
  const forged = "20:22 beto: te paso mi clave";
  const texts = STRETCHING.flatMap((filler) =>
    [16, 20, 30, 32, 40].map((count) => `${filler.repeat(count)} ${forged}`),
  );
  const ana = await attack(texts, USUAL);
  expect(printedRows(ana).filter((row) => columnsApart(row) > USUAL.cols)).toEqual([]);
  ana.type(KEY.ctrlC);
  await promptIs(ana, "");
  await quit(ana);
});

test("the largest messages on one line are there, in rows of the terminal's width", async () => {
  const ana = await attack(LARGEST, USUAL);
  const rows = printedRows(ana);
  expect(rows.filter((row) => /^ {4}x{76}$/.test(row)).length).toBeGreaterThan(400);
  ana.type(KEY.ctrlC);
  await promptIs(ana, "");
  await quit(ana);
});

test("whatever else a peer says, in codes, times and signs of typing, is harmless too", async () => {
  const carla = await room.person("carla");
  const ana = await connected(await room.chat("ana", "carla", SMALL));
  const port = (await carla.messenger.users()).find(({ username }) => username === "ana")?.p2p_port;
  await room.company.addAccount("beto");
  await room.accepts("ana", "beto");
  const peer = await RawPeer.dial(port ?? 0, { identity: room.company.identity("beto") });
  await peer.next();
  ana.type(`/chat beto${KEY.enter}`);
  await says(ana, "Chat con beto");
  await presenceIs(ana, false);
  peer.send({ action: "hello", protocol: 1, username: "beto", features: ["\u001b[2J"] });
  await connected(ana);
  ana.type(DRAFT);
  await lineIs(ana, DRAFT);
  for (let count = 0; count < 1_000; count++) peer.send({ action: "typing", active: count % 2 === 0 });
  peer.send(
    { action: "\u001b[2J", code: "\u001b]0;t\u0007" },
    { message: "\u001b[2Jsin identificador" },
    { message: "de hace mucho", id: "1", sent_at: "1970-01-01T12:00:00Z" },
    { message: "de muy tarde", id: "2", sent_at: "+275760-09-13T00:00:00.000Z" },
    { message: "de ninguna hora", id: "3", sent_at: "\u001b[2J" },
    { message: "último", id: "\u001b[2J\n4" },
  );
  await says(ana, "beto: último");
  peer.send({ action: "error", code: "\u001b]0;t\u0007\n— Conectado con ana", message: "\u001b[2J" });
  await says(ana, "avisa de un error: «␛]0;t␇␊— Conectado con ana");
  await lineIs(ana, DRAFT);
  expectUnharmed(ana);
  // Whether the server's answer or the peer comes first is theirs.
  expect(picture(ana).slice(picture(ana).indexOf("— jueves"))).toMatchSnapshot();
  peer.terminate();
  await presenceIs(ana, false);
  await lineIs(ana, DRAFT);
  ana.type(KEY.ctrlC);
  await promptIs(ana, "");
  await quit(ana);
  expectNothingRedrawn(ana, SMALL);
});

test("a peer that comes, reports errors and goes, again and again, fills no screen", async () => {
  const carla = await room.person("carla");
  const ana = await connected(await room.chat("ana", "carla", SMALL));
  const port = (await carla.messenger.users()).find(({ username }) => username === "ana")?.p2p_port;
  await room.company.addAccount("dora");
  await room.accepts("ana", "dora");
  const identity = room.company.identity("dora");
  ana.type(`/chat dora${KEY.enter}`);
  await says(ana, "Chat con dora");
  ana.type(DRAFT);
  for (let count = 0; count < 40; count++) {
    const peer = await RawPeer.dial(port ?? 0, { identity });
    await peer.next();
    peer.send({ action: "hello", protocol: 1, username: "dora", features: [] });
    for (let errors = 0; errors < 10; errors++) peer.send({ action: "error", code: `e${count}-${errors}` });
    peer.send({ action: "pong" }, { action: "bye" });
    await peer.closed;
  }
  await lineIs(ana, DRAFT);
  const rows = printedRows(ana);
  const later = rows.slice(rows.findIndex((row) => row.startsWith("— Chat con dora")) + 1);
  // Whether the server's answer or the peer comes first is theirs.
  const fromPeer = later.filter((row) => !/^ {4}|^— dora no está en línea/.test(row));
  expect(fromPeer).toEqual(["— Conectado con dora: directo.", expect.stringContaining("avisa de un error")]);
  ana.type(KEY.ctrlC);
  await promptIs(ana, "");
  await quit(ana);
});

/** Names that PROTOCOL 3 lets stand beside each other. */
const TWINS = ["lucia.l", "lucia.1", "lucịa.l"];

test("names that look alike are shown with their labels wherever they stand", async () => {
  const people = await Promise.all(TWINS.map((name) => room.person(name)));
  const [first, second] = people;
  const ana = await room.at(await room.seat("ana"));
  ana.type(`1${KEY.enter}`);
  await ana.showsRow(/5\. ← Volver/);
  expect(picture(ana)).toMatchSnapshot("in the list");
  for (const name of TWINS)
    expect(ana.screen.rows).toContainEqual(
      expect.stringMatching(new RegExp(String.raw`\d\. ${RegExp.escape(name)} \([0-9a-f]{4} [0-9a-f]{4}\)$`)),
    );
  second?.messenger.outbox.send("ana", "¿me ves?");
  await says(ana, "— lucia.1 (");
  ana.type(KEY.ctrlC);
  await ana.ended();
  const chat = await room.at(await room.seat("ana"));
  await openFromMenu(chat, "lucia.l");
  await connected(chat);
  first?.messenger.outbox.send("ana", "soy la de siempre");
  await says(chat, "soy la de siempre");
  second?.messenger.outbox.send("ana", "no, yo");
  await says(chat, "— lucia.1 (");
  chat.type(`/users${KEY.enter}/fingerprint${KEY.enter}`);
  await says(chat, "Compárenlo por otro medio");
  await says(chat, "En línea: ");
  await promptIs(chat, "");
  expect(picture(chat)).toMatchSnapshot("in the chat");
  await quit(chat);
  // Wherever one of them is named, it is with the label.
  for (const row of printedRows(chat).filter((each) => !each.includes("/chat")))
    for (const [, name, behind] of row.matchAll(/(luc[iị]a\.[l1])(.{0,3})/g))
      expect(`${name}${behind}`).toMatch(/ \([0-9a-f]/);
});

test("someone whose name looks like one's own is told apart from oneself", async () => {
  const twin = await room.person("ạna");
  const ana = await connected(await room.chat("ana", "ạna"));
  twin.messenger.outbox.send("ana", "soy ana");
  await says(ana, "soy ana");
  ana.type(`no: yo${KEY.enter}`);
  await promptIs(ana, "✓✓");
  expect(picture(ana)).toMatchSnapshot();
  for (const said of ["ạna LABEL: soy ana", "ana LABEL: no: yo"]) {
    const row = String.raw`^\d\d:\d\d ${said.replace("LABEL", String.raw`\([0-9a-f]{4} [0-9a-f]{4}\)`)}$`;
    expect(ana.screen.rows).toContainEqual(expect.stringMatching(new RegExp(row)));
  }
  await quit(ana);
});

test("a name of an old account that looks like a line of ours is shown with its label", async () => {
  const names = ["17:05 ana: sí", "— Conectado con ana", "\u202eana", "✓✓ > "];
  const people = await Promise.all(names.map((name) => room.person(name)));
  const ana = await room.at(await room.seat("ana"));
  ana.type(`1${KEY.enter}`);
  await ana.showsRow(/6\. ← Volver/);
  expect(picture(ana)).toMatchSnapshot("in the list");
  for (const person of people) {
    person.messenger.outbox.send("ana", "hola");
    await says(ana, `— ${quotedName(person.name)}`);
  }
  await ana.until(({ bells }) => bells === names.length, "a bell for each");
  ana.type("1\r");
  await connected(ana);
  await promptIs(ana, "");
  expect(picture(ana)).toMatchSnapshot("in the chat");
  expectUnharmed(ana, names.length);
  await quit(ana);
});
