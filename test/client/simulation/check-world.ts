import { simulate } from "./world.ts";

/** Lines printed of the history of a failing world. */
const HISTORY = 400;

/** Runs the world of a seed. @throws Error with the history of the fault, and how to run that world again */
export async function checkWorld(seed: number): Promise<void> {
  const { fault } = await simulate(seed);
  if (fault === undefined) return;
  const { history } = await simulate(seed, true);
  throw new Error(
    [
      `seed ${seed}: ${fault.message}`,
      ...history.slice(-HISTORY),
      `Alone: PALOMA_SIMULATION_SEED=${seed} bun test test/client/simulation.test.ts`,
    ].join("\n"),
    { cause: fault },
  );
}
