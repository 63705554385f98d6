/** A run of the fuzz: its options, its figures, and a failure with the command that repeats it. */
import { FuzzFailure, mustHold } from "./fuzz-failure.ts";

export type FuzzName =
  "rendezvous" | "meeting" | "peer" | "groups" | "client" | "screen" | "keys" | "arguments";

export type FuzzOptions = {
  readonly seed: number;
  /** The first step; 0 by default. */
  readonly from?: number;
  /** How many steps; Infinity: until `isOver`. */
  readonly steps: number;
  readonly isOver?: () => boolean;
  /** How long one answer may take, in ms. */
  readonly deadline?: number;
};

export type FuzzFigures = {
  steps: number;
  /** How many writes. */
  writes: number;
  bytes: number;
  /** How many answers or stored messages of each kind. */
  readonly seen: Map<string, number>;
};

/** A failure in one step. */
export class FuzzStepFailure extends Error {
  readonly seed: number;
  readonly step: number;

  constructor(kind: FuzzName, options: FuzzOptions, step: number, cause: unknown) {
    const { seed, from = 0 } = options;
    const what = cause instanceof FuzzFailure ? cause.message : cause;
    const range = `${from === 0 ? "" : `--from ${from} `}--steps ${step + 1 - from}`;
    const replay = `bun run fuzz --kind ${kind} --seed ${seed} ${range}`;
    super(`${kind}, seed ${seed}, step ${step}: ${String(what)}\n  again: ${replay}`, { cause });
    this.seed = seed;
    this.step = step;
  }
}

/** How much memory may grow after the first steps, in bytes. */
const MEMORY_GROWTH = 400 * 1024 * 1024;
const WARM_STEPS = 200;

/** The fuzz of one kind. */
export type Fuzz = {
  begin(): Promise<void>;
  step(step: number): Promise<void>;
  /** Checks what holds at the end. May be called twice. */
  end(): Promise<void>;
  /** Bytes. */
  memory(): number;
};

/** Runs step after step. @throws FuzzStepFailure */
export async function runSteps(kind: FuzzName, options: FuzzOptions, work: Fuzz): Promise<number> {
  const { from = 0, steps, isOver = () => false } = options;
  let uncaught: unknown;
  const fault = (error: unknown) => (uncaught ??= error);
  process.on("uncaughtException", fault);
  process.on("unhandledRejection", fault);
  let step = from;
  let baseline = Infinity;
  try {
    await work.begin();
    for (; step < from + steps && !isOver(); step++) {
      await work.step(step);
      if (uncaught !== undefined) throw uncaught;
      if (step - from === WARM_STEPS) baseline = work.memory();
      if (step % 50 === 0) {
        const memory = work.memory();
        mustHold(memory < baseline + MEMORY_GROWTH, "memory grows", { baseline, memory });
      }
    }
    await work.end();
  } catch (error) {
    const failure = new FuzzStepFailure(kind, options, step, uncaught ?? error);
    // The log, which says why a server has ended, is read at the end.
    await work.end().catch((second: unknown) => (failure.message += `\n  and: ${String(second)}`));
    throw failure;
  } finally {
    process.off("uncaughtException", fault);
    process.off("unhandledRejection", fault);
  }
  return step - from;
}

export function count(seen: Map<string, number>, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}
