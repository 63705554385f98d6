import { describe, expect, test } from "bun:test";

import { DEFAULT_LIMITS, NO_LIMIT, type Limits } from "../../../src/server/limits/limits.ts";
import { Throttle, type AttemptVerdict, type PasswordAttempt } from "../../../src/server/limits/throttle.ts";
import { seededRandom } from "../../seeded-random.ts";

const HERE = "192.0.2.1";
const THERE = "198.51.100.7";
const DEVICE = "a".repeat(64);
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

/** Wrong passwords until one is limited; at most so many. */
const MOST = 10_000;
function failUntilLimited(throttle: Throttle, fold: string, address: string, device?: string): number {
  for (let count = 0; count < MOST; count++) {
    if (throttle.password(fold, address, device).name === "limited") return count;
  }
  return MOST;
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

  test("a user asks for 30 meetings a minute, six of them with one person", () => {
    const { clock, throttle } = throttled();
    const passed = (targets: readonly number[]) =>
      targets.filter((target) => throttle.connect(1, target, HERE).name === "passes").length;
    expect(passed(Array<number>(10).fill(2))).toBe(6);
    expect(passed(Array.from({ length: 50 }, (_, index) => 3 + index))).toBe(24);
    expect(throttle.connect(2, 1, HERE).name).toBe("passes");
    clock.now += 60_000;
    expect(passed(Array<number>(10).fill(2))).toBe(6);
  });

  test("a client beyond the connection rate gets a retry time and then passes; others are not affected", () => {
    const { clock, limited, throttle } = throttled({ connectionRate: { burst: 2, perSecond: 0.25 } });
    const three = [1, 2, 3].map(() => throttle.connection(HERE));
    expect(three.map(({ name }) => name)).toEqual(["passes", "passes", "limited"]);
    expect(three[2]).toEqual({ name: "limited", retryAfter: 4 });
    expect(throttle.connection(THERE).name).toBe("passes");
    clock.now += 4_000;
    expect(throttle.connection(HERE).name).toBe("passes");
    expect(limited).toEqual([`connection ${HERE}`]);
  });

  test("all addresses of an IPv6 /64 count as one", () => {
    const { throttle } = throttled({ registrationRate: { burst: 2, perSecond: 1 / 60 } });
    const of = (address: string) => throttle.registration(address).name;
    expect([of("2001:db8::1"), of("2001:db8::ffff:2"), of("2001:db8::3")]).toEqual([
      "passes",
      "passes",
      "limited",
    ]);
    expect(of("2001:db8:0:1::1")).toBe("passes");
  });

  test("being limited does not show whether a name is taken, and asking for names is limited", () => {
    const limits = {
      registrationRate: { burst: 5, perSecond: 0.1 },
      failureRatePerAddress: { burst: 3, perSecond: 0.1 },
    };
    const { throttle } = throttled(limits);
    for (let count = 0; count < 3; count++) expect(throttle.registration(HERE, true).name).toBe("passes");
    expect(throttle.registration(HERE, true)).toEqual(throttle.registration(HERE, false));
    expect(throttle.registration(HERE, false).name).toBe("limited");
  });

  test("requests of one address beyond a burst wait in turn, those of others do not, and none are refused", () => {
    const { clock, limited, throttle } = throttled({ requestRate: { burst: 3, perSecond: 100 } });
    const waits = [1, 2, 3, 4, 5, 6].map(() => throttle.request("2001:db8::1"));
    expect(waits).toEqual([0, 0, 0, 10, 20, 30]);
    expect(throttle.request("2001:db8:0:1::1")).toBe(0);
    expect(limited).toHaveLength(3);
    clock.now += 40;
    expect([throttle.request("2001:db8::2"), throttle.request("2001:db8::1")]).toEqual([0, 10]);
  });

  test("the sessions of an account are limited from all addresses together; one online elsewhere costs like a wrong token", () => {
    const { throttle } = throttled({
      sessionRate: { burst: 5, perSecond: 1 },
      failureRatePerAddress: { burst: 3, perSecond: 0.5 },
    });
    const begin = (userId: number, address: string, isElsewhere = false): string => {
      const verdict = throttle.session(userId, address, isElsewhere);
      if (verdict.name === "passes") verdict.charge();
      return verdict.name;
    };
    const ofMany = Array.from({ length: 6 }, (_, index) => begin(1, `2001:db8:${index}::1`));
    expect(ofMany.join(" ")).toBe("passes passes passes passes passes limited");
    expect(begin(2, HERE)).toBe("passes");
    for (let count = 0; count < 3; count++) expect(begin(3, HERE, true)).toBe("passes");
    expect(throttle.session(3, HERE, true)).toEqual({ name: "limited", retryAfter: 2 });
    expect(throttle.failedResume(HERE).name).toBe("limited");
    expect(begin(3, HERE)).toBe("passes");
  });

  test("a session that did not begin costs nothing", () => {
    const { throttle } = throttled({ sessionRate: { burst: 1, perSecond: 1 } });
    for (let retry = 0; retry < 10; retry++) expect(throttle.session(1, HERE).name).toBe("passes");
  });

  test("registrations are limited from all addresses together; an address beyond its own rate uses up none of it", () => {
    const { throttle } = throttled({
      registrationRate: { burst: 2, perSecond: 0.1 },
      registrationRateTotal: { burst: 5, perSecond: 0.5 },
    });
    const ofOne = Array.from({ length: 20 }, () => throttle.registration(HERE).name);
    expect(ofOne.filter((name) => name === "passes")).toHaveLength(2);
    // A name that is taken makes no account.
    expect(throttle.registration(THERE, true).name).toBe("passes");
    const ofMany = Array.from({ length: 3 }, (_, index) => throttle.registration(`198.51.100.${index}`).name);
    expect(ofMany).toEqual(["passes", "passes", "passes"]);
    expect(throttle.registration("192.0.2.99")).toEqual({ name: "limited", retryAfter: 2 });
    expect(throttle.registration("192.0.2.99", true)).toEqual({ name: "limited", retryAfter: 2 });
  });

  test("a lookup counts for the user and the address, and a larger one takes more", () => {
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
  test("after ten failures in a row the right password passes at once", () => {
    const { throttle } = throttled();
    for (let count = 0; count < 10; count++) attemptOf(throttle.password("ana", HERE));
    attemptOf(throttle.password("ana", HERE)).succeeded();
  });

  test("further guesses are slowed to one in ten seconds, and right passwords do not count as guesses", () => {
    const { clock, throttle } = throttled();
    for (let count = 0; count < 100; count++) attemptOf(throttle.password("ana", HERE)).succeeded();
    const { burst } = DEFAULT_LIMITS.failureRate;
    expect(failUntilLimited(throttle, "ana", HERE)).toBe(burst);
    expect(throttle.password("ana", HERE)).toEqual({ name: "limited", retryAfter: 10 });
    clock.now += 10_000;
    expect(failUntilLimited(throttle, "ana", HERE)).toBe(1);
  });

  test("concurrent attempts all count; one that was never compared is refunded once", () => {
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

  test("every password, right or wrong, charges its address for a hash", () => {
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
        guesses += failUntilLimited(throttle, "ana", `2001:db8:${address.toString(16)}::1`);
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

  test("an address has its free guesses once a day", () => {
    const { clock, throttle } = throttled({ failureRatePerAccount: { burst: 1, perSecond: 1 / DAY } });
    const { burst } = DEFAULT_LIMITS.failureRate;
    let guesses = 0;
    for (let hour = 0; hour < 23; hour++) {
      guesses += failUntilLimited(throttle, "ana", HERE);
      clock.now += 3_600_000;
    }
    expect(guesses).toBeLessThanOrEqual(2 * burst + 1);
  });

  test("guesses at other names from the same address do not lock out an account that was used from there", () => {
    const { throttle } = throttled({ loginRate: NO_LIMIT });
    attemptOf(throttle.password("ana", HERE)).succeeded();
    let guessed = 0;
    for (let name = 0; name < 200; name++) guessed += failUntilLimited(throttle, `name${name}`, HERE);
    expect(guessed).toBe(DEFAULT_LIMITS.failureRatePerAddress.burst);
    expect(throttle.password("beto", HERE).name).toBe("limited");
    attemptOf(throttle.password("ana", HERE)).succeeded();
  });

  test("wrong tokens are limited, and do not limit passwords and registrations of their address", () => {
    const { throttle } = throttled();
    const { burst } = DEFAULT_LIMITS.failureRatePerAddress;
    for (let count = 0; count < burst; count++) expect(throttle.failedResume(HERE).name).toBe("passes");
    expect(throttle.failedResume(HERE)).toEqual({ name: "limited", retryAfter: 1 });
    expect(throttle.failedResume(THERE).name).toBe("passes");
    expect(throttle.registration(HERE).name).toBe("passes");
    attemptOf(throttle.password("ana", HERE));
  });

  test("guesses at a name from the same address do not shut out the device that it was used with", () => {
    const { throttle } = throttled();
    // All that the attacker can use up: the tries for the name, free and slow, and those of the address.
    for (let name = 0; name < 200; name++) failUntilLimited(throttle, `name${name}`, HERE);
    for (let count = 0; count < 100; count++) {
      failUntilLimited(throttle, "ana", HERE);
      failUntilLimited(throttle, "ana", `2001:db8:${count}::1`);
    }
    expect(throttle.password("ana", HERE).name).toBe("limited");
    expect(throttle.registration(HERE).name).toBe("limited");
    for (let typo = 0; typo < 10; typo++) attemptOf(throttle.password("ana", HERE, DEVICE));
    attemptOf(throttle.password("ana", HERE, DEVICE)).succeeded();
    // A device guesses no faster than anybody else, and not at the expense of another.
    expect(failUntilLimited(throttle, "ana", HERE, DEVICE)).toBeLessThanOrEqual(15);
    attemptOf(throttle.password("ana", HERE, "b".repeat(64)));
  });

  test("a known device has its own hashes when its address has used up all", () => {
    const { throttle } = throttled({ loginRate: { burst: 3, perSecond: 0.1 } });
    for (let count = 0; count < 3; count++) attemptOf(throttle.password("mallory", HERE)).succeeded();
    expect(throttle.password("ana", HERE).name).toBe("limited");
    const { burst } = DEFAULT_LIMITS.failureRate;
    for (let count = 0; count < burst; count++) attemptOf(throttle.password("ana", HERE, DEVICE)).succeeded();
    expect(throttle.password("ana", HERE, DEVICE).name).toBe("limited");
  });

  test("a name that looks like a device's key does not use the device's buckets", () => {
    const { throttle } = throttled();
    for (const name of [`${DEVICE} ana`, `ana ${DEVICE}`, ` ${DEVICE} ana`, `${DEVICE} ${HERE} ana`]) {
      failUntilLimited(throttle, name, HERE);
    }
    attemptOf(throttle.password("ana", HERE, DEVICE));
    attemptOf(throttle.password("ana", HERE));
  });

  test("a tunnel with 65,536 networks has the free guesses of one network a day, for any number of names", () => {
    const { clock, throttle } = throttled();
    const begun = clock.now;
    let guesses = 0;
    for (let network = 0; network < 65_536; network++) {
      clock.now = begun + (network * DAY) / 65_536;
      const address = `2001:db8:1:${network.toString(16)}::1`;
      guesses += failUntilLimited(throttle, "ana", address);
      // Fresh names, to have what was taken for the one forgotten.
      throttle.password(`name${network}`, address);
    }
    const { failureRate, failureRatePerAccount } = DEFAULT_LIMITS;
    const slow = failureRatePerAccount.burst + (DAY / 1_000) * failureRatePerAccount.perSecond;
    // What is free comes back once within the day.
    expect(guesses).toBeLessThanOrEqual(slow + 2 * failureRate.burst);
    expect(guesses).toBeGreaterThan(slow * 0.9);
    attemptOf(throttle.password("ana", HERE));
  });

  test("an attacker with one account cannot displace the known networks of another", () => {
    const { throttle } = throttled({ failureRatePerAddress: { burst: 2, perSecond: 0.001 } });
    attemptOf(throttle.password("ana", HERE)).succeeded();
    for (let count = 0; count < 60_000; count++) {
      const address = `2001:db8:${(count >> 8).toString(16)}:${(count & 0xff).toString(16)}::1`;
      attemptOf(throttle.password("mallory", address)).succeeded();
    }
    for (let count = 0; count < 5; count++) attemptOf(throttle.password("ana", HERE));
  });

  test("a name as long as a message and a name of an Object member are limited like others", () => {
    const { throttle } = throttled();
    for (const name of ["x".repeat(60_000), "__proto__", "constructor", ""]) {
      expect(failUntilLimited(throttle, name, HERE)).toBe(DEFAULT_LIMITS.failureRate.burst);
    }
    expect(throttle.password(`${"x".repeat(60_000)}y`, HERE).name).toBe("passes");
  });
});
