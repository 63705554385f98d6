/** Addresses in messages, as a person at a terminal can use them. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";

import { connected, expectNothingRedrawn, printedRows, quit, Room, says, SMALL } from "./chat-terminal.ts";

setDefaultTimeout(90_000);

let room: Room;
beforeEach(async () => {
  room = await Room.open();
});
afterEach(() => room.close());

const SHORT = "https://example.org/a/b";
const LONG = `https://example.org/${"path/".repeat(12)}?q=1`;

describe.each(["es", "en"] as const)("in %s", (lang) => {
  test("an address stands on the screen without a break or an indent of ours, also out of the store", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto", { ...SMALL, lang }));
    beto.messenger.send("ana", `one that does not fit here: ${SHORT}.`);
    beto.messenger.send("ana", `and ${LONG} 17:05 ana: yes`);
    await says(ana, "ana: yes");
    const expectWhole = () => {
      const rows = printedRows(ana);
      expect(rows).toContain(`    ${SHORT}.`);
      const begin = rows.findIndex((row) => row.includes("and https://"));
      const [first = "", second, third, fourth] = rows.slice(begin);
      expect(`${first}${second}${third}`).toEndWith(`: and ${LONG}`);
      expect(fourth).toBe("    17:05 ana: yes");
    };
    expectWhole();
    ana.type("/list\r");
    await ana.showsRow(/^#2 \d\d:\d\d beto: and /);
    expectWhole();
    await quit(ana);
    expectNothingRedrawn(ana, SMALL);
  });
});
