/** At a terminal, a stranger's request is announced, marked in the list and answered in its chat. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";

import { label } from "../../src/identity/names.ts";
import { expectNothingRedrawn, openFromMenu, picture, promptIs, Room, says, USUAL } from "./chat-terminal.ts";
import { KEY } from "./keys.ts";
import { until } from "./messenger-pair.ts";

setDefaultTimeout(90_000);

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

test("a request is announced, marked and accepted in its chat; who is blocked is left for the list", async () => {
  const beto = await room.person("beto");
  const ana = await room.at(await room.seat("ana"), { environment: { PALOMA_WHO: "requests" } });
  for (const text of ["uno", "dos", "tres", "cuatro"]) beto.messenger.outbox.send("ana", text);
  await until(() => beto.of("held").length > 0);
  await says(ana, "— beto pide escribirle.");
  ana.type(`1${KEY.enter}`);
  await ana.showsRow(/^> 1\. beto \(solicitud, 3 mensajes\)/);
  ana.type(KEY.escape);
  await ana.showsRow(/^> 1\. .* \(1 solicitud\)$/);
  await openFromMenu(ana, "beto");
  await says(ana, "/block le bloquea.");
  await promptIs(ana, "");
  expect(picture(ana).replace(/huella [0-9a-f ]{19}/, "huella HUELLA")).toMatchSnapshot();
  ana.type(`/accept${KEY.enter}`);
  await says(ana, "— beto puede escribirle.");
  await says(ana, "beto: cuatro");
  await until(() => beto.of("accepted").length === 1);
  ana.type(`/block${KEY.enter}`);
  await says(ana, "— Se ha bloqueado a beto");
  await ana.showsRow(/^> 1\. beto \(bloqueado\)$/);
  expectNothingRedrawn(ana, USUAL);
  ana.type(KEY.ctrlC);
  expect(await ana.ended()).toBe(130);
});

test("the request of a name that looks like another is announced with its label", async () => {
  await room.person("beto");
  const dora = await room.at(await room.seat("dora"), { environment: { PALOMA_WHO: "requests" } });
  await openFromMenu(dora, "beto");
  await promptIs(dora, "");
  const twin = await room.person("d0ra");
  twin.messenger.outbox.send("dora", "soy yo");
  const digits = label("d0ra").slice(0, 8);
  await says(dora, `— d0ra (${digits.slice(0, 4)} ${digits.slice(4)}) pide escribirle.`);
  dora.type(`${KEY.ctrlC}${KEY.ctrlC}`);
  expect(await dora.ended()).toBe(130);
});
