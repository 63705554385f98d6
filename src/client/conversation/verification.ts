/**
 * The verification of one person by the code: when it is open, on which link its exchange runs (`identity/verification.ts`),
 * and what is stored of it.
 *
 * 1. A person opens it. The side that commits does so on its current link, once that has lasted a moment: both may have
 *    dialled at the same time, and one of the two links is about to end. The other side follows to the link on which the
 *    commitment came.
 * 2. Once a nonce was revealed, the exchange stays on its link. If that is lost, the person has to open it again; before,
 *    it begins anew on the next link. So each opening reveals one nonce, on one link.
 * 3. A link with a key that waits for this verification is held here alone, before the conversation's, and ends with it.
 * 4. That a nonce is revealed is stored first, so that whatever happens the next code waits, and longer each time.
 */
import { randomBytes } from "node:crypto";

import {
  IDLE,
  isGuessed,
  stepExchange,
  type Exchange,
  type ExchangeAction,
  type ExchangeEvent,
} from "../../identity/verification.ts";
import {
  commits,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  NONCE_BYTES,
  type VerifiedLink,
} from "../../identity/verification-code.ts";
import { VERIFY_FEATURE, type VerifyMessage } from "../../protocol/peer-messages.ts";
import { DEAD_AFTER, PING_AFTER } from "../peer/link-watch.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Contact } from "../profile/contacts.ts";
import type { VerificationEnding, VerificationNews } from "./events.ts";
import type { ConversationNeeds } from "./needs.ts";

/** How long a link has to be the current one before its side commits on it, in ms. */
export const SETTLE_TIME = 1_000;
/** The other person's opening it is told at most once in this time, in ms: somebody may open and close it for ever. */
const ASKED_INTERVAL = 30_000;

/** The parts of a link that a verification uses. */
type VerifyingLink = Pick<PeerLink, "peer" | "features" | "send" | "exportKey">;
/** Those of one with a key that waits. */
type PendingLink = VerifyingLink & Pick<PeerLink, "lastReadAt" | "bye" | "end" | "terminate">;

export type OpenedVerification =
  | { readonly result: "opened" }
  /** `retry_after`: s, at least 1. */
  | { readonly result: "too_soon"; readonly retry_after: number };

type VerificationOptions = {
  readonly needs: Pick<ConversationNeeds, "profile" | "own" | "clock" | "storage">;
  readonly contact: () => Contact;
  readonly tell: (news: VerificationNews) => void;
  /** Whether our person may be told that the other one has opened it: not of a stranger. */
  readonly mayTellAsked: () => boolean;
  /** It is closed, with this outcome; `hadPending`: and with it the link of a key that waited. */
  readonly closed: (ending: VerificationEnding, hadPending: boolean) => void;
};

type Since<L> = { readonly link: L; readonly since: number };
/** `link`: what is known of the link `on` which it runs. */
type Exchanging = { readonly on: VerifyingLink; readonly link: VerifiedLink; exchange: Exchange };

export class Verification {
  readonly #options: VerificationOptions;
  /** At which faces our person has opened it, and whether a nonce was revealed since; undefined: it is closed. */
  #opening: { readonly faces: ReadonlySet<object>; readonly isGuessUsed: boolean } | undefined;
  /** The link that the conversation uses, and since when, by the monotonic clock. */
  #current: Since<VerifyingLink> | undefined;
  /** One with a key that waits. */
  #pending: Since<PendingLink> | undefined;
  /** Of each link on which a message of it was sent or received, in the order of the first one. */
  readonly #exchanges = new Map<VerifyingLink, Exchanging>();
  /** Whether our person was told last that the other one has opened it, and when, by the monotonic clock. */
  #asked = { isTold: false, at: -Infinity };

  constructor(options: VerificationOptions) {
    this.#options = options;
  }

  /** Whether our person has opened it. */
  get isOpen(): boolean {
    return this.#opening !== undefined;
  }

  /** Whether our person was told that the other one has opened it, and waits. */
  get isAsked(): boolean {
    return !this.isOpen && this.#asked.isTold;
  }

