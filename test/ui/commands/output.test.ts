import { expect, test } from "bun:test";
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
