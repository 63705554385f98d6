/** The executables of `bun run build`, where there is no Bun and nothing of this source. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Someone, startServer, THIS_SOURCE, type Programs } from "./programs.ts";

const ROOT = join(import.meta.dir, "../..");
const TARGET = `${process.platform}-${process.arch}`;

let folder = "";
let executables: Programs;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-executables-"));
  const dist = join(folder, "dist");
  const built = Bun.spawnSync([join(ROOT, ".ci/build"), TARGET], {
    env: { ...process.env, PALOMA_DIST: dist },
  });
  expect(built.stderr.toString()).toBe("");
  const program = (name: string) => [join(dist, TARGET, name)];
  executables = { name: "executables", client: program("paloma"), server: program("paloma-server") };
  console.log(built.stdout.toString());
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an executable with an empty home and without Bun on PATH, in a folder with a stranger's settings of Bun. */
function alone(program: readonly string[], ...args: readonly string[]) {
  writeFileSync(join(folder, ".env"), "PALOMA_LANG=xx\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./none.ts"]\n');
  return run(folder, program, args);
}

function run(cwd: string, program: readonly string[], args: readonly string[]) {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...program, ...args], {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: folder, NO_COLOR: "1" },
  });
  return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("the demonstration needs nothing but the two executables", () => {
  const { code, stdout, stderr } = alone(executables.client, "demo", "--lang", "en");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Who could read what");
});

test("help and completions are those of the source, and the version names the commit", () => {
  for (const [name, ...args] of [
    ["client", "--help", "--lang=en"],
    ["server", "--help", "--lang=es"],
    ["client", "completion", "bash"],
  ] as const) {
    const ofSource = run(ROOT, THIS_SOURCE[name], args);
    expect(ofSource).toMatchObject({ code: 0, stderr: "" });
    expect(alone(executables[name], ...args)).toEqual(ofSource);
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const named = new RegExp(`^paloma(-server)? ${version}( \\([0-9a-f]{12}(-dirty)?\\))?\\n$`);
  expect(alone(executables.client, "--version").stdout).toMatch(named);
  expect(alone(executables.server, "--version").stdout).toMatch(named);
});

test("a server and a chat of executables, one of them with a client of the source", async () => {
  const server = await startServer(executables, folder);
  const ana = new Someone("ana", executables, folder, server.tlsPort);
  const benito = new Someone("benito", THIS_SOURCE, folder, server.tlsPort);
  for (const each of [ana, benito]) expect(await each.run("register")).toMatchObject({ code: 0 });
  const listening = await benito.listen();
  expect(await ana.run("send", "benito", "hola")).toMatchObject({ code: 0 });
  await listening.event({ event: "message", from: "ana", text: "hola" });
  await listening.stop();
  await server.end();
});

test("the checksums are those of the executables", () => {
  const sums = readFileSync(join(folder, "dist/SHA256SUMS"), "utf8").trim().split("\n");
  expect(sums).toHaveLength(2);
  for (const line of sums) {
    const [sum, file = ""] = line.split(/\s+/);
    const bytes = readFileSync(join(folder, "dist", file));
    expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sum ?? "");
  }
});
