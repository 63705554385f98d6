/** A bug in the menus' own code, at a terminal. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { textsIn } from "../../src/ui/texts/texts.ts";
import { AtTerminal } from "./at-terminal.ts";
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
