import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

test("a slow reader receives all output before the process ends", async () => {
  const module = JSON.stringify(join(import.meta.dir, "../../../src/ui/commands/output.ts"));
  const program = `
    import { Output } from ${module};
    const output = new Output(false, process);
    for (let line = 0; line < 20_000; line++) output.event({ event: "user" }, "line " + line);
    await output.flushed();
    process.exit();`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  // Read only after the pipe is full: the child must wait, or it has lost the rest.
  const text = await new Response(child.stdout).text();
  expect(text.split("\n")).toHaveLength(20_001);
  expect(await child.exited).toBe(0);
});

const CLIENT = join(import.meta.dir, "../../../client.ts");

test.skipIf(!existsSync("/dev/full"))(
  "output that is lost is a sentence and exit 1, also of --help and --version",
  async () => {
    for (const [args, sentence] of [
      [["--version"], "No se pudo escribir toda la salida (ENOSPC)"],
      [["--lang", "en", "--help"], "Not all of the output could be written (ENOSPC)"],
      // A failure that is only on standard output for programs.
      [
        ["--json", "--lang", "en", "history", "beto", "--data", "/nowhere"],
        "Not all of the output could be written",
      ],
    ] as const) {
      const child = Bun.spawn([process.execPath, "run", CLIENT, ...args], {
        stdout: Bun.file("/dev/full"),
        stderr: "pipe",
        env: { PATH: process.env["PATH"] ?? "", HOME: "/nowhere" },
      });
      expect(await new Response(child.stderr).text()).toContain(sentence);
      expect(await child.exited).toBe(1);
    }
  },
);

test("a reader that ends early is no failure", async () => {
  const child = Bun.spawn(["sh", "-c", `"$0" run "$1" --help | head -n 1`, process.execPath, CLIENT], {
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toBe("");
  expect((await new Response(child.stdout).text()).split("\n")).toHaveLength(2);
});
