import { test } from "bun:test";

import { testSeed } from "../seeded-random.ts";
import { walk } from "./terminal-walk.ts";

/** Keys at each of two screens; `bun run soak --of walk` presses more. */
const STEPS = 200;

test("random keys at two screens neither end the client, block it, nor lose anything", async () => {
  await walk(testSeed(), STEPS);
}, 120_000);
