import { describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";

import {
  hashLeaf,
  isAuthorityProven,
  isKeyProven,
  parseChallenge,
  parseSignature,
  proveAuthority,
  proveKey,
} from "../../src/identity/connection-proof.ts";
import { generateKeyPair, keyPairFromPem, parsePublicKey } from "../../src/identity/keys.ts";
import { seededRandom, testSeed } from "../seeded-random.ts";

/** The key of RFC 8032, 7.1, test 1. The signatures below were made by `openssl pkeyutl -sign -rawin`. */
const KEYS = keyPairFromPem(
  "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
);
const LEAF = Buffer.from("leaf certificate");
const CONNECTION = {
  challenge: Buffer.from(Array.from({ length: 32 }, (_, index) => index)),
  leafHash: hashLeaf(LEAF),
};
const KEY_PROOF = "ktzfblAOeCiPPTpy8sxdtBWRxRXqfl4j1X9ePtkPOknfrfIouXvskFEHhzyXUetGfH3SW4LhYHp4vN5fQt6dCg==";
const AUTHORITY_PROOF =
  "RwhoyXGf/uHoGoLgnBeRJIyxOZUSGScYvg0xtyGytuj9sWeHJEUT5ZvB07XdaS3a3bJ3fvEZ8dCxleMzJRZgCQ==";

const bytesOf = (base64: string) => Buffer.from(base64, "base64");
const publicKeyOf = (spki: Buffer) => createPublicKey({ key: spki, format: "der", type: "spki" });

describe("the proof of the key", () => {
  test("is what openssl makes, and proves the key", () => {
    expect(proveKey(KEYS.privateKey, CONNECTION)).toBe(KEY_PROOF);
    expect(isKeyProven(KEYS.spki, bytesOf(KEY_PROOF), CONNECTION)).toBe(true);
  });

  test("proves no other key, on no other connection, and with no other leaf", () => {
    const proof = bytesOf(KEY_PROOF);
    const another = Buffer.from(CONNECTION.challenge);
    another[31] = 0;
    expect(isKeyProven(generateKeyPair().spki, proof, CONNECTION)).toBe(false);
    expect(isKeyProven(KEYS.spki, proof, { ...CONNECTION, challenge: another })).toBe(false);
    expect(isKeyProven(KEYS.spki, proof, { ...CONNECTION, leafHash: hashLeaf(Buffer.from("leaf")) })).toBe(
      false,
    );
    for (let bit = 0; bit < 512; bit++) {
      const wrong = Buffer.from(proof);
      wrong[bit >> 3] = (wrong[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(isKeyProven(KEYS.spki, wrong, CONNECTION)).toBe(false);
    }
  });

  test("is not taken from the proof of an authority, nor from a signature of the same bytes without the prefix", () => {
    expect(isKeyProven(KEYS.spki, bytesOf(AUTHORITY_PROOF), CONNECTION)).toBe(false);
    const bare = sign(null, Buffer.concat([CONNECTION.challenge, LEAF]), KEYS.privateKey);
    expect(isKeyProven(KEYS.spki, bare, CONNECTION)).toBe(false);
  });

  test("is never right for bytes that are not a point of the curve", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    for (let count = 0; count < 200; count++) {
      const spki = Buffer.concat([KEYS.spki.subarray(0, 12), random.bytes(32)]);
      if (parsePublicKey(spki.toString("base64")) === undefined) continue;
      expect(isKeyProven(spki, random.bytes(64), CONNECTION), `seed ${seed}`).toBe(false);
    }
  });
});

describe("the proof of the authority", () => {
  test("is what openssl makes, and proves the authority for this leaf", () => {
    expect(proveAuthority(KEYS.privateKey, LEAF)).toBe(AUTHORITY_PROOF);
    const proof = bytesOf(AUTHORITY_PROOF);
    expect(isAuthorityProven(publicKeyOf(KEYS.spki), proof, LEAF)).toBe(true);
    expect(isAuthorityProven(publicKeyOf(KEYS.spki), proof, Buffer.from("leaf"))).toBe(false);
    expect(isAuthorityProven(publicKeyOf(generateKeyPair().spki), proof, LEAF)).toBe(false);
    expect(isAuthorityProven(publicKeyOf(KEYS.spki), bytesOf(KEY_PROOF), LEAF)).toBe(false);
  });

  test("is never that of a key of another kind", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(isAuthorityProven(publicKey, bytesOf(AUTHORITY_PROOF), LEAF)).toBe(false);
  });
});

test("a signature is 88 characters of canonical base64, a challenge 44", () => {
  expect(parseSignature(KEY_PROOF)).toEqual(bytesOf(KEY_PROOF));
  const wrong = [
    "",
    KEY_PROOF.slice(0, -2),
    `${KEY_PROOF} `,
    ` ${KEY_PROOF}`,
    `${KEY_PROOF.slice(0, -3)}h==`,
    KEY_PROOF.replace("k", "-"),
    KEY_PROOF.replace("k", "\n"),
    bytesOf(KEY_PROOF).toString("hex"),
    "=".repeat(88),
  ];
  for (const each of wrong) expect(parseSignature(each)).toBeUndefined();
  const challenge = CONNECTION.challenge.toString("base64");
  expect(parseChallenge(challenge)).toEqual(CONNECTION.challenge);
  for (const each of ["", challenge.slice(1), KEY_PROOF, CONNECTION.challenge.toString("base64url")]) {
    expect(parseChallenge(each)).toBeUndefined();
  }
});
