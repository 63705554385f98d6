/** A chat at a terminal, key by key, as the two people in it see it. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { profileFile } from "../../src/client/disk/folders.ts";
import type { AtTerminal } from "./at-terminal.ts";
import {
  connected,
  expectNothingRedrawn,
  inputIs,
  inputOf,
  lineIs,
  openFromList,
  openFromMenu,
  picture,
  presenceIs,
  promptIs,
  quit,
  Room,
  says,
  SMALL,
  times,
  USUAL,
} from "./chat-terminal.ts";
import { KEY } from "./keys.ts";
import type { Size } from "./terminal-program.ts";
import { until, untilQuiet, type Person } from "./messenger-pair.ts";

setDefaultTimeout(60_000);

const MAX_TEXT_BYTES = 32_768;

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

function sent(person: Person, text: string): string {
  return person.messenger.outbox.send("ana", text);
}

describe.each([
  ["80×24", USUAL],
  ["40×12", SMALL],
] as const)("at %s", (_name, size) => {
  test("what arrives leaves the line that is being edited, and its cursor, as they were", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto", size));
    const text = "una línea con 日本語, emojis 👨‍👩‍👧 y marcas: ñandú, que ocupa más de una fila del terminal";
    ana.type(text + KEY.left.repeat(40));
    await lineIs(ana, text);
    await inputIs(ana, ({ cursor }) => cursor.col < size.cols, "the cursor");
    await ana.until(
      () => ana.screen.cursor.row < ana.screen.rows.findLastIndex((row) => row !== ""),
      "a cursor in the middle",
    );
    const before = inputOf(ana.screen);
    sent(beto, "¡hola!\ncon dos líneas");
    await says(ana, "con dos líneas");
    await lineIs(ana, text);
    expect(inputOf(ana.screen)).toEqual(before);
    expect(picture(ana)).toMatchSnapshot();
    for (let number = 1; number <= 200; number++) sent(beto, `mensaje ${number} 👩🏽‍💻`);
    await says(ana, "mensaje 200 ");
    await lineIs(ana, text);
    expect(inputOf(ana.screen)).toEqual(before);
    const numbers = [...ana.screen.transcript.matchAll(/^\d\d:\d\d beto: mensaje (\d+) 👩🏽‍💻$/gm)];
    expect(numbers.map(([, number]) => Number(number))).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    // The key goes where the cursor stood.
    ana.type(`X${KEY.enter}`);
    await promptIs(ana, "✓✓");
    const got = beto.texts("ana")[0] ?? "";
    expect(got.replace("X", "")).toBe(text);
    expect(got.indexOf("X")).toBeGreaterThan(20);
    await quit(ana);
    expectNothingRedrawn(ana, size);
  });

  test("a paste of several lines is a placeholder until Enter, and one message, indented on both sides", async () => {
    const [ana, beto] = await both(size);
    ana.paste("uno\n  dos\r\n— Chat con beto, cifrado.\n");
    await lineIs(ana, "[3\u00a0líneas]");
    ana.type(`${KEY.home}antes ${KEY.end} después${KEY.left.repeat(8)}`);
    await lineIs(ana, "antes [3\u00a0líneas] después");
    // The mark is one character for every key.
    const { col } = ana.screen.cursor;
    ana.type(KEY.left.repeat(2));
    await ana.until(({ cursor }) => cursor.col === col - 11, "the cursor before the mark");
    expect(picture(ana)).toMatchSnapshot("the mark");
    ana.type(`${KEY.right}${KEY.enter}`);
    await promptIs(ana, "✓✓ leído");
    await says(beto, "después");
    await promptIs(beto, "");
    expect(picture(ana)).toMatchSnapshot("the sender");
    expect(picture(beto)).toMatchSnapshot("the receiver");
    for (const { screen } of [ana, beto]) {
      expect(screen.rows).toContain("      dos");
      expect(screen.rows.filter((row) => row.startsWith("— Chat con"))).toHaveLength(1);
    }
    ana.paste("otra\nvez");
    await lineIs(ana, "[2\u00a0líneas]");
    ana.type(KEY.backspace);
    await promptIs(ana, "✓✓ leído");
    const seat = await room.seat("ana");
    expect((await seat.states("beto")).map(([text]) => text)).toEqual([
      "antes uno\n  dos\n— Chat con beto, cifrado. después",
    ]);
    await quit(ana);
    await quit(beto);
    expectNothingRedrawn(ana, size);
    expectNothingRedrawn(beto, size);
  });
});

test("the prompt shows that the last message is queued, sent and received", async () => {
  const beto = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto", { program: "apart" }));
  ana.type(`hola${KEY.enter}`);
  await promptIs(ana, "✓✓");
  expect(beto.texts("ana")).toEqual(["hola"]);
  expect(picture(ana)).toMatchSnapshot();
  await beto.close();
  await presenceIs(ana, false);
  ana.type(`¿sigues ahí?${KEY.enter}`);
  await promptIs(ana, "·");
  expect(picture(ana)).toMatchSnapshot();
  await room.person("beto");
  await promptIs(ana, "✓✓");
  await quit(ana);
  expectNothingRedrawn(ana, USUAL);
});

test("the other's typing is seen while it lasts", async () => {
  const beto = await room.person("beto");
  // A stranger's typing is not seen.
  await room.accepts("ana", "beto");
  beto.accept("ana");
  const ana = await connected(await room.chat("ana", "beto", SMALL));
  // Who is dialled has the link a moment later.
  await until(() => beto.of("connected").length > 0);
  const conversation = beto.messenger.openChat("ana");
  conversation.signs.typing(true);
  await promptIs(ana, "escribiendo…");
  conversation.signs.typing(false);
  await promptIs(ana, "");
  conversation.signs.typing(true);
  await promptIs(ana, "escribiendo…");
  ana.type(`te veo${KEY.enter}`);
  await promptIs(ana, "✓✓ escribiendo…");
  expect(picture(ana)).toMatchSnapshot();
  sent(beto, "ya está");
  await promptIs(ana, "✓✓");
  // And theirs sees ours, which ends with the line.
  ana.type("ho");
  await until(() => beto.of("typing").some(({ active }) => active));
  ana.type(KEY.ctrlC);
  await until(() => beto.of("typing").at(-1)?.active === false);
  await quit(ana);
  expectNothingRedrawn(ana, SMALL);
});

test("/help lists every command that Tab offers", async () => {
  await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto", SMALL));
  ana.type(`/${KEY.tab}${KEY.tab}`);
  await says(ana, "/fingerprint /accept /decline /block /exit");
  const offers = /^\/help  [^>]*/m.exec(ana.screen.rows.join("\n"))?.[0].match(/\/\w+/g) ?? [];
  expect(offers).toEqual(expect.arrayContaining(["/more", "/say", "/chat", "/accept", "/exit"]));
  ana.type(`he${KEY.tab}`);
  await lineIs(ana, "/help");
  ana.type(KEY.enter);
  await says(ana, "en una línea vacía");
  await promptIs(ana, "");
  expect(picture(ana)).toMatchSnapshot();
  const { rows, scrollback } = ana.screen;
  const helped = [...scrollback, ...rows].flatMap(
    (row) => /^ {4}(\/\w+(?: \/\w+)?)/.exec(row)?.[1]?.split(" ") ?? [],
  );
  expect(helped).toEqual(expect.arrayContaining(offers.filter((each) => !/^\/(?:help|\d)$/.test(each))));
  ana.type(`hola be${KEY.tab}${KEY.enter}`);
  await promptIs(ana, "✓✓");
  expect((await (await room.seat("ana")).states("beto"))[0]?.[0]).toBe("hola beto ");
  await quit(ana);
  expectNothingRedrawn(ana, SMALL);
});

