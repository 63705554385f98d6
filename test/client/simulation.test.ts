/** The conversation's state machines under a simulated network, clock, disk and server: see `simulation/world.ts`. */
import { expect, test } from "bun:test";

import { testSeed } from "../seeded-random.ts";
import { checkWorld } from "./simulation/check-world.ts";
import { checkDisks, isEverythingOut } from "./simulation/verdict.ts";
import { simulate, World } from "./simulation/world.ts";

/** `bun run soak --of worlds` tries more. */
const WORLDS = 50;
/**
 * Worlds in which a fault was found once, and is found again if it is made again; when worlds are drawn otherwise, others
 * take their place:
 * - Of two links, one that was current while the other was doubtful stayed for ever.
 * - Who was accepted while their texts came to the disk was told after it that these are held.
 * - Whoever was invited by somebody of whom they had typed the name otherwise took them for somebody else.
 */
const FOUND_WRONG = [97, 400_247, 814];
/** ms. An idle machine needs three seconds, one on which other tests run too has needed more than 60. */
const PATIENCE = 300_000;
const ALONE = process.env["PALOMA_SIMULATION_SEED"];

test.skipIf(ALONE !== undefined)(
  "nothing is lost, doubled or out of order in many worlds where everything fails",
  async () => {
    const first = testSeed();
    for (const seed of FOUND_WRONG) await checkWorld(seed);
    for (let index = 0; index < WORLDS; index++) await checkWorld((first + index) % 2 ** 32);
  },
  PATIENCE,
);

test.skipIf(ALONE === undefined)(
  "nothing is lost, doubled or out of order in the world of this seed",
  async () => {
    const { fault, history } = await simulate(Number(ALONE), true);
    console.log(history.join("\n"));
    expect(fault).toBeUndefined();
  },
  PATIENCE,
);

test("the world of a seed is always the same", async () => {
  const seed = testSeed();
  const plain = (lines: readonly string[]) =>
    lines.map((line) =>
      line
        .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "id")
        // Nonces and what is made of them.
        .replace(/"[0-9a-f]{64,}|"[0-9]{6}"/g, "random"),
    );
  expect(plain((await simulate(seed, true)).history)).toEqual(plain((await simulate(seed, true)).history));
});

test("a full disk is reported on both sides, acknowledges nothing, and loses nothing once there is room", async () => {
  const seed = testSeed();
  const world = new World(seed, true);
  const [ana, berta] = world.people;
  try {
    world.passSecond();
    for (const person of world.people) person.start(world.otherOf(person));
    world.queue.after(0, () => berta.decide("accept"));
    await world.runUntil(10_000);
    // A new file has a few free pages, into which these texts do not fit.
    berta.disk.fill();
    world.queue.after(0, () => ana.say([15_000, 15_000]));
    await world.runUntil(60_000);
    expect(berta.program?.observer.faults).toContain("SQLITE_FULL");
    expect(ana.program?.observer.faults).toContain("storage_failed");
    expect(ana.disk.rows(true).map(({ state }) => state)).toEqual([1, 1]);
    expect(berta.disk.rows(false)).toEqual([]);
    berta.disk.free();
    await world.runUntil(200_000);
    expect(isEverythingOut(ana)).toBe(true);
    checkDisks(ana, berta, world.fail);
  } catch (error) {
    throw new Error(`seed ${seed}\n${world.history.join("\n")}`, { cause: error });
  } finally {
    world.close();
  }
});
