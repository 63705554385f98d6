/**
 * Stores what arrives from people, as far as they may write (`consent.ts`): one for all conversations, since some
 * bounds are for all strangers together. Nobody is stored before something of theirs is.
 */
import { RELAY } from "../peer/admission.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Consent } from "../profile/consents.ts";
import type { CommittedRead, LinkRead } from "../profile/message-store.ts";
import type { Profile } from "../profile/profile.ts";
import type { NewIncoming } from "../profile/stored-message.ts";
import {
  judge,
  MAX_NEW_REQUESTS,
  MAX_RELAYED_REQUESTS,
  MAX_REQUESTS,
  MAX_REQUESTS_OF_NETWORK,
  type Judgement,
  type Who,
} from "./consent.ts";

/** The time in which MAX_NEW_REQUESTS may begin, in ms. */
const HOUR = 3_600_000;
const NOTHING: CommittedRead = { stored: [], acknowledged: [], read: [], transfers: [], refused: [] };

/** The link on which a read came. */
type Source = Pick<PeerLink, "peer" | "network">;

export type Taken = {
  readonly committed: CommittedRead;
  /** How many of the incoming messages were taken, from the first on. */
  readonly count: number;
  readonly rest: Judgement["rest"];
  /** Whether this person is no contact, and what they are may have changed. */
  readonly isStranger: boolean;
  /** The request of this person, as it is now; undefined: there is none. */
  readonly request: { readonly texts: number; readonly isNew: boolean } | undefined;
};

/** The id of another message that this one names. */
function targetOf(message: NewIncoming): string {
  if (message.kind === "control") return "";
  return (message.kind === "text" ? message.replyTo : message.target) ?? "";
}

export class Intake {
  readonly #stores: Pick<Profile, "consents" | "messages">;
  #who: Who;
  /** When requests began in this process, ms since 1970; those of the last hour count. */
  #begun: readonly number[] = [];
  /** Bytes of everybody who was taken unasked; undefined: not known. */
  #unaskedBytes: number | undefined;

  /** @throws SQLiteError */
  constructor(stores: Pick<Profile, "consents" | "messages">, who: Who) {
    this.#stores = stores;
    this.#who = who;
    this.allow(who);
  }

  /** Who may write unasked from now on. @throws SQLiteError */
  allow(who: Who): void {
    if (who === "anyone") this.#stores.consents.acceptAll();
    this.#who = who;
    this.#unaskedBytes = undefined;
  }

  /** Whether nothing of strangers is taken. */
  get refusesStrangers(): boolean {
    return this.#who === "contacts";
  }

  /** The consent of somebody was changed by this account's person. */
  changed(): void {
    this.#unaskedBytes = undefined;
  }

  /**
   * Commits one read of a contact.
   * @param now ms since 1970
   * @throws as `MessageStore.commitRead`; then nothing is stored
   */
  commitAll({ contact }: ContactRecord, read: LinkRead, now: number): Taken {
    const committed = this.#stores.messages.commitRead(contact, read, now);
    return { committed, count: read.incoming.length, rest: "none", isStranger: false, request: undefined };
  }

  /** Commits what may be taken of one read of somebody who may be no contact. @throws as `commitAll` */
  commit(record: ContactRecord, read: LinkRead, source: Source, now: number): Taken {
    const { consents, messages } = this.#stores;
    const before = consents.of(record.contact, now);
    if (before.name === "contact") return this.commitAll(record, read, now);
    const { taken: count, consent, rest } = this.#judge(before, record, read.incoming, source, now);
    const after = consent ?? before;
    const request =
      after.name === "request" ? { texts: after.request.texts, isNew: before.name !== "request" } : undefined;
    const readUpTo = after.name === "unasked" ? read.readUpTo : undefined;
    const kept = { ...read, incoming: read.incoming.slice(0, count), readUpTo };
    if (consent === undefined) {
      const isNothing = count === 0 && read.acknowledged.length === 0 && readUpTo === undefined;
      const committed = isNothing ? NOTHING : messages.commitRead(record.contact, kept, now);
      return { committed, count, rest, isStranger: true, request };
    }
    const [contact, committed] = consents.inOneCommit(() => {
      const stored = record.store(source.peer);
      const done = messages.commitRead(stored, kept, now);
      consents.save(stored, consent);
      return [stored, done];
    });
    record.use(contact);
    this.#unaskedBytes = undefined;
    if (request?.isNew === true) this.#begun = [...this.#recent(now), now];
    return { committed, count, rest, isStranger: true, request };
  }

  #judge(
    before: Exclude<Consent, { name: "contact" }>,
    { contact }: ContactRecord,
    incoming: readonly NewIncoming[],
    { network }: Source,
    now: number,
  ): Judgement {
    const { messages } = this.#stores;
    const ids = new Set<string>();
    const isDuplicate = (id: string) => {
      const isRepeated = ids.has(id);
      ids.add(id);
      return isRepeated || messages.isStored(contact, id);
    };
    return judge(
      before,
      incoming.values().map((each) => ({
        kind: each.kind === "edit" || each.kind === "withdraw" ? "action" : each.kind,
        bytes: "text" in each ? Buffer.byteLength(each.text) : 0,
        idBytes: Buffer.byteLength(each.id + targetOf(each)),
        isDuplicate: isDuplicate(each.id),
      })),
      {
        who: this.#who,
        now,
        network,
        lastSeq: () => messages.lastSeq(),
        hasRoom: () => this.#hasRoom(network, now),
        unaskedBytes: () => this.#allUnasked() - (before.name === "unasked" ? before.unasked.bytes : 0),
      },
    );
  }

  #hasRoom(network: string, now: number): boolean {
    const { all, ofNetwork, recent } = this.#stores.consents.requestCounts(network, now - HOUR);
    const most = network === RELAY ? MAX_RELAYED_REQUESTS : MAX_REQUESTS_OF_NETWORK;
    if (all >= MAX_REQUESTS || ofNetwork >= most) return false;
    // Stored are those of earlier programs too, and here are those too that were answered.
    return Math.max(recent, this.#recent(now).length) < MAX_NEW_REQUESTS;
  }

  #recent(now: number): readonly number[] {
    // The clock may have been set back.
    return this.#begun.filter((at) => Math.abs(now - at) < HOUR);
  }

  #allUnasked(): number {
    return (this.#unaskedBytes ??= this.#stores.consents.unaskedBytes());
  }
}
