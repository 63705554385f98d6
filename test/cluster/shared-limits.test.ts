import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { Attempts } from "../../src/server/limits/attempts.ts";
import { DEFAULT_LIMITS } from "../../src/server/limits/limits.ts";
import { Throttle } from "../../src/server/limits/throttle.ts";
import { Valkey } from "../../src/server/shared/valkey.ts";
import { ValkeyBuckets } from "../../src/server/shared/valkey-buckets.ts";
import { skipped, startRedis, whyNoRedis } from "./engines.ts";

const reason = whyNoRedis();
const HERE = "192.0.2.1";
const LIMITS = {
  ...DEFAULT_LIMITS,
  failureRate: { burst: 3, perSecond: 0.01 },
  failureRatePerAddress: { burst: 4, perSecond: 0.01 },
  failureRatePerAccount: { burst: 4, perSecond: 0.01 },
  registrationRate: { burst: 2, perSecond: 0.01 },
};

describe.skipIf(reason !== undefined)(`limits of several servers together${skipped(reason)}`, () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  const opened: Valkey[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const valkey of opened) valkey.close();
    await redis.remove();
  });

  /** The limits of one more server. */
  const server = (): Attempts => {
    const valkey = new Valkey(redis.url, 2_000);
    opened.push(valkey);
    return new Attempts(new Throttle(LIMITS, () => 0), new ValkeyBuckets(valkey));
  };
  /** How many of so many wrong passwords are compared, by turns at these servers. */
  const compared = async (servers: readonly Attempts[], fold: string, address: (index: number) => string) => {
    let count = 0;
    for (let index = 0; index < 12; index++) {
      const verdict = await (servers[index % servers.length] as Attempts).password(fold, address(index));
      if (verdict.name === "passes") count++;
    }
    return count;
  };

  test("wrong passwords of one address for one account count at all servers together", async () => {
    expect(await compared([server(), server(), server()], "pair", () => HERE)).toBe(3);
  });

  test("so do those of many addresses for one account, of which each site has some free ones", async () => {
    // Of 12 sites each passes its free ones: nobody is locked out by what others did elsewhere.
    const addresses = (index: number) => `198.51.${index}.1`;
    expect(await compared([server(), server()], "account", addresses)).toBe(12);
    // Of one site three are free, and four more are the account's.
    const ofSite = (index: number) => `203.0.113.${index}`;
    const alone = await compared([new Attempts(new Throttle(LIMITS, () => 0), undefined)], "alone", ofSite);
    expect(await compared([server(), server(), server()], "site", ofSite)).toBe(alone);
  });

  test("registrations and wrong tokens of one address count together, and those refused cost nothing", async () => {
    const [one, other] = [server(), server()];
    const from = "192.0.2.77";
    for (const attempts of [one, other]) {
      expect(await attempts.registration(from, false)).toEqual({ name: "passes" });
    }
    for (const attempts of [one, other, one]) {
      expect(await attempts.registration(from, false)).toMatchObject({ name: "limited" });
    }
    for (const attempts of [one, other, one, other]) {
      expect(await attempts.failedResume(from)).toEqual({ name: "passes" });
    }
    expect(await one.failedResume(from)).toMatchObject({ name: "limited" });
  });

  test("a right password gives back what it took, and makes the network known at every server", async () => {
    const [one, other] = [server(), server()];
    const from = "192.0.2.99";
    for (let time = 0; time < 6; time++) {
      const verdict = await one.password("owner", from);
      if (verdict.name === "passes") verdict.attempt.succeeded();
      expect(verdict.name).toBe("passes");
    }
    // From a known network only the pair is charged: the address may be used up by others.
    for (let time = 0; time < 4; time++) await other.password(`stranger${time}`, from);
    expect(await other.password("stranger", from)).toMatchObject({ name: "limited" });
    expect(await other.password("owner", from)).toMatchObject({ name: "passes" });
  });

  test("without Valkey the own tables decide", async () => {
    const away = new Valkey("redis://127.0.0.1:1", 2_000);
    opened.push(away);
    const attempts = new Attempts(new Throttle(LIMITS, () => 0), new ValkeyBuckets(away));
    expect(await compared([attempts], "pair", () => HERE)).toBe(3);
  });
});
