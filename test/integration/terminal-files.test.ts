/** At a terminal, a file is offered by its path, and one that is offered is taken; only the line is redrawn. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expectNothingRedrawn, lineIs, promptIs, quit, Room, says, USUAL } from "./chat-terminal.ts";
import { KEY } from "./keys.ts";
import { until } from "./messenger-pair.ts";

setDefaultTimeout(90_000);

const MIB = 1_048_576;

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

test("files are sent and taken in a chat", async () => {
  const beto = await room.person("beto");
  beto.accept("ana");
  await room.accepts("ana", "beto");
  const theirs = join(room.folder, "theirs");
  mkdirSync(theirs);
  const sent = join(room.folder, "mi informe.pdf");
  const content = new Uint8Array(8 * MIB).map((_, index) => index % 251);
  writeFileSync(sent, content);
  const downloads = join(room.folder, "not there yet");
  const ana = await room.chat("ana", "beto", { environment: { PALOMA_DOWNLOADS: downloads } });

  ana.type(`/send ${room.folder}/mi${KEY.tab}`);
  await lineIs(ana, `/send ${room.folder}/mi\\ informe.pdf`);
  ana.type(KEY.enter);
  await says(ana, "— Se ofrece «mi informe.pdf» (8,0 MiB) a beto; espera su respuesta.");
  const offered = () => beto.messenger.files.list().at(-1);
  await until(() => offered()?.state === "offered");
  await beto.messenger.files.accept(offered()?.id ?? "", theirs, false);
  await says(ana, "— beto ha recibido «mi informe.pdf» (8,0 MiB).");
  expect(readFileSync(join(theirs, "mi informe.pdf")).equals(content)).toBe(true);

  ana.type(`/get${KEY.enter}`);
  await says(ana, "! beto no le ofrece ningún archivo.");
  await beto.messenger.files.send("ana", { path: sent, name: undefined, wantsSha256: false, id: undefined });
  await says(ana, "— beto le ofrece «mi informe.pdf» (8,0 MiB). /get #2 lo acepta; /stop #2 lo rechaza.");
  ana.type(`/get${KEY.enter}`);
  await says(ana, `— Recibido «mi informe.pdf» (8,0 MiB) de beto: está en «${downloads}/mi informe.pdf».`);
  expect(readFileSync(join(downloads, "mi informe.pdf")).equals(content)).toBe(true);

  ana.type(`/send ${room.folder}/nada${KEY.enter}`);
  await says(ana, `! No se ha enviado «${room.folder}/nada». No existe.`);
  // It stands in the line again.
  await lineIs(ana, `/send ${room.folder}/nada`);
  ana.type(KEY.ctrlC);
  await promptIs(ana, "");
  expectNothingRedrawn(ana, USUAL);
  await quit(ana);
});
