/** `bun run demo` as a person runs it. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DEMO_TEXTS } from "../../src/ui/demo/demo-texts.ts";

const LANGUAGES = ["es", "en"] as const;

function demoFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("paloma-demo-"));
}

for (const language of LANGUAGES) {
  test(`the demonstration shows two people talking, with and without the server (${language})`, async () => {
    const before = demoFolders();
    const demo = Bun.spawn({
      cmd: [process.execPath, "run", "demo", "--lang", language],
      cwd: join(import.meta.dir, "../.."),
      env: { ...process.env, NO_COLOR: "1" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, errors, exit] = await Promise.all([
      new Response(demo.stdout).text(),
      new Response(demo.stderr).text(),
      demo.exited,
    ]);
    expect(errors).not.toMatch(/error|^ {4}at /im);
    const [first = "", second = "", third = "", fourth = "", fifth = "", sixth = ""] =
      DEMO_TEXTS.lines[language].split("|");
    const steps = [
      `ana ${DEMO_TEXTS.registers[language]}`,
      `benito ${DEMO_TEXTS.logsIn[language]}`,
      `ana ${DEMO_TEXTS.lists[language]}: benito`,
      `ana: ${first}`,
      `benito: ${second}`,
      DEMO_TEXTS.serverKilled[language],
      `ana: ${third}`,
      `benito: ${fourth}`,
      DEMO_TEXTS.reconnect[language],
      `ana: ${fifth}`,
      `benito: ${sixth}`,
      DEMO_TEXTS.safety[language],
      DEMO_TEXTS.summary[language],
    ];
    // All steps are there, in this order.
    const places = steps.map((step) => output.indexOf(step));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(output).not.toContain(DEMO_TEXTS.leaked[language]);
    expect(exit).toBe(0);
    expect(demoFolders()).toEqual(before);
  });
}
