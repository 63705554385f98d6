import { afterAll, beforeAll, describe } from "bun:test";

import { seatsContract } from "../server/presence/seats-contract.ts";
import { skipped, startRedis, whyNoRedis } from "./engines.ts";
import { SeatsNode } from "./seats-node.ts";

const reason = whyNoRedis();
let redis: Awaited<ReturnType<typeof startRedis>>;

describe.skipIf(reason !== undefined)(`seats in Valkey${skipped(reason)}`, () => {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  seatsContract(async () => {
    const node = new SeatsNode(redis.url);
    await node.ready();
    return node;
  });
});
