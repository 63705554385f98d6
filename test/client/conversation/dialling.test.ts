import { describe, expect, test } from "bun:test";

import { systemClock, type Clock } from "../../../src/net/clock.ts";
import { Dialling, redialDelay } from "../../../src/client/conversation/dialling.ts";
import { StorageGuard } from "../../../src/client/disk/storage-guard.ts";
import { ContactRecord } from "../../../src/client/peer/contact-record.ts";
import type { UnreachableReason } from "../../../src/client/peer/dial.ts";
import { PeerLinks } from "../../../src/client/peer/links.ts";
import type { Contact, ContactStore } from "../../../src/client/profile/contacts.ts";

const ALMOST_ONE = 1 - Number.EPSILON;
const DRAWS = [0, 0.25, 0.5, 0.75, ALMOST_ONE];

test("a redial waits 1, 5, 15, then 60 s, each ± 20 %", () => {
  const seconds = [1, 5, 15, 60, 60, 60];
  seconds.forEach((base, attempt) => {
    expect(redialDelay(attempt, true, 0)).toBeCloseTo(base * 800);
    expect(redialDelay(attempt, true, 0.5)).toBeCloseTo(base * 1_000);
    expect(redialDelay(attempt, true, ALMOST_ONE)).toBeCloseTo(base * 1_200);
  });
  expect(redialDelay(1_000_000, true, 0.5)).toBe(60_000);
});

test("the side that does not decide redials 3 s later", () => {
  for (const random of DRAWS)
    for (let attempt = 0; attempt < 6; attempt++)
      expect(redialDelay(attempt, false, random) - redialDelay(attempt, true, random)).toBeCloseTo(3_000);
});

test("at the first redial the two sides never dial at the same time", () => {
  expect(redialDelay(0, false, 0)).toBeGreaterThan(redialDelay(0, true, ALMOST_ONE) + 1_000);
});

/** Somebody who is wanted and never reached, by attempts that fail as `fail` says; the clock is the test's. */
class Attempts {
  /** What was scheduled. */
  readonly waits: {
    readonly ms: number;
    readonly due: number;
    readonly run: () => void;
    isCancelled: boolean;
  }[] = [];
  /** Why there was no link, as it was told. */
  readonly reasons: UnreachableReason[] = [];
  readonly dialling: Dialling;
  count = 0;
  /** In [0, 1). */
  random = 0.5;
  limitedFor = 0;
  /** The clock, in ms. */
  now = 0;
  #fail: (reason: UnreachableReason) => void = () => undefined;

  constructor() {
    const after: Clock["after"] = (ms, run) => {
      const wait = { ms, due: this.now + ms, run, isCancelled: false };
      this.waits.push(wait);
      return () => (wait.isCancelled = true);
    };
    const storage = new StorageGuard(() => undefined);
    const record = new ContactRecord({
      contact: { id: 1, username: "ana", label: "ana" } as Contact,
      contacts: {} as ContactStore,
      consents: { isContact: () => true },
      now: () => 0,
      verifications: { verifiedAt: () => undefined },
      keyPending: () => undefined,
      isVerifying: () => false,
      storage,
    });
    this.dialling = new Dialling({
      needs: {
        clock: { ...systemClock(Date.now), after, monotonic: () => this.now },
        random: () => this.random,
        serverLimitedFor: () => this.limitedFor,
        storage,
        dial: () => {
          this.count++;
          const { promise, resolve } = Promise.withResolvers<UnreachableReason | undefined>();
          this.#fail = resolve;
          return promise;
        },
      },
      decider: true,
      record,
      links: new PeerLinks(true, () => undefined),
      wanted: () => true,
      greet: () => undefined,
      unreachable: (reason) => this.reasons.push(reason),
    });
  }

  /** The attempt under way fails. */
  async fail(reason: UnreachableReason): Promise<void> {
    this.#fail(reason);
    await Promise.resolve();
    await Promise.resolve();
  }

  /** The last wait is over. */
  next(): void {
    const wait = this.waits.at(-1);
    this.now += wait?.ms ?? 0;
    wait?.run();
  }

