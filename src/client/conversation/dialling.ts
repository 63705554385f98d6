/**
 * When a person is dialled: at once when something wants a link, again after a failure or a loss, later
 * each time, and at once on news that they may be reachable.
 */
import type { ContactRecord } from "../peer/contact-record.ts";
import type { ConversationHost } from "./needs.ts";
import type { LinkId } from "../peer/link-choice.ts";
import type { UnreachableReason } from "./events.ts";
import type { PeerLink } from "../peer/link.ts";
import type { PeerLinks } from "../peer/links.ts";
import { Redial, RETRIED } from "./redial.ts";

export type DiallingOptions = {
  readonly host: ConversationHost;
  readonly record: ContactRecord;
  readonly links: PeerLinks;
  /** Something is unacknowledged or the chat is open. */
  readonly wanted: () => boolean;
  readonly newLink: (id: LinkId) => PeerLink;
  /** @param retryIn ms until the next attempt; undefined: it waits for the person or the server. */
  readonly unreachable: (reason: UnreachableReason, retryIn: number | undefined) => void;
};

export class Dialling {
  readonly #options: DiallingOptions;
  readonly #redial: Redial;
  /** Why the last attempt came to nothing. */
  #lastFailure: UnreachableReason | undefined;
  /** News that the person is reachable has come since the dial began. */
  #newsMeanwhile = false;
  /** Nothing is dialled any more. */
  #closed = false;

  /** @param decider of the smaller label: it redials first. */
  constructor(decider: boolean, options: DiallingOptions) {
    const { clock } = options.host;
    this.#options = options;
    const random = () => options.host.random();
    this.#redial = new Redial({ decider, clock, random, dial: () => this.connectIfWanted() });
  }

  /** A key of theirs waits for the person's word: only that is waited for. */
  get waitsForKey(): boolean {
    return this.#lastFailure === "key_pending";
  }

  connectIfWanted(): void {
    if (this.#options.wanted()) this.connect();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    const { host, record, links, newLink } = this.#options;
    if (this.#closed || links.isConnected || links.isDialling) return;
    this.#newsMeanwhile = false;
    this.#redial.cancel();
    const { id, signal } = links.startDial();
    const link = newLink(id);
    host
      .dial(record, link, () => links.add(link), signal)
      .then((failure) => {
        if (failure !== undefined) this.failed(id, failure);
      })
      .catch((error: unknown) => {
        this.failed(id, "unreachable");
        host.storageFailed(error);
      });
  }

  /** The person may be reachable now, whatever was before. */
  connectOnNews(): void {
    if (!this.#options.wanted()) return;
    this.#redial.startOver();
    // The dial under way may have asked the server before they came.
    this.#newsMeanwhile = this.#options.links.isDialling;
    this.connect();
  }

  /** Nobody will say when the person comes, so known addresses are tried, again and again. */
  connectWithoutNews(): void {
    if (!this.#redial.isScheduled) this.connectIfWanted();
  }

  /** An attempt came to nothing. */
  failed(id: LinkId, reason: UnreachableReason): void {
    const { links, wanted, unreachable } = this.#options;
    links.dialFailed(id);
    if (this.#closed || links.isConnected) return;
    if (this.#newsMeanwhile && wanted()) {
      this.connect();
      return;
    }
    this.#lastFailure = reason;
    unreachable(reason, RETRIED.has(reason) ? this.scheduleRedial(reason) : undefined);
  }

  /** @param reason of the failure before, if there was one. @returns the wait in ms, undefined when nothing wants a link. */
  scheduleRedial(reason?: UnreachableReason): number | undefined {
    const { host, wanted } = this.#options;
    if (this.#closed || !wanted()) return undefined;
    return this.#redial.schedule(reason === "server_limits" ? host.serverLimitedFor() : 0);
  }

  /** There is a link. One that only comes and goes is dialled ever later all the same. */
  linked(): void {
    this.#redial.cancel();
    this.#lastFailure = undefined;
  }

  /** The link was of use: after its loss the first wait is short again. */
  provenUseful(): void {
    this.#redial.forgetFailures();
  }

  /** Gives up the attempt under way and the next one. */
  giveUp(): void {
    this.#redial.cancel();
    this.#options.links.abandonDial();
  }

  /** Nothing is dialled any more. */
  close(): void {
    this.#closed = true;
  }
}
