/**
 * What two people have told each other about taking texts (PROTOCOL 5, «Consent»), as one conversation knows it.
 *
 * - Whom our person has accepted is told so at once, and at the beginning of each link until a text of theirs arrives. As
 *   long as it was not told, that wants a link. A ping behind it asks whether it has arrived.
 * - While they hold our texts, these want a link once when either side comes online, and once an hour.
 */
import type { Clock } from "../../net/clock.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Pings } from "../peer/pings.ts";
import type { Acceptance as StoredAcceptance, Answer, Consent, ConsentStore } from "../profile/consents.ts";
import type { MessengerEvent } from "./events.ts";

/** How often held texts want a link, and an acceptance is news, in ms. */
export const HELD_INTERVAL = 3_600_000;

type AcceptanceNeeds = {
  readonly record: Pick<ContactRecord, "contact" | "username">;
  readonly consents: Pick<ConsentStore, "of" | "acceptance" | "saveAcceptance" | "answer" | "saveAnswer">;
  readonly clock: Pick<Clock, "monotonic" | "now">;
  readonly storage: StorageGuard;
  readonly emit: (event: MessengerEvent) => void;
};

/** They hold our texts. `triedAt`: when the last link was wanted for them, by the monotonic clock. */
type Held = {
  readonly triedAt: number;
  /** A link is wanted now. */
  readonly isDue: boolean;
  /** They went offline since. */
  readonly isAway: boolean;
};

type TellingLink = Pick<PeerLink, "send"> & {
  readonly pings: Pick<Pings, "count" | "answers">;
};

export class Acceptance {
  readonly #needs: AcceptanceNeeds;
  #consent: Consent["name"];
  #owed: StoredAcceptance;
  #held: Held | undefined;
  /** When it was last news that they have accepted us, by the monotonic clock. */
  #acceptedAt = -Infinity;
  /** Where they were told, and how many pings had been sent there then. */
  #told = new WeakMap<object, number>();

  /** @throws SQLiteError */
  constructor(needs: AcceptanceNeeds) {
    this.#needs = needs;
    const { consents, record, clock } = needs;
    this.#consent = consents.of(record.contact, clock.now()).name;
    this.#owed = consents.acceptance(record.contact);
  }

  /** What they are to this account. */
  get consent(): Consent["name"] {
    // Only time changes it without us.
    if (this.#consent === "declined") this.reload();
    return this.#consent;
  }

  /** Whether they see signs of us, and we of them. */
  get isHeard(): boolean {
    const { consent } = this;
    return consent === "contact" || consent === "unasked";
  }

  /** Whether they have not been told that they are accepted. */
  get isUntold(): boolean {
    return this.#owed === "untold";
  }

  /** Whether they hold our texts, as was said on a link of this process. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Whether a link is wanted once for texts that they hold. */
  get isDue(): boolean {
    return this.#held?.isDue === true;
  }

  /** Whether texts to them want a link now. */
  get textsWantLink(): boolean {
    return !this.isHeld || this.isDue;
  }

  /** What they are may have changed. @returns whether somebody who asked was accepted */
  reload(): boolean {
    const { consents, record, clock, storage } = this.#needs;
    const before = this.#owed;
    storage.attempt(() => {
      this.#consent = consents.of(record.contact, clock.now()).name;
      this.#owed = consents.acceptance(record.contact);
    });
    return this.#owed === "untold" && before !== "untold";
  }

  /** Tells them on a link that they are accepted, unless they know it or were told there. */
  tell(link: TellingLink): void {
    if (this.#owed === "settled" || this.#told.has(link)) return;
    link.send({ action: "accepted" });
    if (this.#owed === "told") return;
    link.send({ action: "ping" });
    this.#told.set(link, link.pings.count);
  }

  /**
   * Tells them on all links that they are accepted. @returns the links on which something of theirs was held, and will
   * not be taken; undefined: they know it
   */
  tellAll(links: readonly PeerLink[]): readonly PeerLink[] | undefined {
    const holding = this.isHeard ? links.filter(({ isHolding }) => isHolding) : [];
    if (holding.length > 0 && this.#owed === "settled") this.#owe("untold");
    if (this.#owed !== "untold") return undefined;
    for (const link of links) {
      this.tell(link);
      link.flush();
    }
    return holding;
  }

  /** They have answered a ping. */
  pong(link: TellingLink): void {
    const pings = this.#told.get(link);
    if (this.#owed === "untold" && pings !== undefined && link.pings.answers >= pings) this.#owe("told");
  }

  /** A text of theirs was taken. They know, unless it came on a link on which they were not told. */
  tookText(link: object): void {
    if (this.#owed === "told" || (this.#owed === "untold" && this.#told.has(link))) this.#owe("settled");
  }

  #owe(owed: StoredAcceptance): void {
    const { consents, record, storage } = this.#needs;
    this.#owed = owed;
    this.#told = new WeakMap();
    storage.attempt(() => consents.saveAcceptance(record.contact, owed));
  }

  /** They say that they hold our texts. */
  held(): void {
    const isKnown = this.#held !== undefined;
    this.#held = { triedAt: this.#needs.clock.monotonic(), isDue: false, isAway: false };
    this.#save("held");
    if (!isKnown) this.reportHeld();
  }

  /** Texts wait until they accept. */
  reportHeld(): void {
    const { emit, record } = this.#needs;
    emit({ name: "held", to: record.username });
  }

  /**
   * They say that they have accepted us. That is news once in a time: somebody may hold texts and accept us in turns.
   * @param isAsked whether our person has written to them
   * @returns whether it is news
   */
  accepted(isAsked: boolean): boolean {
    const { clock, emit, record } = this.#needs;
    this.#held = undefined;
    const isNew = this.#save("accepted");
    const now = clock.monotonic();
    if (!isNew || now - this.#acceptedAt < HELD_INTERVAL) return false;
    this.#acceptedAt = now;
    if (isAsked) emit({ name: "accepted", username: record.username });
    return true;
  }

  /** They have taken everything. */
  allTaken(): void {
    if (this.#held === undefined) return;
    this.#held = undefined;
    this.#save("nothing");
  }

  /** @returns whether it is new */
  #save(answer: Answer): boolean {
    const { consents, record, storage } = this.#needs;
    return (
      storage.attempt(() => {
        const isNew = consents.answer(record.contact) !== answer;
        if (isNew) consents.saveAnswer(record.contact, answer);
        return isNew;
      }) === true
    );
  }

  /** We have come online, or back to the network. */
  cameOnline(): void {
    if (this.#held !== undefined) this.#held = { ...this.#held, isDue: true };
  }

  /** The server reports their presence, maybe again. */
  presence(online: boolean): void {
    if (this.#held === undefined) return;
    const { isDue, isAway } = this.#held;
    this.#held = { ...this.#held, isDue: isDue || (online && isAway), isAway: !online };
  }

  /** To be called about once a second. @returns whether a link is wanted from now on */
  tick(): boolean {
    const now = this.#needs.clock.monotonic();
    if (this.#held === undefined || this.#held.isDue || now - this.#held.triedAt < HELD_INTERVAL)
      return false;
    this.#held = { ...this.#held, triedAt: now, isDue: true };
    return true;
  }
}