  /** A link begins, and ends with the peer's bye although something is unacknowledged. */
  linkWithBye(isUseful: boolean): void {
    this.dialling.linked();
    if (isUseful) this.dialling.provenUseful();
    this.dialling.disconnected(true, true);
  }

  /** Runs what is due until `end`, ms of the clock, every 1 ms after `each`. */
  async runUntil(end: number, each: () => void): Promise<void> {
    for (; this.now < end; this.now++) {
      for (const wait of this.waits.splice(0)) {
        if (wait.isCancelled) continue;
        if (wait.due <= this.now) wait.run();
        else this.waits.push(wait);
      }
      each();
      await this.fail("offline");
    }
  }
}

test("no attempt is made while the server asks to wait, and one soon after", async () => {
  for (const random of [0, 0.5, ALMOST_ONE]) {
    const attempts = new Attempts();
    attempts.random = random;
    attempts.limitedFor = 30_000;
    attempts.dialling.connect();
    await attempts.fail("server_limits");
    expect(attempts.waits.at(-1)?.ms).toBeGreaterThanOrEqual(30_000);
    expect(attempts.waits.at(-1)?.ms).toBeLessThanOrEqual(32_000);
  }
});

test("a useful link makes the next waits short, and cancels no scheduled attempt", async () => {
  const attempts = new Attempts();
  const { dialling, waits } = attempts;
  dialling.connect();
  await attempts.fail("unreachable");
  attempts.next();
  await attempts.fail("unreachable");
  dialling.provenUseful();
  expect(waits.map(({ ms }) => ms)).toEqual([1_000, 5_000]);
  expect(waits.at(-1)?.isCancelled).toBe(false);
  attempts.next();
  await attempts.fail("unreachable");
  expect(waits.at(-1)?.ms).toBeCloseTo(1_000);
});

describe("an attempt", () => {
  test("that is asked for cancels the one that is scheduled, and a second one changes nothing", async () => {
    const attempts = new Attempts();
    attempts.dialling.connect();
    attempts.dialling.connect();
    expect(attempts.count).toBe(1);
    await attempts.fail("unreachable");
    attempts.dialling.connect();
    expect(attempts.count).toBe(2);
    expect(attempts.waits.map(({ isCancelled }) => isCancelled)).toEqual([true]);
  });

  test("that fails after the person may have become reachable is made again at once", async () => {
    const attempts = new Attempts();
    attempts.dialling.connect();
    attempts.dialling.resetAndConnect();
    expect(attempts.count).toBe(1);
    await attempts.fail("offline");
    expect(attempts.count).toBe(2);
    expect(attempts.waits).toEqual([]);
  });

  test("that found a pending key is not repeated by itself", async () => {
    const attempts = new Attempts();
    attempts.dialling.connect();
    await attempts.fail("key_pending");
    expect(attempts.waits).toEqual([]);
    expect(attempts.dialling.waitsForKey).toBe(true);
  });

  test("that was answered is not made again for news that they are online", async () => {
    for (const answer of ["key_pending", "busy"] as const) {
      const attempts = new Attempts();
      attempts.dialling.connect();
      attempts.dialling.resetAndConnect();
      await attempts.fail(answer);
      expect([attempts.count, attempts.reasons]).toEqual([1, [answer]]);
    }
  });

  test("beside a doubtful link is abandoned when that answers", async () => {
    const attempts = new Attempts();
    attempts.dialling.linked();
    attempts.dialling.checkLink(true);
    expect(attempts.count).toBe(1);
    attempts.dialling.checkLink(false);
    await attempts.fail("no_answer");
    expect([attempts.reasons, attempts.waits]).toEqual([[], []]);
    attempts.dialling.checkLink(true);
    expect(attempts.count).toBe(2);
  });

  test("that is given up, or made after the end, has no effect", async () => {
    const attempts = new Attempts();
    attempts.dialling.connect();
    attempts.dialling.giveUp();
    await attempts.fail("unreachable");
    expect(attempts.waits).toEqual([]);
    attempts.dialling.close();
    attempts.dialling.connect();
    attempts.dialling.resetAndConnect();
    expect(attempts.count).toBe(1);
  });
});

