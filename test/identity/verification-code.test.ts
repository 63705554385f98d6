import { describe, expect, test } from "bun:test";

import { label } from "../../src/identity/names.ts";
import { commitment, verificationCode, type VerifiedLink } from "../../src/identity/verification-code.ts";
import { seededRandom } from "../seeded-random.ts";

// The public keys of RFC 8032, 7.1, tests 1 and 2. The answers below were computed with Python's hashlib and hmac.
const PREFIX = "302a300506032b6570032100";
const KEY_1 = Buffer.from(`${PREFIX}d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a`, "hex");
const KEY_2 = Buffer.from(`${PREFIX}3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c`, "hex");
const exported = Uint8Array.from({ length: 32 }, (_, index) => index);
const alice = { label: label("Alice"), spki: KEY_1 };
const bob = { label: label("bob"), spki: KEY_2 };
/** The link as alice, who commits, knows it. */
const LINK: VerifiedLink = { exported, own: alice, peer: bob };
const SEEN_BY_BOB: VerifiedLink = { exported, own: bob, peer: alice };
const HERS = Buffer.alloc(32, 7);
const HIS = Buffer.alloc(32, 9);
const COMMITMENT =
  "6b398296374a51fac4322ef29b11b08f9c186d0a0ed39aa36d06a8a3b7bb586f541ffd5efb576f60c58601dfd0d03344db514e6899d577ab7f48736d0bd344f0";

/** Everything that goes into both, each changed in one place. */
const OTHERS: [string, VerifiedLink][] = [
  ["another TLS session", { ...LINK, exported: exported.toReversed() }],
  ["another key of hers", { ...LINK, own: { ...alice, spki: KEY_2 } }],
  ["another key of his", { ...LINK, peer: { ...bob, spki: KEY_1 } }],
  ["another name of hers", { ...LINK, own: { ...alice, label: label("alicia") } }],
  ["another name of his", { ...LINK, peer: { ...bob, label: label("rob") } }],
];

describe("the code", () => {
  test("has the known answers, on both sides", () => {
    expect(verificationCode(LINK, { own: HERS, peer: HIS })).toBe("160026");
    expect(verificationCode(SEEN_BY_BOB, { own: HIS, peer: HERS })).toBe("160026");
  });

  test("keeps its zeros", () => {
    expect(verificationCode(LINK, { own: Buffer.alloc(32, 5), peer: HIS })).toBe("095238");
  });

  test.each(OTHERS)("is another one with %s", (_, link) => {
    expect(verificationCode(link, { own: HERS, peer: HIS })).not.toBe("160026");
  });

  test("is another one with each nonce, and when the nonces are exchanged", () => {
    const codes = [
      [HERS, HERS],
      [HIS, HIS],
      [HIS, HERS],
    ].map(([own, peer]) => verificationCode(LINK, { own, peer } as { own: Buffer; peer: Buffer }));
    expect(new Set([...codes, "160026"]).size).toBe(4);
  });

  test("has every digit in every place equally often", () => {
    const random = seededRandom(15);
    const counts = Array.from({ length: 6 }, () => new Array<number>(10).fill(0));
    for (let each = 0; each < 2_000; each++) {
      const code = verificationCode(LINK, { own: random.bytes(32), peer: HIS });
      [...code].forEach((digit, place) => ((counts[place] as number[])[Number(digit)]! += 1));
    }
    // Nine degrees of freedom: 27.9 is reached by chance once in a thousand; the seed is fixed.
    for (const place of counts)
      expect(place.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)).toBeLessThan(27.9);
  });
});

describe("the commitment", () => {
  test("has the known answer, on both sides", () => {
    expect(commitment(LINK, HERS)).toBe(COMMITMENT);
    expect(commitment(SEEN_BY_BOB, HERS)).toBe(COMMITMENT);
  });

  test.each(OTHERS)("is another one with %s", (_, link) => {
    expect(commitment(link, HERS)).not.toBe(COMMITMENT);
  });

  test("is another one with another nonce", () => {
    expect(commitment(LINK, HIS)).not.toBe(COMMITMENT);
  });
});
