/**
 * Decides when a person is dialled: at once when a link is needed or the person may have become reachable, and
 * again 1, 5, 15, 60 s ± 20 % after a failure or a loss, the decider first (PROTOCOL 5).
 *
 * Neither the peer nor the server can make us dial without end: a link that was of no use waits as a lost one, even
 * after `bye`, and only some news of the server is followed at once.
 */
import { isStorageFailure } from "../disk/sqlite.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { Greet, UnreachableReason } from "../peer/dial.ts";
import type { LinkId } from "../peer/link-choice.ts";
import type { PeerLinks } from "../peer/links.ts";
import type { ConversationNeeds } from "./needs.ts";

const REDIAL_DELAYS: readonly number[] = [1_000, 5_000, 15_000, 60_000];
const REDIAL_SPREAD = 0.2;
/** The side that is not the decider waits this much longer, so that both do not dial at once, in ms. */
const SECOND_DIALLER_DELAY = 3_000;
/** After `bye` on a useful link the next dial begins at least this long after the one before, in ms. */
const AT_ONCE_INTERVAL = 1_000;
/** Dials that news of the person's presence causes: this many at once, and one more every 10 s. */
const NEWS_BURST = 5;
const NEWS_INTERVAL = 10_000;
/** How much longer an attempt may take that was begun before one side's line has changed, in ms. */
const OUTDATED_TIME = 1_000;
/** After a limit of the server, clients spread their lookups over this time, in ms. */
const LIMIT_SPREAD = 2_000;

/** Reasons that may disappear by themselves; the others wait for the person or the server. */
const RETRIED: ReadonlySet<UnreachableReason> = new Set([
  "no_relay",
  "no_meeting",
  "cannot_meet",
  "meeting_blocked",
  "relay_full",
  "relay_off",
  "relay_never",
  "no_way",
  "unreachable",
  "no_answer",
  "no_server",
  "server_limits",
  "not_admitted",
  "own_key_pending",
  "greeting_refused",
  "bad_greeting",
  "no_greeting",
  "line_broke",
  "busy",
  "revoked",
  "storage_failed",
]);

/** Reasons that are answers of the person's client, or found in them: that they are online is no news then. */
const ANSWERS: ReadonlySet<UnreachableReason> = new Set([
  "key_pending",
  "not_admitted",
  "own_key_pending",
  "greeting_refused",
  "bad_greeting",
  "no_greeting",
  "busy",
]);

/** Wait before redialling, in ms. @param random in [0, 1) */
export function redialDelay(attempt: number, decider: boolean, random: number): number {
  const base = REDIAL_DELAYS[Math.min(attempt, REDIAL_DELAYS.length - 1)] as number;
  return base * (1 - REDIAL_SPREAD + 2 * REDIAL_SPREAD * random) + (decider ? 0 : SECOND_DIALLER_DELAY);
}

type DiallingOptions = {
  readonly needs: Pick<ConversationNeeds, "clock" | "random" | "dial" | "serverLimitedFor" | "storage">;
  /** Whether our label is the smaller one: then we redial first. */
  readonly decider: boolean;
  readonly record: ContactRecord;
  readonly links: PeerLinks;
  /** Whether a message is unacknowledged or the chat is open. */
  readonly wanted: () => boolean;
  /** Greets the peer on the connection that attempt `id` has opened. */
  readonly greet: (id: LinkId, ...args: Parameters<Greet>) => void;
  /** @param retryIn ms until the next attempt; undefined: it waits for the person or the server */
  readonly unreachable: (reason: UnreachableReason, retryIn: number | undefined) => void;
};

