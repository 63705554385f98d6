import { expect, test } from "bun:test";

import { testSeed } from "../seeded-random.ts";
import { torture } from "./torture/torture.ts";

const MESSAGES = 600;
/** Known to take in every kind of disruption; `PALOMA_TEST_SEED` gives another. */
const DEFAULT_SEED = 20_261_135;
/** In ms, also on a busy machine; beyond it the run says what it hangs on. */
const LONGEST = 240_000;
const TIMEOUT = LONGEST + 30_000;

test(
  "every message is there once and in order on both disks, whoever is killed and whatever line is cut",
  async () => {
    const seed = process.env["PALOMA_TEST_SEED"] === undefined ? DEFAULT_SEED : testSeed();
    const figures = await torture({ seed, messages: MESSAGES, longest: LONGEST });
    // A run in which nothing was disturbed would show nothing.
    const { kills, failpoints, cuts } = figures;
    const disturbed = [kills.a + kills.b, kills.server, cuts, Math.max(...Object.values(failpoints))];
    expect(disturbed.filter((count) => count === 0)).toEqual([]);
  },
  TIMEOUT,
);
