/** One contact as this profile knows them: name, keys, last addresses. */
import type { Target } from "../../net/dialler.ts";
import type { Contact, ContactStore } from "../profile/contacts.ts";
import { judgeKey, type KeyVerdict, type ProvenPeer } from "./proof.ts";

export class ContactRecord {
  readonly label: string;
  readonly #contacts: ContactStore;
  readonly #now: () => number;
  readonly #keyPending: (fingerprint: string) => void;
  readonly #storageFailed: (error: unknown) => void;
  #contact: Contact;

  /**
   * @param options.now ms since 1970
   * @param options.keyPending a key was kept that waits for the person.
   * @param options.storageFailed gets every error of a write that may fail; throws those that are no failure of the disk.
   */
  constructor(options: {
    contact: Contact;
    contacts: ContactStore;
    now: () => number;
    keyPending: (fingerprint: string) => void;
    storageFailed: (error: unknown) => void;
  }) {
    this.label = options.contact.label;
    this.#contact = options.contact;
    this.#contacts = options.contacts;
    this.#now = options.now;
    this.#keyPending = options.keyPending;
    this.#storageFailed = options.storageFailed;
  }

  get contact(): Contact {
    return this.#contact;
  }

  /** The registered spelling, once it was heard. */
  get username(): string {
    return this.#contact.username;
  }

  /** What their client understood when a link was there last; undefined: unknown. */
  get features(): readonly string[] | undefined {
    return this.#contacts.features(this.#contact);
  }

  /** The addresses at which they last were. */
  get targets(): Target[] {
    return this.#contacts.targets(this.#contact);
  }

  /** Stores the registered spelling and the current addresses. */
  moved(username: string, targets: readonly Target[]): void {
    this.rename(username);
    this.#tryTo(() => this.#contacts.saveTargets(this.#contact, targets));
  }

  /** Stores what their client says that it understands. */
  learn(features: readonly string[]): void {
    this.#tryTo(() => this.#contacts.saveFeatures(this.#contact, features));
  }

  rename(username: string): void {
    if (username === this.username) return;
    this.#tryTo(() => this.#contacts.rename(this.#contact, username));
    this.#contact = this.#contacts.byLabel(this.label) ?? this.#contact;
  }

  /** What is not stored here is heard again on the next link. */
  #tryTo(save: () => void): void {
    try {
      save();
    } catch (error) {
      this.#storageFailed(error);
    }
  }

  /** Step 5 of the checklist; a key that must wait for the person is stored, the first key is pinned by `pin`. */
  judge(peer: ProvenPeer, atServer: string | undefined): KeyVerdict {
    const pins = this.#contacts.pins(this.#contact).map((pin) => pin.fingerprint);
    const verdict = judgeKey(pins, peer.fingerprint, atServer);
    if (verdict === "pending" && this.#contacts.savePendingKey(this.#contact, peer, this.#now())) {
      this.#keyPending(peer.fingerprint);
    }
    return verdict;
  }

  /** This key is the contact's from now on. */
  pin(peer: ProvenPeer): void {
    this.#contacts.pin(this.#contact, peer, this.#now());
  }
}
