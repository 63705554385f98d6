/**
 * Safety numbers, with which two people compare their keys, and the acceptance of a changed key: a key is accepted
 * only if its number was shown, and if its person was never verified. Needs no network.
 */
import { fingerprint, safetyNumber } from "../identity/fingerprint.ts";
import type { Contact, ContactKey } from "./profile/contacts.ts";
import type { Profile } from "./profile/profile.ts";

export type SafetyNumber = {
  /** Twelve groups of five digits. */
  readonly number: string;
  /** Of the other person's key: 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** The person has not accepted this key yet. */
  readonly pending: boolean;
  /** It was verified by the code. */
  readonly verified: boolean;
};

/** The safety numbers with one person. */
type SafetyNumbersWith = {
  /** The registered spelling if it is known. */
  readonly username: string;
  /** One for each known key, the pending one last; empty: no key of this person is known. */
  readonly numbers: readonly SafetyNumber[];
};

export type Acceptance =
  /** `number`: of the accepted key. */
  | { readonly result: "accepted"; readonly number: SafetyNumber }
  /** No key is pending. */
  | { readonly result: "none" }
  /** Another key has arrived since one was shown, so the person has compared the wrong one. */
  | { readonly result: "changed_again" }
  /** The number was not shown yet. */
  | { readonly result: "not_shown" }
  /** The person was verified: a new key of theirs is not accepted, but verified too. */
  | { readonly result: "verification_needed" };

/** Every method throws SQLiteError when the disk fails. */
export class SafetyNumbers {
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  /** The fingerprint of this account's key on this machine: 64 hexadecimal digits. */
  get ownFingerprint(): string {
    return fingerprint(this.#profile.keys.spki);
  }

  /** @param options.markShown the caller shows the numbers, so that the pending key can be accepted afterwards */
  with(username: string, options: { readonly markShown: boolean }): SafetyNumbersWith {
    const { contacts } = this.#profile;
    const contact = contacts.find(username);
    if (contact === undefined) return { username, numbers: [] };
    const pending = contacts.pendingKey(contact);
    if (pending !== undefined && options.markShown) contacts.markShown(contact, pending.fingerprint);
    const numbers = contacts.pins(contact).map((key) => this.#numberOf(contact, key, false));
    if (pending !== undefined) numbers.push(this.#numberOf(contact, pending, true));
    return { username: contact.username, numbers };
  }

  /**
   * Pins the pending key, if its number is the last one that was shown.
   * @param now ms since 1970
   * @param shownHere fingerprint of the key whose number the caller has shown last; undefined: the one that any
   * process of this account has shown last
   */
  acceptPending(username: string, now: number, shownHere?: string): Acceptance {
    const { contacts } = this.#profile;
    const contact = contacts.find(username);
    const pending = contact === undefined ? undefined : contacts.pendingKey(contact);
    if (contact === undefined || pending === undefined) return { result: "none" };
    if (this.#isVerified(contact)) return { result: "verification_needed" };
    const shown = shownHere ?? pending.shown;
    if (shown === undefined) return { result: "not_shown" };
    if (shown !== pending.fingerprint) return { result: "changed_again" };
    contacts.pin(contact, pending, now);
    return { result: "accepted", number: this.#numberOf(contact, pending, false) };
  }

  /**
   * The person counts as never verified from now on: a new key of theirs can be accepted.
   * @returns false: they were not verified
   */
  withdrawVerification(username: string): boolean {
    const contact = this.#profile.contacts.find(username);
    if (contact === undefined || !this.#isVerified(contact)) return false;
    this.#profile.verifications.withdraw(contact);
    return true;
  }

  #isVerified(contact: Contact): boolean {
    return this.#profile.verifications.verifiedAt(contact) !== undefined;
  }

  #numberOf(contact: Contact, key: ContactKey, pending: boolean): SafetyNumber {
    const { username, keys } = this.#profile;
    const number = safetyNumber(
      { name: username, spki: keys.spki },
      { name: contact.username, spki: key.spki },
    );
    // The keys of a person are verified all or none.
    const verified = !pending && this.#isVerified(contact);
    return { number, fingerprint: key.fingerprint, pending, verified };
  }
}
