/**
 * `bun run torture --messages N --seed N [--power] [--keep]`: the torture run, as long as one likes, and its figures. `--power`: the power
 * is cut, too; takes strace. `bun run torture --groups --seconds N --seed N [--keep]`: five people in a group.
 */
import { parseArgs } from "node:util";

import { tortureGroup } from "./integration/torture/group-torture.ts";
import { torture } from "./integration/torture/torture.ts";
import { testSeed } from "./seeded-random.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string" },
    seed: { type: "string" },
    power: { type: "boolean" },
    keep: { type: "boolean" },
    groups: { type: "boolean" },
    seconds: { type: "string" },
  },
});
const messages = Number(values.messages ?? 2_000);
const seed = values.seed === undefined ? testSeed() : Number(values.seed);
if (!Number.isInteger(messages) || messages < 2) throw new RangeError("--messages: an integer of at least 2");
if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw new RangeError("--seed: a 32-bit integer");

const seconds = Number(values.seconds ?? 60);
if (!Number.isInteger(seconds) || seconds < 1) throw new RangeError("--seconds: an integer of at least 1");

const interrupt = new AbortController();
process.on("SIGINT", () => interrupt.abort());
process.on("SIGTERM", () => interrupt.abort());
console.log(`seed ${seed}, ${values.groups === true ? `${seconds} s` : `${messages} messages`}`);
try {
  const keep = values.keep === true;
  const cutsPower = values.power === true;
  const { signal } = interrupt;
  const figures =
    values.groups === true
      ? await tortureGroup({ seed, seconds, keep, signal, progress: console.log })
      : await torture({ seed, messages, cutsPower, keep, signal, progress: console.log });
  console.log(JSON.stringify(figures, undefined, 2));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
