/** What people do with messages that are there already, each at a terminal of their own. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { AtTerminal } from "./at-terminal.ts";
import {
  connected,
  expectNothingRedrawn,
  lineIs,
  openFromList,
  openFromMenu,
  presenceIs,
  promptIs,
  quit,
  Room,
  says,
  times,
  USUAL,
  writes,
} from "./chat-terminal.ts";
import { KEY } from "./keys.ts";

setDefaultTimeout(90_000);

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

/** Sends a text, until it is read. */
async function sends(from: AtTerminal, to: AtTerminal, text: string): Promise<void> {
  await writes(from, text, "✓✓ leído");
  await says(to, `: ${text}`);
}

test("an edit and a withdrawal are seen by both people, and by those who look later", async () => {
  const [ana, beto] = await room.both();
  await sends(ana, beto, "nos vemos a las cinko");
  await sends(ana, beto, "y esto sobra");
  ana.type("/withdraw\r");
  await says(ana, "Retirado el mensaje de las ");
  await says(ana, ": «y esto sobra»");
  await says(beto, "ana ha retirado un mensaje de las ");
  // The prompt shows the state of the last text that is left.
  await promptIs(ana, "✓✓ leído");
  ana.type("/list\r");
  await says(ana, "ana (retirado)");
  ana.type("/edit #1 nos vemos a las cinco\r");
  await says(ana, ", «nos vemos a las cinko»: «nos vemos a las cinco»");
  await says(beto, ": «nos vemos a las cinco»");
  await promptIs(ana, "✓✓ leído");
  // What is not theirs, and what is no number, stays as it is, and nothing is sent.
  for (const [typed, said] of [
    ["/edit #9 x", "No hay #9 en la última lista, que llega hasta #2"],
    ["/edit #uno x", "«#uno» no es un número de la lista"],
    ["/withdraw #2", "Ese mensaje ya está retirado."],
    ["/edit 1 x", "¿Quiere decir #1?"],
    ["/reply #2 x", "Ese mensaje se ha retirado: no se puede responder"],
  ] as const) {
    ana.type(`${typed}\r`);
    await says(ana, said);
    // A text that was typed for nothing comes back.
    if (typed.startsWith("/withdraw")) continue;
    await lineIs(ana, typed);
    ana.type(KEY.ctrlC);
  }
  beto.type("/list\r/edit #1 mentira\r");
  await says(beto, "Ese mensaje no es suyo");
  await lineIs(beto, "/edit #1 mentira");
  beto.type(KEY.ctrlC);
  await promptIs(beto, "");
  beto.type("/cancel #1\r");
  await says(beto, "/cancel cancela solo lo que usted ha escrito");
  expect(times(ana, "mentira")).toBe(0);
  beto.type("exit\r");
  await openFromList(beto, "ana");
  await says(beto, "ana (editado): nos vemos a las cinco");
  expect(times(beto, "ana (retirado)")).toBe(2);
  await quit(ana);
  await quit(beto);
  for (const each of [ana, beto]) expectNothingRedrawn(each, USUAL);
});

