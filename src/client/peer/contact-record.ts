/** One contact as this profile knows them: name, keys, last addresses. */
import type { Target } from "../../net/dialler.ts";
import type { Contact, ContactStore } from "../profile/contacts.ts";
import type { MessengerEvent } from "../conversation/events.ts";
import { isStorageFailure } from "../disk/sqlite.ts";
import { judgeKey, type KeyVerdict, type ProvenPeer, type ServerWord } from "./proof.ts";

export class ContactRecord {
  readonly label: string;
  readonly #contacts: ContactStore;
  readonly #now: () => number;
  readonly #emit: (event: MessengerEvent) => void;
  #contact: Contact;

  /** @param options.now ms since 1970 */
  constructor(options: {
    contact: Contact;
    contacts: ContactStore;
    now: () => number;
    emit: (event: MessengerEvent) => void;
  }) {
    this.label = options.contact.label;
    this.#contact = options.contact;
    this.#contacts = options.contacts;
    this.#now = options.now;
    this.#emit = options.emit;
  }

  get contact(): Contact {
    return this.#contact;
  }

  /** The registered spelling, once it was heard. */
  get username(): string {
    return this.#contact.username;
  }

  /** The addresses at which they last were. */
  get targets(): Target[] {
    return this.#contacts.targets(this.#contact);
  }

  /** Takes the registered spelling and the addresses of the moment. */
  moved(username: string, targets: readonly Target[]): void {
    this.rename(username);
    this.#tryTo(() => this.#contacts.saveTargets(this.#contact, targets));
  }

  /** Takes what their client says to understand. */
  learn(features: readonly string[]): void {
    this.#tryTo(() => this.#contacts.saveFeatures(this.#contact, features));
  }

  rename(username: string): void {
    if (username === this.username) return;
    this.#tryTo(() => this.#contacts.rename(this.#contact, username));
    this.#contact = this.#contacts.byLabel(this.label) ?? this.#contact;
  }

  /** A name or an address that is not kept is heard again. */
  #tryTo(save: () => void): void {
    try {
      save();
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#emit({ name: "storageFailed", error });
    }
  }

  /** Step 5 of the checklist; a key that must wait is kept and told of, the first key is pinned by `pin`. */
  judge(peer: ProvenPeer, word: ServerWord): KeyVerdict {
    const pins = this.#contacts.pins(this.#contact).map((pin) => pin.fingerprint);
    const verdict = judgeKey(pins, peer.fingerprint, word);
    if (verdict === "pending" && this.#contacts.savePendingKey(this.#contact, peer, this.#now())) {
      this.#emit({ name: "keyPending", username: this.username, fingerprint: peer.fingerprint });
    }
    return verdict;
  }

  /** This key is the contact's from now on. */
  pin(peer: ProvenPeer): void {
    this.#contacts.pin(this.#contact, peer, this.#now());
  }
}
