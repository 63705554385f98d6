import { test } from "bun:test";

import { checkSyncWorld } from "./sync-world.ts";

/** Always the same worlds; `bun run soak --of groups` draws others. */
const FIRST = 1_000;
const WORLDS = 200;
const ALONE = process.env["PALOMA_SYNC_SEED"];

test("what is written reaches all who can meet, once, in order and nobody else, in hundreds of worlds", () => {
  if (ALONE !== undefined) checkSyncWorld(Number(ALONE));
  else for (let world = 0; world < WORLDS; world++) checkSyncWorld(FIRST + world);
});
