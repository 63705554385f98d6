import { test } from "bun:test";

import { testSeed } from "../../../seeded-random.ts";
import { checkSyncWorld } from "./sync-world.ts";

/** `bun run soak --of groups` tries more. */
const WORLDS = 200;
const ALONE = process.env["PALOMA_SYNC_SEED"];

test("what is written reaches all who can meet, once, in order and nobody else, in hundreds of worlds", () => {
  const first = ALONE === undefined ? testSeed() : Number(ALONE);
  const worlds = ALONE === undefined ? WORLDS : 1;
  for (let world = 0; world < worlds; world++) checkSyncWorld((first + world) % 2 ** 32);
});
