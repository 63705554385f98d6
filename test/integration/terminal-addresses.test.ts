/** Addresses and blocks of lines in messages, as a person at a terminal can use them. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";

import { textsIn } from "../../src/ui/texts/texts.ts";
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

// What is said comes from tables, so one of the languages is enough; other files take the other one.
describe("in en", () => {
  const lang = "en";
  const texts = textsIn(lang);

  test("an address stands on the screen without a break or an indent of ours, also out of the store", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto", { ...SMALL, lang }));
    beto.messenger.outbox.send("ana", `one that does not fit here: ${SHORT}.`);
    beto.messenger.outbox.send("ana", `and ${LONG} 17:05 ana: yes`);
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
    beto.messenger.outbox.send("ana", `see ${SHORT}, ssh://a@b and ${LONG} or ${attack}`);
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

  test("/copy gives a text to the clipboard as it was written, without our indent, and made harmless", async () => {
    const beto = await room.person("beto");
    const environment = { TERM: "xterm-kitty" };
    const ana = await room.at(await room.seat("ana"), { lang, environment });
    await openFromMenu(ana, "beto", lang);
    await connected(ana);
    ana.type("/copy\r");
    await says(ana, texts.chatActionNoneTheirs("beto"));
    const program = "if x:\n    pay()\n\tgo()";
    beto.messenger.outbox.send("ana", program);
    await says(ana, "go()");
    ana.type("/copy\r");
    await says(ana, texts.chatCopied("if x: pay() go()", "beto", 3));
    expect(ana.screen.clipboard).toEqual([program]);
    const attack = "\u001b\\\u0007\u001b[201~rm -rf\r\u202e\u001b]52;c;ZXZpbA==\u0007!";
    beto.messenger.outbox.send("ana", attack);
    await says(ana, "ZXZpbA==␇!");
    ana.type("/list\r");
    await ana.showsRow(/^#2 .*␛/);
    ana.type("/copy #1\r");
    await ana.until(({ clipboard }) => clipboard.length === 2, "a second copy");
    ana.type("/copy #2\r");
    await ana.until(({ clipboard }) => clipboard.length === 3, "a third copy");
    expect(ana.screen.clipboard.slice(1)).toEqual([program, "␛\\␇␛[201~rm -rf␍␛]52;c;ZXZpbA==␇!"]);
    beto.messenger.outbox.send("ana", "\u0001".repeat(20_000));
    beto.messenger.outbox.send("ana", "end");
    await says(ana, "beto: end");
    ana.type("/list 2\r");
    await ana.showsRow(/^#2 .*end$/);
    ana.type("/copy #1\r");
    await says(ana, texts.chatCopyTooLong(48));
    expect(ana.screen.clipboard).toHaveLength(3);
    await quit(ana);
  });

  test("/copy says so where the terminal is not known to copy, and names /export", async () => {
    const beto = await room.person("beto");
    const ana = await connected(await room.chat("ana", "beto", { lang }));
    beto.messenger.outbox.send("ana", "one\ntwo");
    await says(ana, "two");
    ana.type("/copy\r");
    await says(ana, texts.chatCopyUnknown);
    expect(ana.screen.clipboard).toEqual([]);
    await quit(ana);
  });
});
