/**
 * When a person is dialled: at once when something wants a link, and when they may have become reachable;
 * again after a failure or a loss, after 1, 5, 15, 60 s ± 20 %, the decider first (PROTOCOL 5).
 */
import type { ContactRecord } from "../peer/contact-record.ts";
import type { Greet, UnreachableReason } from "../peer/dial.ts";
import type { LinkId } from "../peer/link-choice.ts";
import type { PeerLinks } from "../peer/links.ts";
import type { ConversationNeeds } from "./needs.ts";

const REDIAL_DELAYS: readonly number[] = [1_000, 5_000, 15_000, 60_000];
const REDIAL_SPREAD = 0.2;
/** The side that is not the decider waits this much longer, so that the two do not meet. */
const SECOND_DIALLER_DELAY = 3_000;
/** Clients that the server has asked to wait come back spread over so long, in ms. */
const LIMIT_SPREAD = 2_000;

/** What may be better at the next attempt; the others wait for the person or the server. */
const RETRIED: ReadonlySet<UnreachableReason> = new Set([
  "unreachable",
  "no_server",
  "server_limits",
  "not_admitted",
]);

/** Wait before redialling, in ms. @param random in [0, 1) */
export function redialDelay(attempt: number, decider: boolean, random: number): number {
  const base = REDIAL_DELAYS[Math.min(attempt, REDIAL_DELAYS.length - 1)] as number;
  return base * (1 - REDIAL_SPREAD + 2 * REDIAL_SPREAD * random) + (decider ? 0 : SECOND_DIALLER_DELAY);
}

export type DiallingOptions = {
  readonly needs: Pick<ConversationNeeds, "clock" | "random" | "dial" | "serverLimitedFor" | "storageFailed">;
  /** Of the smaller label: it redials first. */
  readonly decider: boolean;
  readonly record: ContactRecord;
  readonly links: PeerLinks;
  /** Something is unacknowledged or the chat is open. */
  readonly wanted: () => boolean;
  /** Greets the person on the connection that attempt `id` has led to. */
  readonly greet: (id: LinkId, ...args: Parameters<Greet>) => void;
  /** @param retryIn ms until the next attempt; undefined: it waits for the person or the server. */
  readonly unreachable: (reason: UnreachableReason, retryIn: number | undefined) => void;
};

type State =
  /** `reason`: why the last attempt failed, where there was one since the last link. */
  | { readonly name: "quiet"; readonly reason: UnreachableReason | undefined }
  /** The next attempt is scheduled. */
  | { readonly name: "scheduled"; readonly cancel: () => void }
  /** `isOutdated`: they may have become reachable after this attempt asked the server. */
  | { readonly name: "dialling"; readonly id: LinkId; isOutdated: boolean }
  /** A link is there. */
  | { readonly name: "linked" }
  /** It is, and we have said `bye` on it. */
  | { readonly name: "leaving" }
  /** Nothing is dialled any more. */
  | { readonly name: "closed" };

const QUIET: State = { name: "quiet", reason: undefined };

export class Dialling {
  readonly #options: DiallingOptions;
  #state: State = QUIET;
  /** Attempts since a link was of use, or the person may have become reachable. */
  #attempts = 0;

  constructor(options: DiallingOptions) {
    this.#options = options;
  }

  /** A key of theirs waits for the person's decision: only that is waited for. */
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

  /** The person may be reachable now, whatever was before. */
  connectAfresh(): void {
    if (!this.#options.wanted()) return;
    this.#attempts = 0;
    // The dial under way may have asked the server before they came.
    if (this.#state.name === "dialling") this.#state.isOutdated = true;
    else this.connect();
  }

  /** There is no server to say when the person comes, so known addresses are tried, again and again. */
  connectWithoutServer(): void {
    if (this.#state.name !== "scheduled") this.connectIfWanted();
  }

  /** Attempt `id` has failed, or its connection ended before it was a link. */
  failed(id: LinkId, reason: UnreachableReason): void {
    const { links, wanted, unreachable } = this.#options;
    links.dialFailed(id);
    const state = this.#state;
    if (state.name !== "dialling" || state.id !== id) return;
    this.#state = { name: "quiet", reason };
    if (state.isOutdated && wanted()) this.connect();
    else unreachable(reason, RETRIED.has(reason) ? this.#schedule(reason) : undefined);
  }

  /** @param reason of the failure before, if there was one. @returns the wait in ms, undefined when nothing wants a link. */
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

  /** There is a link. One that only comes and goes is dialled ever later all the same. */
  linked(): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "scheduled") this.#state.cancel();
    this.#state = { name: "linked" };
  }

  /** The link was of use: after its loss the first wait is short again; what is scheduled stays. */
  provenUseful(): void {
    this.#attempts = 0;
  }

  /** We say `bye` on the link, if there is one. */
  leave(): void {
    if (this.#state.name === "linked") this.#state = { name: "leaving" };
  }

  /**
   * No link is left.
   * @param byeReceived the other side has ended it on purpose.
   * @param isMissing something is unacknowledged.
   */
  disconnected(byeReceived: boolean, isMissing: boolean): void {
    const { name } = this.#state;
    if (name === "closed") return;
    this.#state = QUIET;
    // An end on purpose is no loss: what came up since then needs no patience with the line.
    if (name === "leaving" || (byeReceived && isMissing)) this.connectIfWanted();
    else if (!byeReceived) this.#schedule();
  }

  /** Gives up the attempt under way and the next one. */
  giveUp(): void {
    if (this.#state.name === "dialling" || this.#state.name === "scheduled") this.#stop(QUIET);
  }

  /** Gives up as `giveUp`; nothing is dialled any more. */
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
