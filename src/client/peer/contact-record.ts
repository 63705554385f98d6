/** What is stored of one contact: name, keys, features, last addresses. */
import { isAmong, type Target } from "../../net/dialler.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { ConsentStore } from "../profile/consents.ts";
import { unstored, type Contact, type ContactStore } from "../profile/contacts.ts";
import type { VerificationStore } from "../profile/verifications.ts";
import { judgeKey, type KeyReport, type LinkVerdict, type ProvenPeer } from "./proof.ts";

/** A pending key gives way to another one no sooner in one process, in ms: somebody may show thousands. */
export const PENDING_KEY_INTERVAL = 60_000;
/** At most one warning about new keys of a contact in this time, in ms: somebody may show thousands. */
export const KEY_WARNING_INTERVAL = 3_600_000;

type ContactRecordOptions = {
  /** Somebody who is not stored yet, too. */
  readonly contact: Contact;
  readonly contacts: ContactStore;
  readonly consents: Pick<ConsentStore, "isContact">;
  /** ms since 1970 */
  readonly now: () => number;
  readonly verifications: Pick<VerificationStore, "verifiedAt">;
  /** A key waits for the person's decision; called once in `KEY_WARNING_INTERVAL`. */
  readonly keyPending: (fingerprint: string, isVerified: boolean) => void;
  /** Whether the person has opened the verification. */
  readonly isVerifying: () => boolean;
  readonly storage: StorageGuard;
};

export class ContactRecord {
  readonly #options: ContactRecordOptions;
  readonly #storage: StorageGuard;
  readonly #contacts: ContactStore;
  #contact: Contact;
  /** When a pending key was last stored, ms since 1970; undefined: not in this process. */
  #pendedAt: number | undefined;
  /** The last warning. */
  #warned: { readonly fingerprint: string; readonly at: number } | undefined;
  /** Whether a key was stored after it. */
  #isWarningOwed = false;
  /** Whether they are reached by the relay only, as the server said last where one of both asked to meet. */
  isRelayOnly = false;

  constructor(options: ContactRecordOptions) {
    this.#options = options;
    this.#storage = options.storage;
    this.#contacts = options.contacts;
    this.#contact = options.contact;
  }

  get contact(): Contact {
    return this.#contact;
  }

  get label(): string {
    return this.#contact.label;
  }

  /** The registered spelling if it is known. */
  get username(): string {
    return this.#contact.username;
  }

  /** The features of their client on the last link; undefined: unknown. @throws SQLiteError */
  get features(): readonly string[] | undefined {
    return this.#contacts.features(this.#contact);
  }

  /** Their last known addresses: the one to which a dial has led last comes first. @throws SQLiteError */
  get targets(): readonly Target[] {
    return this.#contacts.targets(this.#contact);
  }

  /** Whether a key of theirs is known. @throws SQLiteError */
  get hasKey(): boolean {
    return this.#contacts.hasPins(this.#contact);
  }

  /** Whether the person was verified: then a new key of theirs is not accepted, but verified. @throws SQLiteError */
  get isVerified(): boolean {
    return this.#options.verifications.verifiedAt(this.#contact) !== undefined;
  }

  // If one of the next four writes fails, the next link brings the same information.

  /** Stores the registered spelling and the current addresses. */
  moved(username: string, targets: readonly Target[]): void {
    this.rename(username);
    this.#storage.attempt(() => this.#saveTargets(targets, this.targets[0]));
  }

  /** A dial has led to them there. */
  reached(target: Target): void {
    this.#storage.attempt(() => this.#saveTargets(this.targets, target));
  }

  /** @param first is the first if it is among them */
  #saveTargets(targets: readonly Target[], first: Target | undefined): void {
    const rank = (target: Target) => (first !== undefined && isAmong(target, [first]) ? 0 : 1);
    this.#contacts.saveTargets(
      this.#contact,
      targets.toSorted((a, b) => rank(a) - rank(b)),
    );
  }

  /** Stores the features of their client. */
  learn(features: readonly string[]): void {
    this.#storage.attempt(() => this.#contacts.saveFeatures(this.#contact, features));
  }

  rename(username: string): void {
    if (username === this.username) return;
    this.#storage.attempt(() => {
      this.#contacts.rename(this.#contact, username);
      this.#contact = this.#contacts.byLabel(this.label) ?? unstored(username);
    });
  }

  get isStored(): boolean {
    return this.#contact.id !== 0;
  }

  /**
   * Stores somebody who may not be stored yet, with the key of this peer, if it is the first. If that is committed, `use`
   * takes what it gives. @throws SQLiteError
   */
  store(peer: ProvenPeer | undefined): Contact {
    const contact = this.isStored ? this.#contact : this.#contacts.ensure(this.username);
    if (peer !== undefined && !this.#contacts.hasPins(contact))
      this.#contacts.pin(contact, peer, this.#options.now());
    return contact;
  }

  use(contact: Contact): void {
    this.#contact = contact;
  }

  /**
   * Step 5 of the checklist. A key of a contact that waits for the person's decision is stored; the first key is left to
   * `pin`.
   * @throws SQLiteError
   */
  judge(peer: ProvenPeer, report: KeyReport): LinkVerdict {
    // So it is with nearly every link.
    if (this.#contacts.isPinned(this.label, peer.fingerprint)) return "pinned";
    const pins = this.#contacts.pins(this.#contact).map((pin) => pin.fingerprint);
    const verdict = judgeKey(pins, peer.fingerprint, report);
    if (verdict !== "pending") return verdict;
    // Nobody waits for a stranger's key.
    if (this.#options.consents.isContact(this.label)) this.#pend(peer, pins);
    return this.#options.isVerifying() ? "verifies" : verdict;
  }

  /** Stores a key for the person's decision, and warns them unless they were just warned and have accepted none since. */
  #pend(peer: ProvenPeer, pins: readonly string[]): void {
    const now = this.#options.now();
    const isTooSoon =
      this.#pendedAt !== undefined &&
      Math.abs(now - this.#pendedAt) < PENDING_KEY_INTERVAL &&
      this.#contacts.pendingKey(this.#contact) !== undefined;
    if (!isTooSoon && this.#contacts.savePendingKey(this.#contact, peer, now)) {
      this.#pendedAt = now;
      this.#isWarningOwed = true;
    }
    const last = this.#warned;
    const isRecent = last !== undefined && Math.abs(now - last.at) < KEY_WARNING_INTERVAL;
    if (!this.#isWarningOwed || (isRecent && !pins.includes(last.fingerprint))) return;
    const { fingerprint } = this.#contacts.pendingKey(this.#contact) ?? peer;
    this.#isWarningOwed = false;
    this.#warned = { fingerprint, at: now };
    this.#options.keyPending(fingerprint, this.isVerified);
  }

  /** The first key of somebody who is stored; of a stranger it is stored with their request. @throws SQLiteError */
  pin(peer: ProvenPeer): void {
    if (this.isStored) this.#contacts.pin(this.#contact, peer, this.#options.now());
  }
}