test("a message is deleted on this side alone, and then the whole chat, once its name was typed", async () => {
  const [ana, beto] = await room.both();
  for (const text of ["uno", "dos", "tres"]) await sends(ana, beto, text);
  ana.type("/delete #2\r");
  await says(ana, "Todavía no hay números");
  ana.type("/list 2\r");
  await ana.showsRow(/^#1 \d\d:\d\d ana ✓✓ leído: dos$/);
  ana.type("/delete #1\r");
  await says(ana, "Borrado solo en este lado: «dos».");
  ana.type("/list\r");
  await ana.showsRow(/^#2 .* tres$/);
  ana.type("/delete chat\r");
  await says(ana, "escriba: /delete chat beto");
  ana.type("/delete chat carla\r");
  await says(ana, "no se ha borrado nada");
  ana.type("/delete chat BETO\r");
  await says(ana, "Borrados 2 mensajes con beto, solo en este lado.");
  ana.type("/list\r");
  await says(ana, "En este chat no hay mensajes guardados.");
  beto.type("/list\r");
  await beto.showsRow(/^#2 \d\d:\d\d ana: dos$/);
  await beto.showsRow(/^#3 \d\d:\d\d ana: tres$/);
  // The conversation goes on.
  await sends(beto, ana, "sigo aquí");
  await says(ana, "beto: sigo aquí");
  await quit(ana);
  await quit(beto);
});

test("a search finds words in every chat, accents and case aside, and names the chat", async () => {
  const carla = await room.person("carla");
  const ana = await connected(await room.chat("ana", "carla"));
  carla.messenger.outbox.send("ana", "La CANCIÓN del camión");
  await says(ana, "La CANCIÓN del camión");
  ana.type(KEY.ctrlC);
  const beto = await room.person("beto");
  await openFromList(ana, "carla");
  ana.type("/chat beto\r");
  await says(ana, "Chat con beto");
  await writes(ana, "una canción", "✓✓");
  ana.type("/search cancion\r");
  await says(ana, "2 mensajes con «cancion»:");
  await ana.showsRow(/^#1 \d{4}-\d\d-\d\d \d\d:\d\d carla: La CANCIÓN del camión$/);
  await ana.showsRow(/^#2 \d{4}-\d\d-\d\d \d\d:\d\d ana → beto ✓✓: una canción$/);
  // A number of another chat is no number of this one.
  ana.type("/reply #1 me gusta\r");
  await says(ana, "Vaya allí con /chat carla");
  await lineIs(ana, "/reply #1 me gusta");
  ana.type(`${KEY.ctrlC}/info #2\r`);
  await says(ana, "ana → beto: «una canción» escrito: ");
  ana.type('/search "OR *\r');
  await says(ana, "Ningún mensaje contiene");
  ana.type("/search ¡!\r");
  await says(ana, "al menos una letra");
  expect(beto.texts("ana")).toEqual(["una canción"]);
  await quit(ana);
});

test("a message is read when it stands on the other screen, and not before; a reply says to what", async () => {
  const beto = await room.at(await room.seat("beto"));
  const ana = await connected(await room.chat("ana", "beto"));
  await writes(ana, "¿vienes?", "✓✓");
  await says(beto, "1 nuevo");
  await openFromMenu(beto, "ana");
  await says(beto, "ana: ¿vienes?");
  await promptIs(ana, "✓✓ leído");
  beto.type("/reply #1 sí\r");
  await says(beto, "Todavía no hay números");
  await lineIs(beto, "/reply #1 sí");
  beto.type(`${KEY.ctrlC}/reply claro que sí\r`);
  await promptIs(beto, "✓✓ leído");
  await ana.showsRow(/^\d\d:\d\d beto ↪ «¿vienes\?»: claro que sí$/);
  ana.type("/list\r/info #1\r");
  await says(ana, "ana → beto: «¿vienes?» escrito: ");
  await says(ana, "leído: 2");
  await quit(ana);
  await quit(beto);
});

test("what another process of the account writes and cancels is seen in the open chat", async () => {
  const seat = await room.seat("ana");
  const beto = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto"));
  await seat.run(["send", "--wait", "queued", "beto", "desde otra ventana"]);
  await ana.showsRow(/^\d\d:\d\d ana: desde otra ventana$/);
  await promptIs(ana, "✓✓");
  expect(beto.texts("ana")).toEqual(["desde otra ventana"]);
  await beto.close();
  await presenceIs(ana, false);
  await writes(ana, "uno", "·");
  await seat.run(["cancel", "beto"]);
  // The prompt shows the state of what is left.
  await promptIs(ana, "✓✓");
  ana.type("/cancel\r");
  await says(ana, "No hay nada pendiente de enviar");
  expect(times(ana, ": desde otra ventana")).toBe(1);
  await quit(ana);
});

test("an unread message that is withdrawn is not counted any more", async () => {
  const ana = await room.at(await room.seat("ana"));
  const beto = await room.person("beto");
  const id = beto.messenger.outbox.send("ana", "no lo lea");
  await says(ana, "1 nuevo");
  beto.messenger.outbox.withdraw("ana", id);
  await ana.until(({ rows }) => rows.every((row) => !row.includes("1 nuevo")), "no new message");
  ana.type(KEY.ctrlC);
  await ana.ended();
});

test("what was not sent is cancelled or changed here; what was sent is not", async () => {
  const beto = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto"));
  await writes(ana, "ya está allí", "✓✓");
  ana.type("/cancel\r");
  await says(ana, "No hay nada pendiente de enviar");
  await beto.close();
  await presenceIs(ana, false);
  ana.type("/edit ya está ahí\r /list\r");
  await ana.showsRow(/^#1 .* ana ✓✓ \(editado, en cola\): ya está ahí$/);
  ana.type("/cancel\r");
  await says(ana, "Solo está pendiente el cambio");
  await writes(ana, "no debe salir", "·");
  ana.type("con un herror\r/edit sin errores\r");
  await says(ana, ", «con un herror»: «sin errores»");
  ana.type("/list\r/cancel #2\r");
  await says(ana, "Cancelado antes de enviar: «no debe salir»");
  ana.type("/cancel #1\r");
  await says(ana, "no se puede cancelar. /withdraw lo retira");
  const file = join(room.folder, "chat.jsonl");
  ana.type(`/export ${file}\r`);
  await says(ana, "2 mensajes guardados en ");
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(2);
  const back = await room.person("beto");
  await promptIs(ana, "✓✓");
  expect(back.texts("ana")).toEqual(["sin errores"]);
  await quit(ana);
});