test("earlier messages come on opening and by /more, with the states that they have", async () => {
  const beto = await room.person("beto");
  let ana = await connected(await room.chat("ana", "beto"));
  for (let number = 1; number <= 44; number++) sent(beto, `mensaje ${number}`);
  await says(ana, "mensaje 44");
  ana.type(`recibido${KEY.enter}`);
  await promptIs(ana, "✓✓");
  await quit(ana);
  expectNothingRedrawn(ana, USUAL);
  await beto.close();
  ana = await room.chat("ana", "beto");
  await promptIs(ana, "✓✓");
  ana.type(`en cola${KEY.enter}`);
  await promptIs(ana, "·");
  await quit(ana);
  ana = await room.chat("ana", "beto");
  await promptIs(ana, "·");
  const shown = () => [...ana.screen.transcript.matchAll(/^\d\d:\d\d (.*)$/gm)].map(([, text]) => text);
  const earlier = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `beto: mensaje ${from + index}`);
  const newest = [...earlier(27, 44), "ana ✓✓: recibido", "ana ·: en cola"];
  expect(shown()).toEqual(newest);
  expect(picture(ana)).toMatchSnapshot("on opening");
  ana.type(`/more${KEY.enter}`);
  await says(ana, "/more muestra más.");
  expect(shown()).toEqual([...newest, ...earlier(7, 26)]);
  ana.type(`/more${KEY.enter}`);
  await says(ana, "antes no hay nada");
  expect(shown()).toEqual([...newest, ...earlier(7, 26), ...earlier(1, 6)]);
  ana.type(`/more${KEY.enter}`);
  await says(ana, "No hay mensajes anteriores.");
  await promptIs(ana, "·");
  expect(picture(ana)).toMatchSnapshot("the last page");
  await quit(ana);
  expectNothingRedrawn(ana, USUAL);
});

