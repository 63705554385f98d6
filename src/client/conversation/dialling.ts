/**
 * Decides when a person is dialled: at once when a link is needed or the person may have become reachable, and
 * again 1, 5, 15, 60 s ± 20 % after a failure or a loss, the decider first (PROTOCOL 5).
 */
import type { ContactRecord } from "../peer/contact-record.ts";
import type { Greet, UnreachableReason } from "../peer/dial.ts";
import type { LinkId } from "../peer/link-choice.ts";
import type { PeerLinks } from "../peer/links.ts";
import type { ConversationNeeds } from "./needs.ts";

const REDIAL_DELAYS: readonly number[] = [1_000, 5_000, 15_000, 60_000];
const REDIAL_SPREAD = 0.2;
/** The side that is not the decider waits this much longer, so that both do not dial at once, in ms. */
const SECOND_DIALLER_DELAY = 3_000;
/** After a limit of the server, clients spread their lookups over this time, in ms. */
const LIMIT_SPREAD = 2_000;

/** Reasons that may disappear by themselves; the others wait for the person or the server. */
const RETRIED: ReadonlySet<UnreachableReason> = new Set([
  "unreachable",
  "no_server",
  "server_limits",
  "not_admitted",
  "busy",
  "revoked",
]);

/** Wait before redialling, in ms. @param random in [0, 1) */
export function redialDelay(attempt: number, decider: boolean, random: number): number {
  const base = REDIAL_DELAYS[Math.min(attempt, REDIAL_DELAYS.length - 1)] as number;
  return base * (1 - REDIAL_SPREAD + 2 * REDIAL_SPREAD * random) + (decider ? 0 : SECOND_DIALLER_DELAY);
}

type DiallingOptions = {
  readonly needs: Pick<ConversationNeeds, "clock" | "random" | "dial" | "serverLimitedFor" | "storageFailed">;
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
  /** The next attempt is scheduled. */
  | { readonly name: "scheduled"; readonly cancel: () => void }
  /** `isOutdated`: the person may have become reachable after this attempt asked the server. */
  | { readonly name: "dialling"; readonly id: LinkId; isOutdated: boolean }
  /** There is a link. */
  | { readonly name: "linked" }
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

  constructor(options: DiallingOptions) {
    this.#options = options;
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
    const { id, signal } = links.startDial();
    this.#state = { name: "dialling", id, isOutdated: false };
    needs
      .dial(record, signal, (connection, peer) => greet(id, connection, peer))
      .then((failure) => {
        if (failure !== undefined) this.failed(id, failure);
      })
      .catch((error: unknown) => {
        this.failed(id, "unreachable");
        needs.storageFailed(error);
      });
  }

  /** The person may have become reachable: dials at once, and the waits are short again. */
  resetAndConnect(): void {
    if (!this.#options.wanted()) return;
    this.#attempts = 0;
    // The current dial may have asked the server before the person came online.
    if (this.#state.name === "dialling") this.#state.isOutdated = true;
    else this.connect();
  }

  /** No server can report when the person comes online, so their known addresses are dialled repeatedly. */
  connectWithoutServer(): void {
    if (this.#state.name !== "scheduled") this.connectIfWanted();
  }

  /** Attempt `id` has failed, or its connection has ended before the link was complete. */
  failed(id: LinkId, reason: UnreachableReason): void {
    const { links, wanted, unreachable } = this.#options;
    links.dialFailed(id);
    const state = this.#state;
    if (state.name !== "dialling" || state.id !== id) return;
    this.#state = { name: "quiet", reason };
    if (state.isOutdated && wanted()) this.connect();
    else unreachable(reason, RETRIED.has(reason) ? this.#schedule(reason) : undefined);
  }

  /** @param reason of the failed attempt, if any. @returns the wait in ms; undefined: no link is needed */
  #schedule(reason?: UnreachableReason): number | undefined {
    const { needs, decider, wanted } = this.#options;
    if (!wanted()) return undefined;
    const later = redialDelay(this.#attempts++, decider, needs.random());
    const limitedFor = reason === "server_limits" ? needs.serverLimitedFor() : 0;
    const delay = limitedFor > 0 ? Math.max(later, limitedFor + needs.random() * LIMIT_SPREAD) : later;
    const cancel = needs.clock.after(delay, () => {
      this.#state = QUIET;
      this.connectIfWanted();
    });
    this.#state = { name: "scheduled", cancel };
    return delay;
  }

  /** There is a link. The waits grow further until `provenUseful`, in case the link ends again at once. */
  linked(): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "scheduled") this.#state.cancel();
    this.#state = { name: "linked" };
  }

  /** The link was useful: after its loss the first wait is short again. */
  provenUseful(): void {
    this.#attempts = 0;
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
    const { name } = this.#state;
    if (name === "closed") return;
    this.#state = QUIET;
    // After an end on purpose there is no failure to wait for.
    if (name === "leaving" || (byeReceived && hasUnacknowledged)) this.connectIfWanted();
    else if (!byeReceived) this.#schedule();
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
