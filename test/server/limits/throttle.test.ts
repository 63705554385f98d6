import { describe, expect, test } from "bun:test";

import { DEFAULT_LIMITS, NO_LIMIT, type Limits } from "../../../src/server/limits/limits.ts";
import { Throttle, type AttemptVerdict, type PasswordAttempt } from "../../../src/server/limits/throttle.ts";
import { seededRandom } from "../../seeded-random.ts";

const HERE = "192.0.2.1";
const THERE = "198.51.100.7";
const DAY = 24 * 3_600_000;

function throttled(limits: Partial<Limits> = {}) {
  const clock = { now: 5_000 };
  const limited: string[] = [];
  const throttle = new Throttle({ ...DEFAULT_LIMITS, ...limits }, () => clock.now, {
    random: seededRandom(1).next,
    onLimited: (what, network) => limited.push(`${what} ${network}`),
  });
  return { clock, limited, throttle };
}

function attemptOf(verdict: AttemptVerdict): PasswordAttempt {
  if (verdict.name !== "passes") throw new Error(`limited for ${verdict.retryAfter} s`);
  return verdict.attempt;
}

/** Wrong passwords until one is limited; at most `most`. */
function failUntilLimited(throttle: Throttle, fold: string, address: string, most = 10_000): number {
  for (let count = 0; count < most; count++) {
    if (throttle.password(fold, address).name === "limited") return count;
  }
  return most;
}

describe("connections, registrations and lookups", () => {
  test("a classroom behind one address: 100 at once and 30 a second pass, for an hour", () => {
    const { clock, throttle } = throttled();
    for (let count = 0; count < 100; count++) {
      expect(throttle.connection(HERE).name).toBe("passes");
      expect(throttle.registration(HERE).name).toBe("passes");
      // Everybody mistypes ten times.
      for (let typo = 0; typo < 10; typo++) attemptOf(throttle.password(`alumno${count}`, HERE));
      attemptOf(throttle.password(`alumno${count}`, HERE)).succeeded();
    }
    for (let second = 0; second < 3_600; second++) {
      clock.now += 1_000;
      for (let count = 0; count < 30; count++) expect(throttle.connection(HERE).name).toBe("passes");
    }
  });

  test("who comes too fast is told when to come again, and then passes; others notice nothing", () => {
    const { clock, limited, throttle } = throttled({ connectionRate: { burst: 2, perSecond: 0.25 } });
    const three = [1, 2, 3].map(() => throttle.connection(HERE));
    expect(three.map(({ name }) => name)).toEqual(["passes", "passes", "limited"]);
    expect(three[2]).toEqual({ name: "limited", retryAfter: 4 });
    expect(throttle.connection(THERE).name).toBe("passes");
    clock.now += 4_000;
    expect(throttle.connection(HERE).name).toBe("passes");
    expect(limited).toEqual([`connection ${HERE}`]);
  });

  test("all addresses of an IPv6 /64 are one", () => {
    const { throttle } = throttled({ registrationRate: { burst: 2, perSecond: 1 / 60 } });
    const of = (address: string) => throttle.registration(address).name;
    expect([of("2001:db8::1"), of("2001:db8::ffff:2"), of("2001:db8::3")]).toEqual([
      "passes",
      "passes",
      "limited",
    ]);
    expect(of("2001:db8:0:1::1")).toBe("passes");
  });

  test("being limited says nothing of whether a name is taken, and asking for names has an end", () => {
    const limits = {
      registrationRate: { burst: 5, perSecond: 0.1 },
      failureRatePerAddress: { burst: 3, perSecond: 0.1 },
    };
    const { throttle } = throttled(limits);
    for (let count = 0; count < 3; count++) expect(throttle.registration(HERE, true).name).toBe("passes");
    expect(throttle.registration(HERE, true)).toEqual(throttle.registration(HERE, false));
    expect(throttle.registration(HERE, false).name).toBe("limited");
  });

  test("a lookup counts for the user and for his address, and what asks for more takes more", () => {
    const { throttle } = throttled({
      lookupRate: { burst: 10, perSecond: 1 },
      lookupRatePerAddress: { burst: 25, perSecond: 1 },
    });
    expect(throttle.lookup(1, HERE, 10).name).toBe("passes");
    expect(throttle.lookup(1, HERE, 1).name).toBe("limited");
    expect(throttle.lookup(2, HERE, 10).name).toBe("passes");
    // What is limited takes from neither.
    expect(throttle.lookup(3, HERE, 6)).toEqual({ name: "limited", retryAfter: 1 });
    expect(throttle.lookup(3, THERE, 10).name).toBe("passes");
    expect(throttle.lookup(4, HERE, 5).name).toBe("passes");
  });
});

