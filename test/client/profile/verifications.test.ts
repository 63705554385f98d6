import { expect, test } from "bun:test";

import type { Contact } from "../../../src/client/profile/contacts.ts";
import { GUESS_WAITS, VerificationStore } from "../../../src/client/profile/verifications.ts";
import { fingerprint } from "../../../src/identity/fingerprint.ts";
import { withStores, type TestStores } from "../test-profile.ts";

const NOW = Date.UTC(2027, 0, 15);
const key = (number: number) => {
  const spki = Buffer.from(`key ${number}`);
  return { spki, fingerprint: fingerprint(spki) };
};

function withVerifications(
  use: (stores: TestStores & { verifications: VerificationStore; ana: Contact }) => void,
): Promise<void> {
  return withStores((stores) => {
    const verifications = new VerificationStore(stores.database, stores.contacts);
    use({ ...stores, verifications, ana: stores.contacts.ensure("Ana") });
  });
}

test("a verified key is pinned, and every key that is not verified counts no more", () =>
  withVerifications(({ contacts, verifications, ana }) => {
    const pins = () => contacts.pins(ana).map((pin) => pin.fingerprint);
    const carla = contacts.ensure("Carla");
    contacts.pin(carla, key(1), 1);
    contacts.pin(ana, key(1), 1);
    contacts.pin(ana, key(2), 2);
    expect(verifications.verifiedAt(ana)).toBeUndefined();
    verifications.verify(ana, key(2), NOW);
    expect(verifications.verifiedAt(ana)).toBe(NOW);
    expect(pins()).toEqual([key(2).fingerprint]);
    // A second device is verified by itself.
    contacts.savePendingKey(ana, key(3), NOW);
    verifications.verify(ana, key(3), NOW + 1);
    expect(contacts.pendingKey(ana)).toBeUndefined();
    expect(pins().toSorted()).toEqual([key(2).fingerprint, key(3).fingerprint].toSorted());
    expect(verifications.verifiedAt(carla)).toBeUndefined();
    expect(contacts.pins(carla)).toHaveLength(1);
  }));

test("a verification that is withdrawn leaves the keys pinned", () =>
  withVerifications(({ contacts, verifications, ana }) => {
    verifications.verify(ana, key(1), NOW);
    verifications.withdraw(ana);
    expect(verifications.verifiedAt(ana)).toBeUndefined();
    expect(contacts.pins(ana)).toHaveLength(1);
  }));

test("each guess makes the next code wait longer, up to the last wait, until somebody is verified", () =>
  withVerifications(({ database, contacts, verifications, ana }) => {
    let now = NOW;
    expect(verifications.waitLeft(ana, now)).toBe(0);
    for (const wait of [...GUESS_WAITS, GUESS_WAITS.at(-1) as number]) {
      verifications.noteGuess(ana, now);
      now += 5_000;
      verifications.noteEnd(ana, now);
      expect(verifications.waitLeft(ana, now)).toBe(wait);
      expect(verifications.waitLeft(ana, now + wait - 1)).toBe(1);
      now += wait;
      expect(verifications.waitLeft(ana, now)).toBe(0);
    }
    verifications.verify(ana, key(1), now);
    verifications.noteEnd(ana, now);
    expect(verifications.waitLeft(ana, now)).toBe(0);
    verifications.noteGuess(ana, now);
    // It is on the disk.
    expect(new VerificationStore(database, contacts).waitLeft(ana, now)).toBe(GUESS_WAITS[0] as number);
  }));

test("a clock that is set back makes the wait begin anew, and no longer", () =>
  withVerifications(({ verifications, ana }) => {
    verifications.noteGuess(ana, NOW);
    expect(verifications.waitLeft(ana, NOW - 86_400_000)).toBe(10_000);
    expect(verifications.waitLeft(ana, NOW - 86_400_000 + 10_000)).toBe(0);
  }));
