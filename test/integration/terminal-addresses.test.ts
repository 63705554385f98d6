/** Addresses in messages, as a person at a terminal can use them. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";

import { AtTerminal } from "./at-terminal.ts";
import {
  connected,
  expectNothingRedrawn,
  openFromMenu,
  printedRows,
  quit,
  Room,
  says,
  SMALL,
} from "./chat-terminal.ts";

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
    expect(ana.screen.links).toEqual([]);
    await quit(ana);
    expectNothingRedrawn(ana, SMALL);
  });

  test("an address of the web is a link to itself, where the terminal knows links, also in history", async () => {
    const beto = await room.person("beto");
    const seat = await room.seat("ana");
    const environment = { VTE_VERSION: "7600", PALOMA_LANG: lang };
    const ana = await room.at(seat, { ...SMALL, lang, environment });
    await openFromMenu(ana, "beto", lang);
    await connected(ana);
    const attack = "http://a.org/\u001b\\\u0007\u009c\u001b]8;;http://evil.example\u001b\\bank";
    beto.messenger.send("ana", `see ${SHORT}, ssh://a@b and ${LONG} or ${attack}`);
    await says(ana, "␛\\bank");
    const links = [SHORT, LONG, "http://a.org/", "http://evil.example"].map((each) => ({
      target: each,
      shown: each,
    }));
    expect(ana.screen.links).toEqual(links);
    await quit(ana);
    const flags = ["--server", seat.server, "--user", seat.name, "--data", seat.data];
    const history = new AtTerminal(["history", "beto", ...flags], { environment });
    expect(await history.ended()).toBe(0);
    expect(history.screen.links).toEqual(links);
    expect(history.screen.unknown).toEqual([]);
    history.close();
    const json = new AtTerminal(["history", "beto", "--json", ...flags], { environment });
    expect(await json.ended()).toBe(0);
    expect(json.screen.links).toEqual([]);
    json.close();
  });
});
