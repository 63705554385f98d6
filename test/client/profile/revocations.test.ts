import { describe, expect, test } from "bun:test";

import { MAX_REVOCATIONS, RevocationStore } from "../../../src/client/profile/revocations.ts";
import { MessageScene } from "../message-scene.ts";
import { inTemporaryFolder } from "../test-profile.ts";

const [ANA, BERTA] = ["a".repeat(40), "b".repeat(40)];
const [KEY, OTHER] = ["1".repeat(64), "2".repeat(64)];
const HOUR = 3_600_000;
const NOON = Date.UTC(2027, 0, 15, 12);
const SECOND = NOON / 1_000;
const earlier = { label: ANA, notBefore: NOON - 2 * HOUR, fingerprint: KEY };

const withStore = (use: (store: RevocationStore, again: () => RevocationStore) => void) =>
  inTemporaryFolder((folder) => {
    const { database } = new MessageScene(folder);
    use(new RevocationStore(database), () => new RevocationStore(database));
    database.close();
  });

describe("revocations", () => {
  test("count at once, and after a restart once they are saved", () =>
    withStore((store, again) => {
      expect(store.isRevoked(earlier)).toBe(false);
      expect(store.add([{ label: ANA, before: SECOND, except: OTHER }])).toBe(true);
      expect(store.isRevoked(earlier)).toBe(true);
      expect(store.isRevoked({ ...earlier, fingerprint: OTHER })).toBe(false);
      expect(store.isRevoked({ ...earlier, label: BERTA })).toBe(false);
      expect(again().isRevoked(earlier)).toBe(false);
      store.save();
      expect(again().isRevoked(earlier)).toBe(true);
      expect(again().isRevoked({ ...earlier, fingerprint: OTHER })).toBe(false);
    }));

  test("are told again without effect, and the later ones of a label count", () =>
    withStore((store) => {
      expect(store.add([{ label: ANA, before: SECOND }])).toBe(true);
      expect(store.add([{ label: ANA, before: SECOND }])).toBe(false);
      expect(store.add([{ label: ANA, before: SECOND - 1, except: KEY }])).toBe(false);
      expect(store.isRevoked({ ...earlier, notBefore: NOON - HOUR })).toBe(false);
      expect(store.add([{ label: ANA, before: SECOND + 1 }])).toBe(true);
      expect(store.isRevoked({ ...earlier, notBefore: NOON - HOUR })).toBe(true);
      expect(store.size).toBe(1);
    }));

  test("that except a key make nothing good that was taken back before, told in any order", () =>
    withStore((store, again) => {
      const told = [
        { label: ANA, before: SECOND },
        { label: ANA, before: SECOND + 5, except: KEY },
        { label: ANA, before: SECOND + 9, except: KEY },
      ];
      const between = { ...earlier, notBefore: (SECOND + 1) * 1_000 - HOUR };
      for (const order of [told, told.toReversed()]) {
        store.add(order);
        store.save();
        for (const each of [store, again()]) {
          expect(each.isRevoked(earlier)).toBe(true);
          expect(each.isRevoked(between)).toBe(false);
          expect(each.isRevoked({ ...between, fingerprint: OTHER })).toBe(true);
        }
        store.forgetOver(NOON + 200 * HOUR);
      }
    }));

  test("of one label and second, which only a lying server tells, can be saved", () =>
    withStore((store, again) => {
      store.add([KEY, OTHER, undefined].map((except) => ({ label: ANA, before: SECOND, except })));
      store.save();
      expect(again().isRevoked({ ...earlier, fingerprint: "3".repeat(64) })).toBe(true);
    }));

  test("are forgotten 73 hours after their second, also on the disk", () =>
    withStore((store, again) => {
      store.add([{ label: ANA, before: SECOND }]);
      store.add([{ label: BERTA, before: SECOND + 1 }]);
      store.save();
      store.forgetOver(NOON + 73 * HOUR - 1);
      expect(store.size).toBe(2);
      store.forgetOver(NOON + 73 * HOUR);
      store.save();
      expect([store.size, again().size]).toEqual([1, 1]);
      expect(again().isRevoked({ ...earlier, label: BERTA })).toBe(true);
    }));

  test("are limited: of too many the newest are kept", () =>
    withStore((store, again) => {
      const labels = Array.from({ length: MAX_REVOCATIONS + 1 }, (_, index) =>
        index.toString(16).padStart(40, "0"),
      );
      store.add(labels.map((label, index) => ({ label, before: SECOND + index })));
      expect(store.size).toBeLessThanOrEqual(MAX_REVOCATIONS);
      expect(store.isRevoked({ ...earlier, label: labels.at(-1) as string })).toBe(true);
      expect(store.isRevoked({ ...earlier, label: labels[0] as string })).toBe(false);
      store.save();
      expect(again().size).toBe(store.size);
    }));
});
