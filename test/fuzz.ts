/**
 * `bun run fuzz --minutes N [--seed N] [--kind rendezvous|meeting|peer|groups|client|screen|keys|arguments]`: the fuzz for any time,
 * of all kinds unless one is named. Each round has its own seed, which also chooses the rendezvous target: a server in this process, the program, or a server with tight limits.
 * A failure is printed with the command that repeats it: `--kind K --seed N [--from N] --steps N`.
 */
import { parseArgs } from "node:util";

import { FuzzStepFailure, type FuzzFigures, type FuzzOptions, type FuzzName } from "./fuzz/fuzz-run.ts";
import { targetHere, targetOfProcess, TIGHT } from "./fuzz/fuzz-target.ts";
import { fuzzGroups } from "./fuzz/groups-fuzz.ts";
import { fuzzMeeting } from "./fuzz/meeting-fuzz.ts";
import { fuzzPeer } from "./fuzz/peer-fuzz.ts";
import { fuzzRendezvous } from "./fuzz/rendezvous-fuzz.ts";
import { fuzzArguments } from "./fuzz/arguments-fuzz.ts";
import { fuzzClient } from "./fuzz/client-fuzz.ts";
import { fuzzKeys } from "./fuzz/keys-fuzz.ts";
import { fuzzScreen } from "./fuzz/screen-fuzz.ts";
import { testSeed } from "./seeded-random.ts";

/** Steps of one round of each kind; each round takes a minute or two. */
const ROUNDS: { readonly [K in FuzzName]: number } = {
  rendezvous: 1_500,
  meeting: 1_500,
  peer: 1_500,
  groups: 1_500,
  client: 1_500,
  screen: 1_500,
  keys: 150,
  arguments: 150,
};
/** How many steps before the failing one are tried, to repeat it faster. */
const SHORTER = [0, 1, 3, 10, 30, 100, 300] as const;

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    kind: { type: "string" },
    from: { type: "string" },
    steps: { type: "string" },
  },
});

function number(name: "minutes" | "seed" | "from" | "steps", most: number): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  const isGood = value >= 0 && value <= most && (name === "minutes" || Number.isInteger(value));
  if (!isGood) throw new RangeError(`--${name}: a number from 0 to ${most}`);
  return value;
}

const minutes = number("minutes", 100_000) ?? 1;
const steps = number("steps", 1e9);
const from = number("from", 1e9) ?? 0;
const firstSeed = number("seed", 2 ** 32 - 1) ?? testSeed();
const KINDS = Object.keys(ROUNDS) as readonly FuzzName[];
const kinds = values.kind === undefined ? KINDS : KINDS.filter((kind) => kind === values.kind);
if (kinds.length === 0) throw new RangeError(`--kind: ${KINDS.join(", ")}`);

const FUZZES: { readonly [K in FuzzName]: (options: FuzzOptions) => Promise<FuzzFigures> } = {
  rendezvous: (options) => {
    const targets = [targetHere, targetOfProcess, (names: readonly string[]) => targetHere(names, TIGHT)];
    return fuzzRendezvous(options, targets[options.seed % targets.length] ?? targetHere);
  },
  meeting: fuzzMeeting,
  peer: fuzzPeer,
  groups: fuzzGroups,
  client: fuzzClient,
  screen: fuzzScreen,
  keys: fuzzKeys,
  arguments: fuzzArguments,
};

/** The shortest of these runs that fails, too. */
async function shortest(name: FuzzName, failure: FuzzStepFailure): Promise<FuzzStepFailure> {
  for (const before of SHORTER) {
    const start = failure.step - before;
    if (start <= from) return failure;
    try {
      await FUZZES[name]({ seed: failure.seed, from: start, steps: before + 1 });
    } catch (error) {
      if (error instanceof FuzzStepFailure) return error;
      throw error;
    }
  }
  return failure;
}

const end = performance.now() + minutes * 60_000;
const isOver = () => steps === undefined && performance.now() >= end;
let failed = false;
console.log(`seed ${firstSeed}`);
rounds: for (let round = 0; !isOver(); round++) {
  for (const name of kinds) {
    const seed = (firstSeed + round) % 2 ** 32;
    const begun = performance.now();
    try {
      const figures = await FUZZES[name]({ seed, from, steps: steps ?? ROUNDS[name], isOver });
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
      const { seen, ...rest } = figures;
      const kinds = [...seen].sort((a, b) => b[1] - a[1]).map(([kind, times]) => `${kind.trim()} ${times}`);
      console.log(JSON.stringify({ kind: name, seed, seconds: Number(seconds), ...rest }));
      console.log(`  ${kinds.join(", ")}`);
    } catch (error) {
      if (!(error instanceof FuzzStepFailure)) throw error;
      failed = true;
      console.error(error.message);
      const shorter = await shortest(name, error);
      if (shorter !== error) console.error(`shorter:\n${shorter.message}`);
      break rounds;
    }
  }
  if (steps !== undefined) break;
}
process.exit(failed ? 1 : 0);