test("a line that is too long for a message is refused with a sentence and is not lost", async () => {
  const beto = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto", SMALL));
  for (const text of ["a".repeat(33 * 1024), "línea\n".repeat(5 * 1024)]) {
    ana.paste(text);
    const mark = text.startsWith("a") ? "[1\u00a0línea]" : "[5120\u00a0líneas]";
    await lineIs(ana, mark);
    ana.type(KEY.enter);
    await says(ana, `ocupa ${Buffer.byteLength(text.trim())} bytes`);
    await lineIs(ana, mark);
    expect(picture(ana)).toMatchSnapshot();
    ana.type(KEY.ctrlC);
    await promptIs(ana, "");
  }
  ana.paste("é".repeat(MAX_TEXT_BYTES / 2));
  await lineIs(ana, "[1\u00a0línea,\u00a02]");
  ana.type(KEY.enter);
  await promptIs(ana, "✓✓");
  await until(() => beto.texts("ana").length > 0);
  expect(beto.texts("ana")).toEqual(["é".repeat(MAX_TEXT_BYTES / 2)]);
  await quit(ana);
  expectNothingRedrawn(ana, SMALL);
});

/** Two people at terminals, in the chat with each other. */
async function both(size: Size): Promise<[AtTerminal, AtTerminal]> {
  const beto = await room.at(await room.seat("beto"), size);
  const ana = await connected(await room.chat("ana", "beto", size));
  await openFromMenu(beto, "ana");
  return [ana, await connected(beto)];
}