  /** Our person wants to compare a code, at this face. If it is open already, its state is told again. @throws SQLiteError */
  open(face: object): OpenedVerification {
    const left = this.isOpen ? 0 : this.#waitLeft();
    if (left > 0) return { result: "too_soon", retry_after: Math.ceil(left / 1_000) };
    const { faces = [], isGuessUsed = false } = this.#opening ?? {};
    this.#opening = { faces: new Set([...faces, face]), isGuessUsed };
    this.#asked.isTold = false;
    const { exchange } = this.#running ?? {};
    const code = exchange?.name === "comparing" ? exchange.code : undefined;
    this.#options.tell(code === undefined ? { state: "waiting" } : { state: "code", code });
    this.#begin();
    return { result: "opened" };
  }

  /** A face at which it was opened is gone, and with the last one the verification ends. */
  leave(face: object): void {
    if (this.#opening?.faces.has(face) !== true) return;
    const faces = new Set(this.#opening.faces);
    faces.delete(face);
    if (faces.size === 0) this.close();
    else this.#opening = { ...this.#opening, faces };
  }

  /** Our person compares no longer, at whichever face they have said so. */
  close(): void {
    if (!this.isOpen) return;
    for (const link of this.#exchanges.keys()) this.#step(link, { name: "closed" });
    this.#end("closed");
  }

  /** Our person has compared the code. @returns whether there is one */
  answer(same: boolean): boolean {
    const running = this.#running;
    if (running?.exchange.name !== "comparing") return false;
    this.#step(running.on, { name: "answered", same });
    return true;
  }

  /** The conversation uses this link from now on; undefined: there is none. */
  use(link: VerifyingLink | undefined): void {
    if (link === this.#current?.link) return;
    this.#current = link && { link, since: this.#options.needs.clock.monotonic() };
    this.#begin();
  }

  take(message: VerifyMessage, link: VerifyingLink): void {
    this.#step(link, { name: "message", message });
    this.#begin();
    this.#tellAsked();
  }

  /** To be called about once a second. */
  tick(): void {
    this.#watchPending();
    this.#tellAsked();
  }

  /** Nobody else sees whether it is still there. */
  #watchPending(): void {
    if (this.#pending === undefined) return;
    const { link } = this.#pending;
    const silence = this.#options.needs.clock.monotonic() - link.lastReadAt;
    if (silence >= DEAD_AFTER) link.terminate("dead");
    else if (silence >= PING_AFTER) link.send({ action: "ping" });
  }

  /** Tells whether the other person has opened it. */
  #tellAsked(): void {
    if (!this.#options.mayTellAsked()) return;
    // While ours has opened it too, that is no news.
    const isAsked = [...this.#exchanges.values()].some(({ exchange }) => exchange.name === "asked");
    if (this.isOpen || isAsked === this.#asked.isTold) return;
    const now = this.#options.needs.clock.monotonic();
    if (isAsked && now - this.#asked.at < ASKED_INTERVAL) return;
    this.#asked = { isTold: isAsked, at: isAsked ? now : this.#asked.at };
    this.#options.tell({ state: isAsked ? "asked" : "withdrawn" });
  }

  /** There is a link with a key that waits. */
  pendingCompleted(link: PendingLink): void {
    if (!this.isOpen) {
      link.bye("verification_over");
      return;
    }
    this.#pending?.link.end("replaced");
    this.#pending = { link, since: this.#options.needs.clock.monotonic() };
    this.#begin();
  }

  /** A link is closed. */
  closed(link: VerifyingLink): void {
    if (link === this.#current?.link) this.#current = undefined;
    if (link === this.#pending?.link) this.#pending = undefined;
    const isLost = this.#running?.on === link;
    this.#exchanges.delete(link);
    if (isLost) this.#end("lost");
    this.#begin();
    this.#tellAsked();
  }

  /** The exchange in which our nonce was revealed; there is one at most. */
  get #running(): Exchanging | undefined {
    return [...this.#exchanges.values()].find(({ exchange }) => isGuessed(exchange));
  }

  /** The last link on which the other side has committed, and waits for us. */
  get #committed(): VerifyingLink | undefined {
    const isWaiting = ({ exchange }: Exchanging) => exchange.name === "asked" && exchange.hash !== undefined;
    return [...this.#exchanges.values()].findLast(isWaiting)?.on;
  }

  /** Begins the exchange if it is open, and none is running. */
  #begin(): void {
    const { needs, contact } = this.#options;
    if (!this.isOpen || this.#running !== undefined) return;
    const committed = this.#committed;
    const own = this.#pending ?? this.#current;
    const link = committed ?? own?.link;
    if (link === undefined || this.#exchanges.get(link)?.exchange.name === "waiting") return;
    if (!link.features.includes(VERIFY_FEATURE)) {
      this.#end("not_supported");
      return;
    }
    if (committed === undefined && commits({ own: needs.own, peer: contact() })) {
      const age = needs.clock.monotonic() - (own?.since ?? 0);
      if (age < SETTLE_TIME) {
        needs.clock.after(SETTLE_TIME - age, () => this.#begin());
        return;
      }
    }
    // Nothing is revealed on another link any more.
    for (const other of this.#exchanges.values()) if (other.on !== link) other.exchange = IDLE;
    this.#step(link, { name: "opened", nonce: randomBytes(NONCE_BYTES) });
  }

  /** @throws SQLiteError */
  #waitLeft(): number {
    const { needs, contact } = this.#options;
    return needs.profile.verifications.waitLeft(contact(), needs.clock.now());
  }

  #step(on: VerifyingLink, event: ExchangeEvent): void {
    const exchanging = this.#exchanges.get(on) ?? this.#newExchange(on);
    if (exchanging === undefined) return;
    const { exchange, actions } = stepExchange(exchanging.link, exchanging.exchange, event);
    exchanging.exchange = exchange;
    for (const action of actions) {
      if (this.#act(action, on)) continue;
      // What would have been revealed stays here.
      exchanging.exchange = IDLE;
      on.send({ action: "verify_done", code: "closed" });
      this.#end("storage_failed");
      return;
    }
  }

  /** Undefined if the link is closed already. */
  #newExchange(on: VerifyingLink): Exchanging | undefined {
    const exported = on.exportKey(EXPORTER_LABEL, EXPORTER_BYTES);
    if (exported === undefined) return undefined;
    const { label, spki } = on.peer;
    const { own } = this.#options.needs;
    const exchanging = { on, link: { exported, own, peer: { label, spki } }, exchange: IDLE };
    this.#exchanges.set(on, exchanging);
    return exchanging;
  }

  /** @returns false: it must not go on, because this could not be stored */
  #act(action: ExchangeAction, link: VerifyingLink): boolean {
    const { needs, contact, tell } = this.#options;
    switch (action.name) {
      case "send":
        link.send(action.message);
        return true;
      case "guess":
        if (this.#opening !== undefined) this.#opening = { ...this.#opening, isGuessUsed: true };
        return this.#stores(() => needs.profile.verifications.noteGuess(contact(), needs.clock.now()));
      case "code":
        tell({ state: "code", code: action.code });
        return true;
      case "outcome": {
        const { verifications } = needs.profile;
        const isStored =
          action.outcome !== "verified" ||
          this.#stores(() => verifications.verify(contact(), link.peer, needs.clock.now()));
        this.#end(isStored ? action.outcome : "storage_failed");
        return true;
      }
      default:
        return action satisfies never;
    }
  }

  #stores(write: () => void): boolean {
    const isDone = this.#options.needs.storage.attempt(() => {
      write();
      return true;
    });
    return isDone === true;
  }

  #end(ending: VerificationEnding): void {
    const { needs, contact, tell, closed } = this.#options;
    if (this.#opening === undefined) return;
    const { isGuessUsed } = this.#opening;
    this.#opening = undefined;
    // The wait begins when the people are told, however long they have compared.
    if (isGuessUsed) this.#stores(() => needs.profile.verifications.noteEnd(contact(), needs.clock.now()));
    const left = needs.storage.attempt(() => this.#waitLeft()) ?? 0;
    tell({ state: ending, retryAt: left === 0 ? undefined : needs.clock.now() + left });
    const pending = this.#pending?.link;
    pending?.bye("verification_over");
    closed(ending, pending !== undefined);
  }
}
