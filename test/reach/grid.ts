/**
 * `bun test/reach/grid.ts [--runs=N] [--loss=SHARE] [PAIR…]`: by which way and how quickly people in networks of two kinds
 * reach each other, over distances (`cell.ts`). Without pairs all of them, whose table is then written into
 * `src/client/reach/README.md`. Needs what `test:reach` needs, Python 3 and TAP devices.
 */
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { join } from "node:path";

import { inLab, whyNoLab, whyNoUpnp } from "./in-lab.ts";
import type { Kind } from "./lab.ts";

const KINDS: readonly Kind[] = ["open", "fw", "cone", "rst", "dbl", "sym", "upnp"];
const README = join(import.meta.dir, "../../src/client/reach/README.md");
/** The table is between them. */
const [BEGIN, END] = ["<!-- grid -->", "<!-- /grid -->"];

type Run = { readonly way: string; readonly ms: number | null };

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "5" }, loss: { type: "string", default: "0" } },
  allowPositionals: true,
});
const reason = whyNoLab() ?? whyNoUpnp();
if (reason !== undefined) throw new Error(reason);

/** In the table, whose columns are narrow. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ["direct", "D"],
  ["mapped", "M"],
  ["reversed", "R"],
  ["punched", "P"],
  ["relayed", "S"],
]);

/** The ways that were taken, and the median. */
function summary(runs: readonly Run[]): string {
  const times = runs.map(({ ms }) => ms ?? Infinity).sort((one, other) => one - other);
  const median = times[Math.floor(times.length / 2)];
  const ways = [...new Set(runs.map(({ way }) => LETTERS.get(way) ?? way))];
  if (median === undefined || median === Infinity) return "none";
  return `${ways.join("/")} ${median}`;
}

async function measure(pair: string): Promise<string> {
  const cell = inLab("cell.ts", ...pair.split(":"), values.runs, values.loss);
  const { stdout } = Bun.spawn(cell, { stdout: "pipe" });
  const said = await stdout.text();
  const runs = said === "" ? [] : (JSON.parse(said) as Run[]);
  console.log(pair.padEnd(12), summary(runs).padEnd(20), runs.map(({ ms }) => ms).join(" "));
  return summary(runs);
}

const all = KINDS.flatMap((one) => KINDS.map((other) => `${one}:${other}`));
const waiting = (positionals.length > 0 ? positionals : all).values();
const measured = new Map<string, string>();
// Most of the time of each is a pause.
const atOnce = [1, 2].map(async () => {
  for (const pair of waiting) measured.set(pair, await measure(pair));
});
await Promise.all(atOnce);
if (positionals.length > 0) process.exit(0);
const rows = KINDS.map((one) => {
  const cells = KINDS.map((other) => measured.get(`${one}:${other}`));
  return `| **${one}** | ${cells.join(" | ")} |`;
});
const load = loadavg().at(-1)?.toFixed(1);
const place = `${values.runs} runs a cell, on ${availableParallelism()} cores with a load of ${load}.`;
const head = `| from ↓ to → | ${KINDS.join(" | ")} |\n| --- | ${KINDS.map(() => "---").join(" | ")} |`;
const text = await Bun.file(README).text();
const [before] = text.split(BEGIN);
const after = text.split(END).at(-1);
await Bun.write(README, `${before}${BEGIN}\n\n${[head, ...rows].join("\n")}\n\n${place}\n\n${END}${after}`);
Bun.spawnSync([process.execPath, "fmt", README]);