describe("a line", () => {
  test("is kept for the arrow keys, also in the next chat", async () => {
    const [beto, carla] = [await room.person("beto"), await room.person("carla")];
    const ana = await connected(await room.chat("ana", "beto"));
    ana.type(`primero${KEY.enter}segundo${KEY.enter}`);
    await until(() => beto.texts("ana").length === 2);
    await promptIs(ana, "✓✓");
    ana.type(`a medias${KEY.up}`);
    await lineIs(ana, "segundo");
    ana.type(KEY.up + KEY.up);
    await lineIs(ana, "primero");
    ana.type(KEY.down + KEY.down);
    await lineIs(ana, "a medias");
    ana.type(KEY.ctrlC);
    await promptIs(ana, "✓✓");
    ana.type(`/chat ca${KEY.tab}${KEY.enter}`);
    await says(ana, "Chat con carla");
    ana.type(KEY.up + KEY.up);
    await lineIs(ana, "segundo");
    ana.type(KEY.enter);
    await until(() => carla.texts("ana").length === 1);
    expect(carla.texts("ana")).toEqual(["segundo"]);
    await promptIs(ana, "✓✓");
    expect(picture(ana)).toMatchSnapshot();
    await quit(ana);
    expectNothingRedrawn(ana, USUAL);
  });

  test("that begins with a slash is a command, a text, or refused, and never sent by mistake", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto"));
    const lines = [
      "/say exit",
      "//x",
      "/exti",
      "/say",
      "/help me",
      "   ",
      "",
      "exit now",
      "/chat ana",
      "/chat BETO",
    ];
    for (const line of lines) ana.type(line + KEY.enter);
    // They stand there once they are on the disk.
    await promptIs(ana, "✓✓");
    ana.type(`/users${KEY.enter}`);
    await says(ana, "En línea: beto");
    expect(picture(ana)).toMatchSnapshot();
    await until(() => beto.texts("ana").length === 3);
    expect(beto.texts("ana")).toEqual(["exit", "/x", "exit now"]);
    await quit(ana);
    expectNothingRedrawn(ana, USUAL);
  });

  test("that is refused stops what was typed ahead, and goes back into the line", async () => {
    await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto"));
    ana.type(`uno${KEY.enter}`);
    await promptIs(ana, "✓✓");
    ana.type(`/withdraw${KEY.enter}`);
    await says(ana, "Retirado el mensaje");
    ana.type(`/edit dos${KEY.enter}/chat carla${KEY.enter}`);
    await says(ana, "Ese mensaje ya está retirado.");
    await lineIs(ana, "/edit dos/chat carla");
    expect(ana.text).not.toContain("Chat con carla");
    ana.type(KEY.ctrlC);
    await lineIs(ana, "");
    await quit(ana);
    expectNothingRedrawn(ana, USUAL);
  });

  test("is answered in the chat in which it was typed, and not in the one that was opened meanwhile", async () => {
    await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto"));
    ana.type(`hola${KEY.enter}`);
    await promptIs(ana, "✓✓");
    const file = join(room.folder, "exported.txt");
    const lines = ["/users", "/search hola", `/export ${file}`, "/chat carla", "/users"];
    ana.type(lines.map((line) => line + KEY.enter).join(""));
    await says(ana, "En línea: beto");
    await untilQuiet(() => existsSync(file));
    await quit(ana);
    const [, behind = ""] = ana.text.split("Chat con carla");
    expect(behind.split("En línea: beto")).toHaveLength(2);
    expect(behind).not.toContain("hola");
    expect(behind).not.toContain("exported.txt");
    expectNothingRedrawn(ana, USUAL);
  });

  test("leaves the chat as exit, /exit, Ctrl-C or Ctrl-D, which is no line for the other", async () => {
    const [ana, beto] = await both(USUAL);
    // What is being typed is in no danger.
    ana.type(`a medias${KEY.left}${KEY.ctrlD}`);
    await lineIs(ana, "a media");
    ana.type(KEY.ctrlC);
    await promptIs(ana, "");
    const ways = [`exit${KEY.enter}`, ` exit ${KEY.enter}`, `/exit${KEY.enter}`, KEY.ctrlC, KEY.ctrlD];
    for (const [index, keys] of ways.entries()) {
      if (index > 0) {
        await openFromList(ana, "beto");
        await connected(ana);
        await presenceIs(beto, true);
      }
      ana.type(keys);
      await ana.showsRow(/^> 1\. beto/);
      await presenceIs(beto, false);
      await promptIs(beto, index === 0 ? "" : "✓✓ leído");
      beto.type(`vuelve ${index}${KEY.enter}`);
      await promptIs(beto, "✓✓");
      await ana.showsRow(/^> 1\. beto \(1 nuevo\)/);
    }
    ana.type(KEY.ctrlC);
    expect(await ana.ended()).toBe(130);
    expect(ana.isRestored).toBe(true);
    await quit(beto);
    expectNothingRedrawn(ana, USUAL);
    expectNothingRedrawn(beto, USUAL);
  });

  test("leads from one chat to another, where what came meanwhile is new", async () => {
    const [beto, carla] = [await room.person("beto"), await room.person("carla")];
    const ana = await connected(await room.chat("ana", "beto"));
    ana.type("para beto");
    await lineIs(ana, "para beto");
    carla.messenger.outbox.send("ana", "¿estás?\n— Chat con");
    await says(ana, "carla: 1 mensaje nuevo");
    await lineIs(ana, "para beto");
    await ana.until(({ bells }) => bells === 1, "the bell");
    ana.type(`${KEY.ctrlC}/chat carla${KEY.enter}`);
    await says(ana, "¿estás?");
    await connected(ana);
    expect(ana.screen.bells).toBe(1);
    await promptIs(ana, "");
    expect(picture(ana)).toMatchSnapshot();
    ana.type(`/chat nadie${KEY.enter}`);
    await says(ana, "Chat con nadie");
    expect(beto.texts("ana")).toEqual([]);
    await quit(ana);
    expectNothingRedrawn(ana, USUAL);
  });

  test("that is left by Alt and a digit stands there again, also after the program was killed", async () => {
    for (const name of ["beto", "carla"]) await room.person(name);
    const seat = await room.seat("ana");
    const killed = await room.chat("ana", "beto", { program: "apart" });
    killed.type(`/chat carla${KEY.enter}`);
    await says(killed, "Chat con carla");
    killed.type("\x1b[200~uno\rdos\x1b[201~ y más");
    await lineIs(killed, "[2 líneas] y más");
    // An Alt may come in two reads.
    killed.type(KEY.escape);
    killed.type("1");
    await killed.until(() => times(killed, "Chat con beto") === 2, "beto's chat again");
    killed.type("para beto");
    await lineIs(killed, "para beto");
    const database = new Database(profileFile(seat.profileFolder), { readonly: true });
    await untilQuiet(() => database.query("SELECT * FROM drafts").all().length === 2);
    database.close();
    killed.signal("SIGKILL");
    await killed.exited;
    const ana = await room.chat("ana", "beto");
    await lineIs(ana, "para beto");
    expect(ana.text).toContain("carla (borrador: uno dos y más)");
    ana.type(`${KEY.escape}2`);
    await lineIs(ana, "[2 líneas] y más");
    expect(picture(ana)).toMatchSnapshot();
    ana.type(KEY.ctrlC);
    await lineIs(ana, "");
    await quit(ana);
    expectNothingRedrawn(ana, USUAL);
  });

  test("that is higher than the window is edited in a part of it, below what arrives", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto", SMALL));
    const text = Array.from({ length: 120 }, (_, index) => `palabra${index}`).join(" ");
    ana.type(text);
    await says(ana, "palabra119");
    for (let number = 1; number <= 5; number++) sent(beto, `mensaje ${number} ${"日本 ".repeat(20)}`);
    await says(ana, "mensaje 5");
    await says(ana, "palabra119");
    expect(picture(ana)).toMatchSnapshot("at its end");
    ana.type(KEY.home);
    await ana.showsRow(/^beto > palabra0 /);
    sent(beto, "por arriba");
    await says(ana, "por arriba");
    await ana.showsRow(/^beto > palabra0 /);
    expect(picture(ana)).toMatchSnapshot("at its beginning");
    ana.type(`¡${KEY.end}!${KEY.enter}`);
    await promptIs(ana, "✓✓");
    expect(beto.texts("ana")).toEqual([`¡${text}!`]);
    await quit(ana);
    expectNothingRedrawn(ana, SMALL);
  });

  test("is whole after every resize, and what arrives then is as wide as the window", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto"));
    const text = "una línea larga con 日本語 y 👨‍👩‍👧, ".repeat(6).trimEnd();
    ana.type(text + KEY.left.repeat(50));
    await lineIs(ana, text);
    for (const [cols, rows] of [
      [40, 12],
      [100, 30],
      [23, 24],
      [80, 24],
    ] as const) {
      ana.resize(cols, rows);
      sent(beto, `a lo ancho de ${cols} columnas: ${"ñ".repeat(cols)}.`);
      await says(ana, `a lo ancho de ${cols} columnas: ${"ñ".repeat(cols)}.`);
      for (const row of ana.screen.rows) expect(Bun.stringWidth(row)).toBeLessThanOrEqual(cols);
    }
    await lineIs(ana, text);
    ana.type(`${KEY.end}!${KEY.enter}`);
    await promptIs(ana, "✓✓");
    expect(beto.texts("ana")).toEqual([`${text}!`]);
    await quit(ana);
  });
});

