import { describe, expect, test } from "bun:test";

import { BACKDATING } from "../../src/identity/certificate.ts";
import {
  decisive,
  isKept,
  REVOCATION_LIFETIME,
  revokes,
  type Revocation,
} from "../../src/identity/revocation.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";

const HOUR = 3_600_000;
const SECOND = 1_000;
const [ANA, BERTA] = ["a".repeat(40), "b".repeat(40)];
const [KEY, OTHER] = ["1".repeat(64), "2".repeat(64)];

/** The certificate that the server makes at `time` for a label whose newest revocation is `last`. */
function certificateAt(
  time: number,
  last?: Revocation,
): { label: string; notBefore: number; fingerprint: string } {
  const issued = Math.max(time, (last?.before ?? 0) * SECOND);
  return { label: ANA, notBefore: Math.floor((issued - BACKDATING) / SECOND) * SECOND, fingerprint: KEY };
}

describe("a revocation", () => {
  const before = 1_800_000_000;
  const certificate = { label: ANA, notBefore: (before - 1) * SECOND - HOUR, fingerprint: KEY };

  test.each([
    ["an earlier certificate of the label", { label: ANA, before }, true],
    ["one of another label", { label: BERTA, before }, false],
    ["one of exactly its second", { label: ANA, before: before - 1 }, false],
    ["one for the excepted key", { label: ANA, before, except: KEY }, false],
    ["one for another key than the excepted one", { label: ANA, before, except: OTHER }, true],
  ])("with %s", (_what, revocation, isRevoked) => {
    expect(revokes(revocation, certificate)).toBe(isRevoked);
  });

  test("takes back every certificate made before it and none made after it, also in the same second", () => {
    const random = seededRandom(testSeed());
    for (let times = 0; times < 2_000; times++) {
      const now = 1_800_000_000_000 + random.integer(10_000);
      const revocation = { label: ANA, before: Math.floor(now / SECOND) + 1 };
      expect(revokes(revocation, certificateAt(now - random.integer(3_000)))).toBe(true);
      expect(revokes(revocation, certificateAt(now + random.integer(3_000), revocation))).toBe(false);
    }
  });

  test("of the decisive ones takes back what all together take back", () => {
    const random = seededRandom(testSeed());
    const keys = [undefined, KEY, OTHER, "3".repeat(64)];
    for (let times = 0; times < 500; times++) {
      const all = Array.from({ length: random.integer(6) }, (_, index) => {
        const except = keys[random.integer(keys.length)];
        return { label: ANA, before: before + 2 * index + random.integer(2), except };
      });
      const kept = decisive(all);
      expect(kept.length).toBeLessThanOrEqual(2);
      for (const fingerprint of [KEY, OTHER, "4".repeat(64)]) {
        const made = { label: ANA, notBefore: (before + random.integer(14)) * SECOND - HOUR, fingerprint };
        expect(kept.some((each) => revokes(each, made))).toBe(all.some((each) => revokes(each, made)));
      }
    }
  });

  test("is kept until 73 hours after its second, when what it takes back has expired", () => {
    expect(REVOCATION_LIFETIME).toBe(73 * HOUR);
    const end = before * SECOND + 73 * HOUR;
    const kept = [end - 1, end].map((now) => isKept({ label: ANA, before }, now));
    expect(kept).toEqual([true, false]);
    // From a clock that was years ahead.
    expect(isKept({ label: ANA, before: before + 74 * 3_600 }, before * SECOND)).toBe(false);
  });
});