describe("passwords", () => {
  test("ten failures in a row, then the right one: at once", () => {
    const { throttle } = throttled();
    for (let count = 0; count < 10; count++) attemptOf(throttle.password("ana", HERE));
    attemptOf(throttle.password("ana", HERE)).succeeded();
  });

  test("whoever guesses on is slowed to one in ten seconds, and a right password costs nothing of that", () => {
    const { clock, throttle } = throttled();
    for (let count = 0; count < 100; count++) attemptOf(throttle.password("ana", HERE)).succeeded();
    const { burst } = DEFAULT_LIMITS.failureRate;
    expect(failUntilLimited(throttle, "ana", HERE)).toBe(burst);
    expect(throttle.password("ana", HERE)).toEqual({ name: "limited", retryAfter: 10 });
    clock.now += 10_000;
    expect(failUntilLimited(throttle, "ana", HERE)).toBe(1);
  });

  test("attempts at once count at once; what was never compared gives everything back, once", () => {
    const { throttle } = throttled({
      failureRate: { burst: 3, perSecond: 0.1 },
      loginRate: { burst: 4, perSecond: 0.1 },
    });
    const attempts = [1, 2, 3].map(() => attemptOf(throttle.password("ana", HERE)));
    expect(throttle.password("ana", HERE).name).toBe("limited");
    for (const attempt of attempts) {
      attempt.abandoned();
      attempt.abandoned();
      attempt.succeeded();
    }
    for (let count = 0; count < 3; count++) attemptOf(throttle.password("ana", HERE));
    expect(throttle.password("ana", HERE).name).toBe("limited");
  });

  test("every password costs its address a hash, right or wrong", () => {
    const { throttle } = throttled({ loginRate: { burst: 5, perSecond: 1 } });
    for (let count = 0; count < 5; count++) attemptOf(throttle.password(`user${count}`, HERE)).succeeded();
    expect(throttle.password("user9", HERE)).toEqual({ name: "limited", retryAfter: 1 });
    expect(throttle.password("user9", THERE).name).toBe("passes");
  });

  test("a stranger with a thousand addresses does not lock out the owner, from an address old or new", () => {
    const { clock, throttle } = throttled();
    attemptOf(throttle.password("ana", HERE)).succeeded();
    let guesses = 0;
    const begun = clock.now;
    for (let minute = 0; minute < 60; minute++) {
      clock.now += 60_000;
      for (let address = 0; address < 1_000; address++) {
        guesses += failUntilLimited(throttle, "ana", `2001:db8:0:${address.toString(16)}::1`);
      }
      // The owner mistypes twice, each time, and is in at once.
      for (let typo = 0; typo < 2; typo++) attemptOf(throttle.password("ana", HERE));
      attemptOf(throttle.password("ana", HERE)).succeeded();
    }
    for (let typo = 0; typo < 10; typo++) attemptOf(throttle.password("ana", THERE));
    attemptOf(throttle.password("ana", THERE)).succeeded();
    // All addresses together: what each has free, and the account's own slow rate.
    const { failureRate, failureRatePerAccount } = DEFAULT_LIMITS;
    const slow =
      failureRatePerAccount.burst + ((clock.now - begun) / 1_000) * failureRatePerAccount.perSecond;
    const free = 1_000 * (failureRate.burst + 1);
    expect(guesses).toBeLessThanOrEqual(free + slow);
    expect(guesses).toBeGreaterThan(free * 0.9);
  });

  test("patience does not make the free guesses of an address many: they are a day's", () => {
    const { clock, throttle } = throttled({ failureRatePerAccount: { burst: 1, perSecond: 1 / DAY } });
    const { burst } = DEFAULT_LIMITS.failureRate;
    let guesses = 0;
    for (let hour = 0; hour < 23; hour++) {
      guesses += failUntilLimited(throttle, "ana", HERE);
      clock.now += 3_600_000;
    }
    expect(guesses).toBeLessThanOrEqual(2 * burst + 1);
  });

  test("somebody at the same address who guesses at others does not lock out who was in from there", () => {
    const { throttle } = throttled({ loginRate: NO_LIMIT });
    attemptOf(throttle.password("ana", HERE)).succeeded();
    let guessed = 0;
    for (let name = 0; name < 200; name++) guessed += failUntilLimited(throttle, `name${name}`, HERE);
    expect(guessed).toBe(DEFAULT_LIMITS.failureRatePerAddress.burst);
    expect(throttle.password("beto", HERE).name).toBe("limited");
    attemptOf(throttle.password("ana", HERE)).succeeded();
    // A token that is wrong costs the address the same.
    expect(throttle.failedResume(HERE).name).toBe("limited");
    expect(throttle.failedResume(THERE).name).toBe("passes");
  });

  test("with one account of his own an attacker cannot have another's familiar address forgotten", () => {
    const { throttle } = throttled({ failureRatePerAddress: { burst: 2, perSecond: 0.001 } });
    attemptOf(throttle.password("ana", HERE)).succeeded();
    for (let count = 0; count < 60_000; count++) {
      const address = `2001:db8:${(count >> 8).toString(16)}:${(count & 0xff).toString(16)}::1`;
      attemptOf(throttle.password("mallory", address)).succeeded();
    }
    for (let count = 0; count < 5; count++) attemptOf(throttle.password("ana", HERE));
  });

  test("a name as long as a message, and one that every object has, are names like others", () => {
    const { throttle } = throttled();
    for (const name of ["x".repeat(60_000), "__proto__", "constructor", ""]) {
      expect(failUntilLimited(throttle, name, HERE)).toBe(DEFAULT_LIMITS.failureRate.burst);
    }
    expect(throttle.password(`${"x".repeat(60_000)}y`, HERE).name).toBe("passes");
  });
});
