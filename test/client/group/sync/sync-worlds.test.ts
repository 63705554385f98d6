import { test } from "bun:test";

import { testSeed } from "../../../seeded-random.ts";
import { checkSyncWorld } from "./sync-world.ts";

/** `bun run soak --of groups` tries more. */
const WORLDS = 200;

test("what is written reaches all who can meet, once, in order and nobody else, in hundreds of worlds", () => {
  const first = testSeed();
  for (let world = 0; world < WORLDS; world++) checkSyncWorld((first + world) % 2 ** 32);
});