describe("a terminal of another kind", () => {
  test("TERM=dumb gets the same conversation without one escape sequence", async () => {
    const beto = await room.person("beto");
    const ana = await room.chat("ana", "beto", { environment: { TERM: "dumb" } });
    await connected(ana);
    ana.type(`hola, ñandú 👨‍👩‍👧${KEY.enter}`);
    await until(() => beto.texts("ana").length === 1);
    sent(beto, "\u001b[2J¡hola!\ndos líneas");
    await says(ana, "dos líneas");
    ana.type(`a medias${KEY.backspace}`);
    await says(ana, "a media");
    sent(beto, "perdón");
    await says(ana, "perdón");
    ana.type(` y el resto${KEY.enter}`);
    await until(() => beto.texts("ana").length === 2);
    ana.type(`/help${KEY.enter}`);
    await says(ana, "en una línea vacía");
    expect(beto.texts("ana")).toEqual(["hola, ñandú 👨‍👩‍👧", "a media y el resto"]);
    ana.type(`exit${KEY.enter}`);
    await ana.until(() => ana.text.split("¿Con quién").length === 3, "the list of people");
    ana.type(KEY.ctrlC);
    expect(await ana.ended()).toBe(130);
    expect(ana.raw).not.toContain("\u001b");
    expect(ana.screen.cursorMoves).toBe(0);
    expect(ana.screen.bells).toBe(0);
    expect(ana.isRestored).toBe(true);
    // Which mark stood there when the line was written is a matter of moments.
    expect(picture(ana).replace(/(?:·|✓✓?)(?: leído)? >/g, "✓✓ >")).toMatchSnapshot();
  });

  test("NO_COLOR gets no colour, and the rest", async () => {
    const beto = await room.person("beto");
    const ana = await connected(
      await room.chat("ana", "beto", { lang: "en", environment: { NO_COLOR: "1" }, program: "apart" }),
    );
    sent(beto, "hi");
    await says(ana, "hi");
    ana.type(`hello${KEY.enter}/fingerprint${KEY.enter}/nothing${KEY.enter}`);
    await says(ana, "There is no command");
    await promptIs(ana, "✓✓");
    expect(picture(ana)).toMatchSnapshot();
    await quit(ana);
    // oxlint-disable-next-line no-control-regex
    expect(ana.raw).not.toMatch(/\u001b\[[0-9;]*m/);
    expectNothingRedrawn(ana, USUAL);
  });
});

test("a row that is drawn again above the line is noticed, and what scrolls is not", () => {
  const size = { cols: 20, rows: 4 };
  const line = "uno\r\ndos\r\n> hola";
  const redrawn = [
    `${line}\u001b[1A\rdos`,
    `${line}\u001b[2A\r\u001b[J`,
    `${line}\u001b[1A\r\u001b[2K\u001b[1B`,
    `${line}\u001b[1;1Huno`,
    `${line}\u001b[1J`,
  ];
  for (const raw of redrawn) expect(() => expectNothingRedrawn({ raw }, size)).toThrow("above row");
  const added = [
    `${line} y más, en dos filas\u001b[1A\r\u001b[Jtres\r\ncuatro\r\n✓✓ > hola`,
    `${line}${"\r\u001b[Jx\r\n> ".repeat(20)}`,
  ];
  for (const raw of added) expectNothingRedrawn({ raw }, size);
});
