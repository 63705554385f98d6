import { describe, expect, test } from "bun:test";

import { SafetyNumbers } from "../../src/client/safety-numbers.ts";
import { Profile } from "../../src/client/profile/profile.ts";
import { fingerprint } from "../../src/identity/fingerprint.ts";
import { generateKeyPair } from "../../src/identity/keys.ts";
import { ACCOUNT, inTemporaryFolder } from "./test-profile.ts";

const NOW = Date.UTC(2027, 0, 15);
const KEYS = Array.from({ length: 3 }, () => {
  const { spki } = generateKeyPair();
  return { spki, fingerprint: fingerprint(spki) };
});
const [PINNED, CHANGED, LATER] = KEYS as [
  (typeof KEYS)[number],
  (typeof KEYS)[number],
  (typeof KEYS)[number],
];

/** Runs `use` with a profile that has pinned Ana's first key and then sees other keys of hers, in the order given. */
function withProfile(use: (profile: Profile, sees: (key: (typeof KEYS)[number]) => void) => void) {
  return inTemporaryFolder((folder) => {
    const profile = Profile.open(folder, ACCOUNT);
    try {
      const ana = profile.contacts.ensure("Ana");
      profile.contacts.pin(ana, PINNED, NOW);
      use(profile, (key) => profile.contacts.savePendingKey(ana, key, NOW));
    } finally {
      profile.close();
    }
  });
}

const isPinned = (profile: Profile, key: (typeof KEYS)[number]) => {
  const ana = profile.contacts.ensure("Ana");
  return profile.contacts.isPinned(ana.label, key.fingerprint);
};

describe("the safety numbers with a person", () => {
  test("are one for each key, the pending one last and marked", () =>
    withProfile((profile, sees) => {
      sees(CHANGED);
      const { username, numbers } = new SafetyNumbers(profile).with("ANA", { markShown: false });
      expect(username).toBe("Ana");
      expect(numbers.map(({ fingerprint, pending }) => [fingerprint, pending])).toEqual([
        [PINNED.fingerprint, false],
        [CHANGED.fingerprint, true],
      ]);
      for (const { number } of numbers) expect(number).toMatch(/^\d{5}(?:\s\d{5}){11}$/);
      expect(numbers[0]?.number).not.toBe(numbers[1]?.number);
    }));

  test("are empty for a person without a known key, who does not become a contact", () =>
    withProfile((profile) => {
      expect(new SafetyNumbers(profile).with("nobody", { markShown: true })).toEqual({
        username: "nobody",
        numbers: [],
      });
      expect(profile.contacts.find("nobody")).toBeUndefined();
    }));
});

describe("a key that waits", () => {
  test("is accepted once its number was shown, and is no longer pending", () =>
    withProfile((profile, sees) => {
      sees(CHANGED);
      const shown = new SafetyNumbers(profile).with("Ana", { markShown: true }).numbers.at(-1);
      expect(new SafetyNumbers(profile).acceptPending("ana", NOW)).toEqual({
        result: "accepted",
        number: {
          number: shown?.number ?? "",
          fingerprint: CHANGED.fingerprint,
          pending: false,
          verified: false,
        },
      });
      expect(isPinned(profile, CHANGED)).toBe(true);
      expect(new SafetyNumbers(profile).acceptPending("Ana", NOW)).toEqual({
        result: "none",
      });
    }));

  test("of somebody who was verified is not accepted, until the verification is withdrawn", () =>
    withProfile((profile, sees) => {
      const numbers = new SafetyNumbers(profile);
      profile.verifications.verify(profile.contacts.ensure("Ana"), PINNED, NOW);
      sees(CHANGED);
      const shown = numbers.with("Ana", { markShown: true }).numbers;
      expect(shown.map(({ pending, verified }) => ({ pending, verified }))).toEqual([
        { pending: false, verified: true },
        { pending: true, verified: false },
      ]);
      expect(numbers.acceptPending("ana", NOW)).toEqual({ result: "verification_needed" });
      expect(isPinned(profile, CHANGED)).toBe(false);
      expect(numbers.withdrawVerification("ana")).toBe(true);
      expect(numbers.withdrawVerification("ana")).toBe(false);
      expect(numbers.acceptPending("ana", NOW)).toMatchObject({ result: "accepted" });
      expect(numbers.with("Ana", { markShown: true }).numbers.some(({ verified }) => verified)).toBe(false);
    }));

  test("is not accepted before its number was shown", () =>
    withProfile((profile, sees) => {
      sees(CHANGED);
      const numbers = new SafetyNumbers(profile);
      numbers.with("Ana", { markShown: false });
      expect(numbers.acceptPending("Ana", NOW)).toEqual({ result: "not_shown" });
      expect(isPinned(profile, CHANGED)).toBe(false);
    }));

  test("is not accepted where another was shown, though a further process has shown it", () =>
    withProfile((profile, sees) => {
      sees(CHANGED);
      const here = new SafetyNumbers(profile).with("Ana", { markShown: true }).numbers.at(-1)?.fingerprint;
      sees(LATER);
      const elsewhere = new SafetyNumbers(profile);
      elsewhere.with("Ana", { markShown: true });
      expect(elsewhere.acceptPending("Ana", NOW, here)).toEqual({ result: "changed_again" });
      expect([CHANGED, LATER].map((key) => isPinned(profile, key))).toEqual([false, false]);
      expect(elsewhere.acceptPending("Ana", NOW).result).toBe("accepted");
    }));

  test("is not accepted if an earlier key was shown, until its own number is shown", () =>
    withProfile((profile, sees) => {
      sees(CHANGED);
      new SafetyNumbers(profile).with("Ana", { markShown: true });
      sees(LATER);
      expect(new SafetyNumbers(profile).acceptPending("Ana", NOW)).toEqual({ result: "changed_again" });
      expect([CHANGED, LATER].map((key) => isPinned(profile, key))).toEqual([false, false]);
      new SafetyNumbers(profile).with("Ana", { markShown: true });
      expect(new SafetyNumbers(profile).acceptPending("Ana", NOW).result).toBe("accepted");
      expect([CHANGED, LATER].map((key) => isPinned(profile, key))).toEqual([false, true]);
    }));

  test("with an unknown person is empty", () =>
    withProfile((profile) => {
      expect(new SafetyNumbers(profile).acceptPending("nobody", NOW)).toEqual({
        result: "none",
      });
      expect(new SafetyNumbers(profile).acceptPending("Ana", NOW)).toEqual({
        result: "none",
      });
    }));
});
