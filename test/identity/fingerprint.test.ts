import { describe, expect, test } from "bun:test";
import {
  fingerprint,
  parseFingerprint,
  safetyNumber,
  showFingerprint,
} from "../../src/identity/fingerprint.ts";

// The public keys of RFC 8032, 7.1, tests 1 and 2. The answers below were computed with Python's hashlib.
const PREFIX = "302a300506032b6570032100";
const KEY_1 = Buffer.from(`${PREFIX}d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a`, "hex");
const KEY_2 = Buffer.from(`${PREFIX}3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c`, "hex");
const FINGERPRINT_1 = "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9";
const FINGERPRINT_2 = "deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170";
const SHOWN_1 = "06e3 fd8f da29 bb60 ab59 557d e61e db0a ecdb 2311 34be 30e7 5b45 5f8e 1b79 2fa9";

describe("a fingerprint", () => {
  test("has the known answers", () => {
    expect(fingerprint(KEY_1)).toBe(FINGERPRINT_1);
    expect(fingerprint(KEY_2)).toBe(FINGERPRINT_2);
  });

  test("is shown in groups of four and read back", () => {
    expect(showFingerprint(FINGERPRINT_1)).toBe(SHOWN_1);
    expect(parseFingerprint(SHOWN_1)).toBe(FINGERPRINT_1);
  });

  test("is read with capitals, spaces and colons", () => {
    const withColons = (FINGERPRINT_1.match(/../g) ?? []).join(":").toUpperCase();
    for (const input of [FINGERPRINT_1, SHOWN_1.toUpperCase(), withColons, ` ${FINGERPRINT_1}\n`]) {
      expect(parseFingerprint(input)).toBe(FINGERPRINT_1);
    }
  });

  test("is not read from anything but 64 hexadecimal digits", () => {
    const refused = [
      "",
      "0".repeat(63),
      "0".repeat(65),
      `${"0".repeat(63)}g`,
      `0x${"0".repeat(62)}`,
      "０".repeat(64),
    ];
    for (const input of [...refused, FINGERPRINT_1.replace("e", "-e"), " ".repeat(100_000) + FINGERPRINT_1]) {
      expect(parseFingerprint(input)).toBeUndefined();
    }
  });
});

describe("a safety number", () => {
  const bob = { name: "bob", spki: KEY_2 };

  test("has the known answers", () => {
    expect(safetyNumber({ name: "ñandú", spki: KEY_1 }, bob)).toBe(
      "26169 27267 96081 50576 11340 17502 98252 08691 31531 35818 29593 07889",
    );
    expect(safetyNumber({ name: "alice", spki: KEY_1 }, bob)).toBe(
      "87152 10257 48338 44410 89447 54008 50722 26059 56710 47212 78214 29921",
    );
  });

  test("is the same on both sides and in every spelling of a name", () => {
    const number = safetyNumber({ name: "ñandú", spki: KEY_1 }, bob);
    expect(safetyNumber(bob, { name: "ñandú", spki: KEY_1 })).toBe(number);
    expect(safetyNumber({ name: "BOB", spki: KEY_2 }, { name: "N\u0303ANDÚ", spki: KEY_1 })).toBe(number);
  });

  test("of two devices of one name is the same on both sides", () => {
    const laptop = { name: "bob", spki: KEY_1 };
    expect(safetyNumber(laptop, bob)).toBe(safetyNumber(bob, laptop));
  });

  test("changes with a key, and when two people exchange their keys", () => {
    const number = safetyNumber({ name: "alice", spki: KEY_1 }, bob);
    expect(safetyNumber({ name: "alice", spki: KEY_2 }, bob)).not.toBe(number);
    expect(safetyNumber({ name: "alice", spki: KEY_2 }, { name: "bob", spki: KEY_1 })).not.toBe(number);
  });
});
