/** What is wanted of one person now: a link, their presence, and how urgently. */
import type { Acceptance } from "./acceptance.ts";
import type { Delivery } from "./delivery.ts";
import type { Verification } from "./verification.ts";

type WantsNeeds = {
  readonly delivery: Pick<Delivery, "waiting">;
  readonly acceptance: Pick<Acceptance, "consent" | "textsWantLink" | "isHeld" | "isUntold">;
  readonly verification: Pick<Verification, "isOpen">;
  readonly isConnected: () => boolean;
};

/** What wants a link, or somebody's presence, besides texts, chats and verifications. */
export type HoldReason = "transfer" | "group" | "groupFile";

/** @returns whether the set has changed */
function change(set: Set<HoldReason>, reason: HoldReason, isIn: boolean): boolean {
  if (set.has(reason) === isIn) return false;
  return isIn ? set.add(reason).has(reason) : set.delete(reason);
}

export class Wants {
  readonly #needs: WantsNeeds;
  /** On how many screens the chat is open. */
  openChats = 0;
  /** What wants a link now. */
  readonly #holds = new Set<HoldReason>();
  /** What wants to know when they come and go, linked or not. */
  readonly #watches = new Set<HoldReason>();
  /** Whether a message was queued since this process began: somebody waits for its delivery. */
  hasQueued = false;
  #listedPresence = false;

  constructor(needs: WantsNeeds) {
    this.#needs = needs;
  }

  /** It wants a link from now on, or no longer does. @returns whether that is new */
  hold(reason: HoldReason, isWanted: boolean): boolean {
    return change(this.#holds, reason, isWanted);
  }

  /** As `hold`, of news when they come and go. */
  watch(reason: HoldReason, isWanted: boolean): boolean {
    return change(this.#watches, reason, isWanted);
  }

  /** Whether anything but texts wants something of this person. */
  get isAny(): boolean {
    return this.isLookedAt || this.#holds.size > 0 || this.#watches.size > 0;
  }

  get isChatOpen(): boolean {
    return this.openChats > 0;
  }

  /** Whether the chat or the verification is open. */
  get isLookedAt(): boolean {
    return this.isChatOpen || this.#needs.verification.isOpen;
  }

  /** Whether a message that they may take is unacknowledged, or they do not know yet that we have accepted them. */
  get hasToSay(): boolean {
    const { delivery, acceptance } = this.#needs;
    return (delivery.waiting > 0 && acceptance.textsWantLink) || acceptance.isUntold;
  }

  /**
   * Whether there is something to say, a transfer or a group wants it, or the chat or the verification is open; never with somebody
   * who is blocked.
   */
  get link(): boolean {
    const isNeeded = this.hasToSay || this.#holds.size > 0 || this.#needs.verification.isOpen;
    if (!isNeeded && !this.isChatOpen) return false;
    const { consent } = this.#needs.acceptance;
    // Whose request is only read, or was declined, learns nothing of that.
    return consent !== "blocked" && (isNeeded || (consent !== "request" && consent !== "declined"));
  }

  /** Whether somebody waits for a link right now: they look at it, or what they have just sent is unacknowledged. */
  get isAwaited(): boolean {
    return this.isLookedAt || (this.hasQueued && this.#needs.delivery.waiting > 0);
  }

  /** Whether `presence` is other than in the last list of those whose presence is reported. */
  get hasPresenceChanged(): boolean {
    return this.presence !== this.#listedPresence;
  }

  /** The list is made: @returns `presence` */
  listPresence(): boolean {
    return (this.#listedPresence = this.presence);
  }

  /** Whether the server should report this person's presence: it is shown, or tells when to dial. */
  get presence(): boolean {
    const { acceptance, delivery, isConnected } = this.#needs;
    const { isHeld, isUntold, consent } = acceptance;
    // While they hold texts it is watched all the time, so that a new report of it is news.
    const isWaiting = delivery.waiting > 0 && (isHeld || !isConnected());
    const isMissed = !isConnected() && (isUntold || this.#holds.size > 0);
    return consent !== "blocked" && (this.isLookedAt || this.#watches.size > 0 || isWaiting || isMissed);
  }
}
