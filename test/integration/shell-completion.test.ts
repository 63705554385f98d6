/** The program as a command, and what real shells complete of it at a terminal. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import packageJson from "../../package.json" with { type: "json" };
import { describeCommand } from "../../src/ui/help.ts";
import { AtTerminal } from "./at-terminal.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { expectFailure, PASSWORD, World } from "./cli-process.ts";

setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "../..");
const world = new World();
const programs = join(world.folder, "programs");
const elsewhere = join(world.folder, "some project");
const cleanups = cleanupsForEachTest();
let environment: { readonly [name: string]: string };

beforeAll(async () => {
  mkdirSync(programs);
  mkdirSync(elsewhere);
  symlinkSync(process.execPath, join(programs, "bun"));
  for (const [name, file] of Object.entries(packageJson.bin))
    symlinkSync(join(ROOT, file), join(programs, name));
  writeFileSync(join(elsewhere, "conversation.jsonl"), "");
  writeFileSync(join(elsewhere, ".env"), "PALOMA_LANG=wrong\n");
  writeFileSync(join(elsewhere, "bunfig.toml"), 'preload = ["./foreign.ts"]\n');
  writeFileSync(join(elsewhere, "foreign.ts"), 'console.log("foreign");\n');
  const { tlsPort } = await world.server();
  const ana = world.person("ana.shell", tlsPort);
  await ana.register();
  for (const name of ["benito.shell", "carla.shell", "ñandú.shell"])
    await ana.run(["send", "--wait", "queued", name, "hola"], { password: PASSWORD });
  await ana.run(["group", "new", "Mi Familia"]);
  environment = {
    PATH: `${programs}:${process.env["PATH"]}`,
    HOME: elsewhere,
    LC_ALL: "C.UTF-8",
    PALOMA_LANG: "en",
    PALOMA_DATA: ana.data,
  };
});
afterAll(() => world.close());

test.each(["paloma", "paloma-server"])(
  "%s is a command that takes nothing from the folder in which it is started",
  async (program) => {
    const child = Bun.spawn([program, "--version"], {
      cwd: elsewhere,
      env: { PATH: environment["PATH"] ?? "" },
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await child.stdout.text()).toMatch(/^paloma(?:-server)? \d+\.\d+\.\d+( \([0-9a-f]{12}\))?\n$/);
    expect(await child.stderr.text()).toBe("");
    expect(await child.exited).toBe(0);
  },
);

/**
 * What is typed before Tab, and what stands there afterwards. All shells ask the program for the same words; they differ in
 * values behind «=», in letters beyond ASCII, in files and in quotation marks.
 */
const DIFFERENT = [
  ["paloma his", "paloma history"],
  ["paloma send --wait=que", "paloma send --wait=queued"],
  ["paloma history ñan", "paloma history ñandú.shell"],
  ["paloma send-file carla.shell conv", "paloma send-file carla.shell conversation.jsonl"],
] as const;
const GROUP = ['paloma history "#Mi F', 'paloma history "#Mi Familia"'] as const;
const COMPLETED = [
  ...DIFFERENT,
  ["paloma history --js", "paloma history --json"],
  ["paloma send --wait que", "paloma send --wait queued"],
  GROUP,
] as const;

const SHELLS = [
  {
    line: ["bash", "--norc", "--noprofile", "-i"],
    setUp: "source <(paloma completion bash)",
    completed: COMPLETED,
  },
  {
    line: ["zsh", "-f", "-i"],
    setUp: "autoload -U compinit; compinit -u -D; source <(paloma completion zsh)",
    completed: [...DIFFERENT, GROUP],
  },
] as const;

test.each(SHELLS.filter(({ line: [name] }) => Bun.which(name) !== null))(
  "$line.0 completes commands, options, values, people, groups and files",
  async ({ line, setUp, completed }) => {
    const terminal = new AtTerminal([], { environment, program: { line }, cols: 120, rows: 40 });
    cleanups.push(() => terminal.close());
    // Zsh inserts a Tab that it reads together with what was typed before its prompt.
    terminal.type(`cd '${elsewhere}'; ${setUp}; PS1='set up: '\r`);
    await terminal.showsRow(/^set up: *$/);
    for (const [typed, whole] of completed) {
      terminal.type(`${typed}\t`);
      await terminal.showsRow(new RegExp(`${whole.replaceAll(".", "\\.")}(?! *\\w)`));
      terminal.type("\u0015");
    }
  },
);

test.skipIf(Bun.which("fish") === null)(
  "fish completes commands, options, values, people, groups and files, and says what they do",
  async () => {
    const asked = [...DIFFERENT, GROUP].map(([typed]) => `complete -C '${typed}'`).join("; ");
    const child = Bun.spawn(["fish", "--no-config", "-c", `paloma completion fish | source; ${asked}`], {
      cwd: elsewhere,
      env: environment,
      stdout: "pipe",
    });
    const lines = (await child.stdout.text()).split("\n").slice(0, -1);
    expect(lines.map((each) => each.split("\t")[0])).toEqual([
      ...DIFFERENT.map(([, whole]) => whole.slice(whole.lastIndexOf(" ") + 1)),
      "#Mi Familia",
    ]);
    expect(lines[0]).toBe(`history\t${describeCommand("history", "en")}`);
  },
);

test("an unknown shell is named", async () => {
  const ana = world.person("ana.shell", 1);
  await expectFailure(ana, ["completion", "csh"], {
    exit: 2,
    code: "usage",
    en: /“csh” is not a known shell: bash, zsh or fish\./,
    es: /«csh» no es una shell que se conozca: bash, zsh o fish\./,
  });
});
