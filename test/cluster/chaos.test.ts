import { describe, test } from "bun:test";

import { testSeed } from "../seeded-random.ts";
import { checkCluster } from "./chaos.ts";
import { skipped, whyNoRedis } from "./engines.ts";

const reason = whyNoRedis();

describe.skipIf(reason !== undefined)(`three nodes and a Valkey${skipped(reason)}`, () => {
  // For longer: `bun run soak --of cluster`.
  test("know the same of everybody, and nobody twice, whatever has happened to them", () =>
    checkCluster(testSeed()));
});
