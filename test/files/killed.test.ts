/** A receiving process is killed again and again; what it has received in the end is what was sent, once. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { seededRandom, testSeed } from "../seeded-random.ts";
import { noise, withScene } from "../client/file/scene.ts";

const PROGRAM = join(import.meta.dir, "receiving-process.ts");
const LEAF = 256 * 1024;
const LEAVES = 6;
const SIZE = (LEAVES - 1) * LEAF + 1_000;

function makeSource(path: string, kind: "file" | "folder"): void {
  if (kind === "file") return writeFileSync(path, noise(SIZE));
  const bytes = noise(SIZE);
  for (let offset = 0, index = 0; offset < SIZE; index++) {
    const folder = join(path, `${index % 7}`, "in");
    mkdirSync(folder, { recursive: true });
    // Some are larger than a leaf, some are empty.
    const length = index % 50 === 20 ? 2 * LEAF : (index * 317) % 5_000;
    writeFileSync(join(folder, `${index}`), bytes.subarray(offset, offset + length));
    offset += length;
  }
}

function contentsOf(path: string): unknown {
  if (statSync(path).isFile()) return readFileSync(path, "latin1");
  const paths = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  return paths.map((inside) => {
    const file = join(path, inside);
    return statSync(file).isFile() ? [inside, readFileSync(file, "latin1")] : inside;
  });
}

test.each(["file", "folder"] as const)("a %s is the same after kills at any moment", (kind) =>
  withScene(async ({ folder, parent }) => {
    const random = seededRandom(testSeed());
    const sent = join(parent, "sent");
    makeSource(sent, kind);
    const run = async (leaf: number, turns: number) => {
      const args = [sent, folder, join(parent, "notes"), `${leaf}`, `${turns}`];
      const child = Bun.spawn(["bun", PROGRAM, ...args], { stdout: "pipe" });
      const lines = (await child.stdout.text()).trim().split("\n");
      return { lines, code: await child.exited };
    };
    const written: string[] = [];
    const leaves = [0, random.integer(LEAVES), LEAVES - 1];
    // The listing makes the folder's stream longer.
    for (const leaf of [...leaves, ...Array(3).fill(LEAVES)]) {
      const { lines, code } = await run(leaf, random.integer(leaf < LEAVES ? 4 : 600));
      if (code === 0) expect(lines.at(-1)).toBe(join(folder, "received"));
      written.push(...lines.filter((line) => line.startsWith("written")));
    }
    const { lines, code } = await run(100, 0);
    expect([code, lines]).toEqual([0, [join(folder, "received")]]);
    expect(readdirSync(folder)).toEqual(["received"]);
    expect(contentsOf(join(folder, "received"))).toEqual(contentsOf(sent));
    // What was written before a kill is not written again, but for the leaf that it came in.
    expect(written.length).toBeLessThanOrEqual(LEAVES + 1 + leaves.length);
  }),
);