type State =
  /** `reason`: why the last attempt failed; undefined: none has failed since the last link. */
  | { readonly name: "quiet"; readonly reason: UnreachableReason | undefined }
  /** The next attempt is scheduled. `at`: when, by the monotonic clock. */
  | { readonly name: "scheduled"; readonly at: number; readonly cancel: () => void }
  /** `isOutdated`: the person may have become reachable after this attempt asked the server. */
  | { readonly name: "dialling"; readonly id: LinkId; isOutdated: boolean }
  /** There is a link. `isUseful`: it has brought an acknowledgement, or lasted long. */
  | { readonly name: "linked"; isUseful: boolean }
  /** There is a link, and we have said `bye` on it. */
  | { readonly name: "leaving" }
  /** Nothing is dialled any more. */
  | { readonly name: "closed" };

const QUIET: State = { name: "quiet", reason: undefined };

export class Dialling {
  readonly #options: DiallingOptions;
  #state: State = QUIET;
  /** Attempts since the last useful link, or since the person may have become reachable. */
  #attempts = 0;
  #wasInVain = false;
  /** When the last dial began, by the monotonic clock. */
  #dialledAt = -Infinity;
  /** When news may cause `NEWS_BURST` dials at once again, by the monotonic clock. */
  #newsRestoredAt = -Infinity;

  constructor(options: DiallingOptions) {
    this.#options = options;
  }

  /** Whether the person was reached last, and has taken nothing. */
  get wasInVain(): boolean {
    return this.#wasInVain;
  }

  /** Whether dialling waits only for the person's decision about a new key. */
  get waitsForKey(): boolean {
    return this.#state.name === "quiet" && this.#state.reason === "key_pending";
  }

