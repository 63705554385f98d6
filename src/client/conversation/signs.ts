/**
 * The signs of this person that a peer sees besides texts: that they are typing, and how far they have read. Nobody sees
 * them who may not write, or who is not to be told.
 */
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Contact } from "../profile/contacts.ts";
import type { Profile } from "../profile/profile.ts";

type SignsNeeds = {
  readonly profile: Pick<Profile, "contacts" | "privacy">;
  readonly contact: () => Contact;
  /** The link that is written on; undefined: there is none, or the peer is not to see anything. */
  readonly link: () => PeerLink | undefined;
  readonly storage: StorageGuard;
};

export class Signs {
  readonly #needs: SignsNeeds;
  /** The id up to which reading was told last. */
  #told: string | undefined;

  constructor(needs: SignsNeeds) {
    this.#needs = needs;
  }

  /** @throws SQLiteError */
  typing(active: boolean): void {
    const { profile, contact, link } = this.#needs;
    if (profile.privacy.tells("typing", contact())) link()?.send({ action: "typing", active });
  }

  /** The person has read up to `seq`, which the peer receives now or on the next link. @throws SQLiteError */
  markRead(seq: number): void {
    const { profile, contact } = this.#needs;
    // A face may have saved it already.
    profile.contacts.saveReadHere(contact(), seq);
    if (profile.contacts.readHere(contact()) !== this.#told) this.tellRead();
  }

  /** Also at the beginning of each link, and if an older one has become current: the report may have been lost. */
  tellRead(): void {
    const { profile, contact, link, storage } = this.#needs;
    const current = link();
    if (current === undefined) return;
    const id = storage.attempt(() => {
      if (profile.privacy.tells("read", contact())) return profile.contacts.readHere(contact());
      return undefined;
    });
    if (id === undefined) return;
    this.#told = id;
    current.send({ action: "read", id });
  }
}
