/**
 * `bun run torture --messages N --seed N [--power] [--keep]`: the torture run, as long as one likes, and its figures. `--power`: the power
 * is cut, too; takes strace.
 */
import { parseArgs } from "node:util";

import { torture } from "./integration/torture/torture.ts";
import { testSeed } from "./seeded-random.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string" },
    seed: { type: "string" },
    power: { type: "boolean" },
    keep: { type: "boolean" },
  },
});
const messages = Number(values.messages ?? 2_000);
const seed = values.seed === undefined ? testSeed() : Number(values.seed);
if (!Number.isInteger(messages) || messages < 2) throw new RangeError("--messages: an integer of at least 2");
if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw new RangeError("--seed: a 32-bit integer");

const interrupt = new AbortController();
process.on("SIGINT", () => interrupt.abort());
process.on("SIGTERM", () => interrupt.abort());
console.log(`seed ${seed}, ${messages} messages`);
try {
  const keep = values.keep === true;
  const cutsPower = values.power === true;
  const { signal } = interrupt;
  const figures = await torture({ seed, messages, cutsPower, keep, signal, progress: console.log });
  console.log(JSON.stringify(figures, undefined, 2));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
