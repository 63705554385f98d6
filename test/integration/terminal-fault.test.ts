/** A bug in the menus' own code, and a disk that cannot be read, at a terminal. */
import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { textsIn } from "../../src/ui/texts/texts.ts";
import { lookBeforeStatements, readError, watchStatements } from "../failing-disk.ts";
import { AtTerminal } from "./at-terminal.ts";
import { connected, lineIs, quit, Room, says } from "./chat-terminal.ts";
import { KEY } from "./keys.ts";

setDefaultTimeout(90_000);

const folder = mkdtempSync(join(tmpdir(), "paloma-fault-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("after a bug in the update nothing is drawn any more, and the terminal is given back", async () => {
  const program = { file: join(import.meta.dir, "faulty-program.ts") };
  const terminal = new AtTerminal(["--server", "localhost", "--data", folder, "--lang", "es"], { program });
  try {
    const { menuKeys } = textsIn("es");
    await terminal.shows(menuKeys);
    terminal.type("3");
    await terminal.showsRow(/^> 3\./);
    terminal.signal("SIGUSR1");
    await terminal.until(({ bells }) => bells === 1, "the fault");
    const drawn = () => terminal.text.split(menuKeys).length;
    const before = drawn();
    terminal.type(KEY.enter);
    expect(await terminal.ended()).toBe(1);
    expect(terminal.text).toContain("Error: on purpose");
    expect(drawn()).toBe(before);
    expect(terminal.isRestored).toBe(true);
  } finally {
    terminal.close();
  }
});

describe("a chat that cannot be read", () => {
  watchStatements();
  let room: Room;
  beforeEach(async () => {
    room = await Room.open();
  });
  afterEach(async () => {
    lookBeforeStatements(undefined);
    await room.close();
  });

  test.each(["es", "en"] as const)("is told in %s, and the one before stays open", async (lang) => {
    const { chatStillWith, chatOpenedStranger } = textsIn(lang);
    await room.person("beto");
    const { profileFolder } = await room.seat("ana");
    const ana = await connected(await room.chat("ana", "beto", { lang }));
    lookBeforeStatements(({ filename }, sql) => {
      if (filename.startsWith(profileFolder) && sql.includes("FROM messages")) throw readError();
    });
    ana.type(`/chat carla${KEY.enter}`);
    await says(ana, chatStillWith("beto"));
    expect(ana.text).toContain("disk I/O error");
    expect(ana.text).not.toContain(chatOpenedStranger("carla"));
    lookBeforeStatements(undefined);
    ana.type("hola");
    await lineIs(ana, "hola");
    ana.type(KEY.ctrlC);
    await lineIs(ana, "");
    await quit(ana);
  });
});
