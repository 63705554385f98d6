import { test } from "bun:test";

import { testSeed } from "../../../seeded-random.ts";
import { checkMembershipWorld } from "./membership-world.ts";

/** `bun run soak --of memberships` tries more. */
const WORLDS = 200;

test("everybody sees the same members, whatever was written and in whatever order it arrived", () => {
  const first = testSeed();
  for (let world = 0; world < WORLDS; world++) checkMembershipWorld((first + world) % 2 ** 32);
});
