/** Links that are lost and found again while somebody sits in a chat. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";

import {
  connected,
  expectNothingRedrawn,
  lineIs,
  openFromList,
  openFromMenu,
  picture,
  presenceIs,
  printedRows,
  promptIs,
  quit,
  Room,
  says,
  SMALL,
  times,
  USUAL,
  writes,
} from "./chat-terminal.ts";
import { openAdminSocket } from "../../src/server/admin/socket.ts";
import { admin } from "./server-admin-process.ts";
import { KEY } from "./keys.ts";
import { until } from "./messenger-pair.ts";

setDefaultTimeout(90_000);

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

test("a client that dies and comes back is no line, and what waited is sent then", async () => {
  const seat = await room.seat("beto");
  const first = await seat.listenApart();
  const ana = await connected(await room.chat("ana", "beto", SMALL));
  await writes(ana, "hola", "✓✓");
  ana.type("a medias");
  await lineIs(ana, "a medias");
  first.signal("SIGKILL");
  await presenceIs(ana, false);
  await lineIs(ana, "a medias");
  await writes(ana, " y entero", "·");
  const again = await seat.listen();
  await again.event({ event: "message", text: "a medias y entero" });
  await promptIs(ana, "✓✓");
  expect(picture(ana)).toMatchSnapshot();
  await quit(ana);
  expectNothingRedrawn(ana, SMALL);
});

test("fifty commands of a contact while the chat with them is open are no line but their messages", async () => {
  const beto = await room.seat("beto");
  const ana = await room.at(await room.seat("ana"));
  const succeeds = async (...args: string[]) => expect((await beto.run(args)).code).toBe(0);
  await succeeds("send", "ana", "mensaje 0");
  await openFromMenu(ana, "beto");
  await says(ana, "mensaje 0");
  const others = [["users"], ["whoami"], ["users", "--json"], ["history", "ana"]];
  for (let count = 1; count <= 50; count++) {
    if (count % 10 === 0) await succeeds("send", "ana", `mensaje ${count}`);
    else await succeeds(...(others[count % 4] ?? []));
  }
  await says(ana, "mensaje 50");
  await presenceIs(ana, false);
  const rows = printedRows(ana);
  const first = rows.findIndex((row) => row.endsWith("mensaje 0"));
  const messages = [10, 20, 30, 40, 50].map((count) => `beto: mensaje ${count}`);
  expect(rows.slice(first + 1).map((row) => row.replace(/^\d\d:\d\d /, ""))).toEqual([
    "— Conectado con beto: directo.",
    ...messages,
  ]);
  await quit(ana);
});

test("someone who leaves the chat is no line, and a message finds them again", async () => {
  const [ana, beto] = await room.both();
  beto.type("exit\r");
  await presenceIs(ana, false);
  await writes(ana, "una cosa más", "✓✓");
  await says(beto, "ana: 1 mensaje nuevo");
  await openFromList(beto, "ana");
  await says(beto, "una cosa más");
  await writes(beto, "dime", "✓✓ leído");
  await promptIs(ana, "✓✓ leído");
  expect(picture(ana)).toMatchSnapshot("who stayed");
  expect(picture(beto)).toMatchSnapshot("who came back");
  await quit(ana);
  await presenceIs(beto, false);
  await quit(beto);
  expectNothingRedrawn(ana, USUAL);
  expectNothingRedrawn(beto, USUAL);
});

test("a server that stops is said once, conversations go on, and once that it is back", async () => {
  await room.accepts("ana", "beto");
  await room.accepts("beto", "ana");
  const [ana, beto] = await room.both(SMALL);
  ana.type("a medias");
  await lineIs(ana, "a medias");
  await promptIs(beto, "escribiendo…");
  await room.company.stopServer();
  await says(ana, "Sin conexión con el servidor");
  await says(beto, "Sin conexión con el servidor");
  await lineIs(ana, "a medias");
  ana.type("\r");
  await promptIs(ana, "✓✓ leído");
  await says(beto, "ana: a medias");
  beto.type("aquí sigo\r");
  await says(ana, "aquí sigo");
  await room.company.restartServer();
  for (const each of [ana, beto]) await says(each, "Conectado de nuevo al servidor.");
  ana.type("/users\r");
  await says(ana, "En línea: beto");
  await promptIs(ana, "✓✓ leído");
  await promptIs(beto, "✓✓ leído");
  for (const each of [ana, beto]) {
    expect(times(each, "Sin conexión con el servidor")).toBe(1);
    expect(times(each, "Conectado de nuevo al servidor.")).toBe(1);
  }
  expect(picture(ana)).toMatchSnapshot("one side");
  expect(picture(beto)).toMatchSnapshot("the other side");
  await quit(ana);
  await quit(beto);
  expectNothingRedrawn(ana, USUAL);
  expectNothingRedrawn(beto, SMALL);
});

test("a changed key is explained; only once its number was shown can it be accepted", async () => {
  const known = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto"));
  await writes(ana, "hola", "✓✓");
  await known.close();
  await presenceIs(ana, false);
  await writes(ana, "para ti", "·");
  const other = await room.person("beto", "another machine");
  await says(ana, "La clave de beto ha cambiado");
  other.messenger.outbox.send("ana", "soy yo, de verdad");
  ana.type("/accept\r");
  await says(ana, "Antes de aceptar la clave nueva de beto, compare su número");
  expect(other.texts("ana")).toEqual([]);
  ana.type("/fingerprint\r");
  await says(ana, "Acepte la clave nueva con /accept");
  expect(picture(ana)).toMatchSnapshot("the number");
  expect(ana.text).not.toContain("soy yo");
  ana.type("/accept\r");
  await until(() => other.texts("ana").length === 1);
  await promptIs(ana, "✓✓");
  await says(ana, "soy yo, de verdad");
  expect(times(ana, "ha cambiado")).toBe(1);
  await quit(ana);
  expectNothingRedrawn(ana, USUAL);
});

test("an account that the operator disables: its conversation ends, and its messages wait", async () => {
  const [ana, beto] = await room.both();
  const { databasePath, services } = room.company;
  const socket = openAdminSocket(databasePath, services);
  try {
    ana.type("a medias");
    await lineIs(ana, "a medias");
    expect((await admin(databasePath, "disable", "beto")).code).toBe(0);
    await presenceIs(ana, false);
    await says(beto, "La cuenta está deshabilitada.");
    await lineIs(ana, "a medias");
    await writes(ana, " y entero", "·");
    expect((await admin(databasePath, "enable", "beto")).code).toBe(0);
    const again = await room.person("beto", "another machine");
    await says(ana, "La clave de beto ha cambiado");
    expect(again.texts("ana")).toEqual([]);
    await quit(ana);
  } finally {
    socket.close();
  }
  expectNothingRedrawn(ana, USUAL);
});

test("a session that the server has ended is explained, and the conversation goes on", async () => {
  const beto = await room.person("beto");
  const ana = await connected(await room.chat("ana", "beto", { program: "apart" }));
  ana.type("a medias");
  await lineIs(ana, "a medias");
  await room.company.stopServer();
  await says(ana, "Sin conexión con el servidor");
  // While this machine sleeps, the account goes online on another one.
  ana.signal("SIGSTOP");
  await room.company.restartServer();
  await room.person("ana", "another machine");
  ana.signal("SIGCONT");
  await says(ana, "e inicie sesión otra vez.");
  await lineIs(ana, "a medias");
  ana.type("\r");
  await promptIs(ana, "✓✓");
  expect(beto.texts("ana")).toEqual(["a medias"]);
  expect(picture(ana)).toMatchSnapshot();
  ana.type("exit\r");
  await ana.showsRow(/1\. Iniciar sesión/);
  ana.type(KEY.ctrlC);
  expect(await ana.ended()).toBe(130);
  expect(ana.isRestored).toBe(true);
});