  connectIfWanted(): void {
    if (this.#options.wanted()) this.connect();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    if (this.#state.name !== "quiet" && this.#state.name !== "scheduled") return;
    if (this.#state.name === "scheduled") this.#state.cancel();
    const { needs, record, links, greet } = this.#options;
    this.#dialledAt = needs.clock.monotonic();
    const { id, signal } = links.startDial();
    this.#state = { name: "dialling", id, isOutdated: false };
    needs
      .dial(record, signal, (...greeted) => greet(id, ...greeted))
      .then((failure) => {
        if (failure !== undefined) this.failed(id, failure);
      })
      .catch((error: unknown) => {
        this.failed(id, isStorageFailure(error) ? "storage_failed" : "unreachable");
        needs.storage.failed(error);
      });
  }

  /**
   * The person may have become reachable: dials at once, and the waits are short again. News that comes too often is
   * followed later.
   */
  resetAndConnect(): void {
    const state = this.#state;
    if (!this.#options.wanted() || state.name === "linked" || state.name === "leaving") return;
    // The current dial may have asked the server before the person came online.
    if (state.name === "dialling") {
      state.isOutdated = true;
      return;
    }
    const now = this.#options.needs.clock.monotonic();
    const followedAt = this.#newsRestoredAt - (NEWS_BURST - 1) * NEWS_INTERVAL;
    if (now >= followedAt) {
      this.#newsRestoredAt = Math.max(this.#newsRestoredAt, now) + NEWS_INTERVAL;
      this.#attempts = 0;
      this.connect();
    } else if (state.name === "quiet" || (state.name === "scheduled" && state.at > followedAt)) {
      if (state.name === "scheduled") state.cancel();
      this.#scheduleIn(followedAt - now, () => this.resetAndConnect());
    }
  }

  /** As `resetAndConnect`. The attempt under way may hang where nobody is any more, or in a meeting of which nothing is heard. */
  renew(): void {
    const outdated = this.#state;
    this.resetAndConnect();
    if (outdated.name !== "dialling") return;
    this.#options.needs.clock.after(OUTDATED_TIME, () => {
      if (this.#state !== outdated) return;
      this.#stop(QUIET);
      this.resetAndConnect();
    });
  }

  /** No server can report when the person comes online, so their known addresses are dialled repeatedly. */
  connectWithoutServer(): void {
    if (this.#state.name !== "scheduled") this.connectIfWanted();
  }

  /** Attempt `id` has failed, or its connection has ended before the link was complete. */
  failed(id: LinkId, failure: UnreachableReason): void {
    const { links, wanted, unreachable } = this.#options;
    links.dialFailed(id);
    const state = this.#state;
    if (state.name !== "dialling" || state.id !== id) return;
    this.#wasInVain = ANSWERS.has(failure);
    this.#state = { name: "quiet", reason: failure };
    // That they are online is no news of somebody who has answered.
    if (state.isOutdated && !this.#wasInVain && wanted()) this.resetAndConnect();
    else unreachable(failure, RETRIED.has(failure) ? this.#schedule(failure) : undefined);
  }

  /** @param reason of the failed attempt, if any. @returns the wait in ms; undefined: no link is needed */
  #schedule(reason?: UnreachableReason): number | undefined {
    const { needs, decider, wanted } = this.#options;
    if (!wanted()) return undefined;
    const later = redialDelay(this.#attempts++, decider, needs.random());
    const limitedFor = reason === "server_limits" ? needs.serverLimitedFor() : 0;
    const delay = limitedFor > 0 ? Math.max(later, limitedFor + needs.random() * LIMIT_SPREAD) : later;
    this.#scheduleIn(delay, () => this.connectIfWanted());
    return delay;
  }

  #scheduleIn(delay: number, dial: () => void): void {
    const { clock } = this.#options.needs;
    const cancel = clock.after(delay, () => {
      this.#state = QUIET;
      dial();
    });
    this.#state = { name: "scheduled", at: clock.monotonic() + delay, cancel };
  }

  /** There is a link. The waits grow further until `provenUseful`, in case the link ends again at once. */
  linked(): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "scheduled") this.#state.cancel();
    this.#state = { name: "linked", isUseful: false };
  }

  /**
   * To be called about once a second while there is a link. @param isDoubtful it was not read since it was doubted: another
   * one is dialled, until that is complete or the old one is read
   */
  checkLink(isDoubtful: boolean): void {
    const { name } = this.#state;
    if (isDoubtful && name === "linked" && this.#options.wanted()) {
      this.#state = QUIET;
      this.connect();
    } else if (!isDoubtful && (name === "quiet" || name === "scheduled" || name === "dialling")) {
      // It answers after all: who has a link does not dial.
      this.#stop(QUIET);
      this.linked();
    }
  }

  /** The link was useful: after its loss the first wait is short again. */
  provenUseful(): void {
    this.#attempts = 0;
    this.#wasInVain = false;
    if (this.#state.name === "linked") this.#state.isUseful = true;
  }

  /** We say `bye` on the link, if there is one. */
  leave(): void {
    if (this.#state.name === "linked") this.#state = { name: "leaving" };
  }

  /**
   * No link is left.
   * @param byeReceived whether the peer has ended it on purpose
   * @param hasUnacknowledged whether a message is unacknowledged
   */
  disconnected(byeReceived: boolean, hasUnacknowledged: boolean): void {
    const state = this.#state;
    // A doubtful link has closed: another one is being dialled, or will be.
    if (state.name === "closed" || state.name === "dialling" || state.name === "scheduled") return;
    this.#state = QUIET;
    this.#wasInVain = state.name === "linked" && !state.isUseful && hasUnacknowledged;
    const sinceDial = this.#options.needs.clock.monotonic() - this.#dialledAt;
    const wasUseful = state.name === "linked" && state.isUseful && sinceDial >= AT_ONCE_INTERVAL;
    // After an end on purpose there is no failure to wait for, if the link was of use.
    if (state.name === "leaving" || (byeReceived && hasUnacknowledged && wasUseful)) this.connectIfWanted();
    else if (!byeReceived || hasUnacknowledged) this.#schedule();
  }

  /** Cancels the current attempt and the scheduled one. */
  giveUp(): void {
    if (this.#state.name === "dialling" || this.#state.name === "scheduled") this.#stop(QUIET);
  }

  /** As `giveUp`; nothing is dialled any more. */
  close(): void {
    this.#stop({ name: "closed" });
  }

  #stop(next: State): void {
    const before = this.#state;
    this.#state = next;
    if (before.name === "scheduled") before.cancel();
    if (before.name === "dialling") this.#options.links.abandonDial();
  }
}