describe("a link that is lost", () => {
  type Loss = { leaving: boolean; bye: boolean; useful: boolean; missing: boolean };
  const loss: Loss = { leaving: false, bye: false, useful: false, missing: false };
  test.each<[string, Loss, "at once" | "later" | "never"]>([
    ["without a bye is dialled after a wait", loss, "later"],
    ["without a bye is dialled after a wait, also if it was useful", { ...loss, useful: true }, "later"],
    ["after their bye is not dialled", { ...loss, bye: true }, "never"],
    [
      "after their bye with something missing is dialled at once if it was useful",
      { ...loss, bye: true, useful: true, missing: true },
      "at once",
    ],
    [
      "after their bye with something missing is dialled after a wait if it was of no use",
      { ...loss, bye: true, missing: true },
      "later",
    ],
    ["after our bye is dialled at once if it is wanted again", { ...loss, leaving: true }, "at once"],
  ])("%s", (_, { leaving, bye, useful, missing }, expected) => {
    const attempts = new Attempts();
    attempts.dialling.linked();
    if (useful) attempts.dialling.provenUseful();
    if (leaving) attempts.dialling.leave();
    attempts.dialling.disconnected(bye, missing);
    expect(attempts.count).toBe(expected === "at once" ? 1 : 0);
    expect(attempts.waits.length).toBe(expected === "later" ? 1 : 0);
  });
});

test("a person was reached in vain who has taken nothing, or has answered only to refuse", async () => {
  const attempts = new Attempts();
  const { dialling } = attempts;
  const after = async (reason: UnreachableReason) => {
    dialling.connect();
    await attempts.fail(reason);
    return dialling.wasInVain;
  };
  expect([await after("offline"), await after("busy"), await after("no_answer")]).toEqual([
    false,
    true,
    false,
  ]);
  attempts.linkWithBye(false);
  expect(dialling.wasInVain).toBe(true);
  attempts.linkWithBye(true);
  expect(dialling.wasInVain).toBe(false);
  dialling.linked();
  dialling.disconnected(true, false);
  expect(dialling.wasInVain).toBe(false);
});

test("links of no use that end with bye are dialled after 1, 5, 15, and then every 60 s", () => {
  const attempts = new Attempts();
  attempts.dialling.connect();
  for (let link = 0; link < 5; link++) {
    attempts.linkWithBye(false);
    attempts.next();
  }
  expect(attempts.waits.map(({ ms }) => ms)).toEqual([1_000, 5_000, 15_000, 60_000, 60_000]);
  expect(attempts.count).toBe(6);
});

test("a peer that acknowledges one message a link and says bye is dialled once a second at most", () => {
  const attempts = new Attempts();
  attempts.dialling.connect();
  attempts.linkWithBye(true);
  expect(attempts.count).toBe(1);
  attempts.next();
  expect(attempts.waits.map(({ ms }) => ms)).toEqual([1_000]);
  expect(attempts.count).toBe(2);
  attempts.now += 1_000;
  attempts.linkWithBye(true);
  expect(attempts.count).toBe(3);
});

test("news that somebody is online, a thousand times a second, makes few dials, and the last news is followed", async () => {
  const attempts = new Attempts();
  await attempts.runUntil(10_000, () => attempts.dialling.resetAndConnect());
  expect(attempts.count).toBe(5);
  await attempts.runUntil(60_000, () => attempts.dialling.resetAndConnect());
  expect(attempts.count).toBe(10);
  attempts.dialling.resetAndConnect();
  await attempts.runUntil(70_001, () => undefined);
  expect(attempts.count).toBe(11);
});

test("an attempt that was begun before a line has changed, and hangs, is replaced after a second", () => {
  const attempts = new Attempts();
  attempts.dialling.connect();
  attempts.dialling.renew();
  expect(attempts.count).toBe(1);
  attempts.next();
  expect([attempts.count, attempts.now]).toEqual([2, 1_000]);
});

test("one that has failed by then is replaced once, and other news replaces none", async () => {
  const attempts = new Attempts();
  attempts.dialling.connect();
  attempts.dialling.renew();
  await attempts.fail("unreachable");
  expect(attempts.count).toBe(2);
  attempts.next();
  expect(attempts.count).toBe(2);
  attempts.dialling.resetAndConnect();
  expect(attempts.waits).toHaveLength(1);
});
