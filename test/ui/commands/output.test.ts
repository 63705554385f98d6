import { expect, test } from "bun:test";
import { join } from "node:path";

import { seededRandom, testSeed } from "../../seeded-random.ts";
import { jsonLine } from "../../../src/ui/commands/output.ts";

test("a JSON line is one line that no terminal obeys, and reads back as it was", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const odd = [
    0x1b, 0x9b, 0x0a, 0x0d, 0x7f, 0x85, 0xad, 0x200b, 0x200d, 0x202e, 0x2028, 0x2066, 0xfeff, 0xe0041,
  ];
  for (let round = 0; round < 500; round++) {
    const points = Array.from({ length: random.integer(12) }, () =>
      random.integer(2) === 0 ? random.pick(odd) : random.integer(0xd800),
    );
    const text = String.fromCodePoint(...points);
    const line = jsonLine({ event: "message", text });
    try {
      expect(JSON.parse(line)).toEqual({ event: "message", text });
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(line).toEndWith("}\n");
    } catch (error) {
      console.error(`PALOMA_TEST_SEED=${seed}`);
      throw error;
    }
  }
});

test("what was written reaches a slow reader whole before the process ends", async () => {
  const module = JSON.stringify(join(import.meta.dir, "../../../src/ui/commands/output.ts"));
  const program = `
    import { Output } from ${module};
    const output = new Output(false);
    for (let line = 0; line < 20_000; line++) output.event({ event: "user" }, "line " + line);
    await output.flushed();
    process.exit();`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  // It is read only after the pipe must have filled up: the child waits, or has lost the rest.
  const text = await new Response(child.stdout).text();
  expect(text.split("\n")).toHaveLength(20_001);
  expect(await child.exited).toBe(0);
});
