/**
 * Whether the other side still answers (PROTOCOL 5): a side that wants the link pings after 8 s of silence
 * and takes it as dead after 32 s; a side that does not ends it after 60 s. After the machine has slept or
 * moved, a link is pinged at once and has 8 s to answer.
 *
 * The last answer on a direct link is the second source of presence, beside the server.
 */
import type { Clock } from "../../net/clock.ts";
import type { PeerLink } from "./link.ts";
import type { PeerLinks } from "./links.ts";

/** Silence of a link that is wanted, in ms. */
export const PING_AFTER = 8_000;
/** Two pings are without an answer: the person is notified. */
export const SILENT_AFTER = 16_000;
export const DEAD_AFTER = 32_000;
/** Silence of a link that nobody wants, in ms. */
export const IDLE_AFTER = 60_000;
/** How long a link may take to answer once there is reason to doubt it, in ms. */
export const PROBE_PATIENCE = 8_000;

/** What the direct link says of a person's presence; times in ms since 1970. */
export type LinkPresence = {
  readonly isConnected: boolean;
  /** The last answer on a direct link; undefined: none since this program began. */
  readonly heardAt: number | undefined;
  /** The link is there, and nothing was heard on it since. */
  readonly silentSince: number | undefined;
};

export interface LinkWatchEvents {
  /** Nothing was heard since, ms since 1970; undefined: the other side answers again. */
  silent(since: number | undefined): void;
  /** Nobody needs the links. */
  idle(): void;
}

export class LinkWatch {
  readonly #clock: Clock;
  readonly #links: PeerLinks;
  readonly #events: LinkWatchEvents;
  // Of the monotonic clock:
  #pingedAt = -Infinity;
  /** When the link was first seen to be wanted; undefined while it is not. */
  #wantedSince: number | undefined;
  /** When the link was doubted; undefined: it is not, or has answered since. */
  #doubtedAt: number | undefined;
  /** Of the links that are gone, ms since 1970. */
  #lastHeardAt: number | undefined;
  /** The person was notified that the current link is silent. */
  #isSilent = false;

  constructor(clock: Clock, links: PeerLinks, events: LinkWatchEvents) {
    this.#clock = clock;
    this.#links = links;
    this.#events = events;
  }

  /** The last answer on a direct link, ms since 1970; undefined: none since this program began. */
  get heardAt(): number | undefined {
    return this.#links.isConnected ? this.#wallClock(this.#links.lastReadAt) : this.#lastHeardAt;
  }

  get presence(): LinkPresence {
    const { heardAt } = this;
    return {
      isConnected: this.#links.isConnected,
      heardAt,
      silentSince: this.#isSilent ? heardAt : undefined,
    };
  }

  #wallClock(monotonic: number): number {
    return this.#clock.now() - (this.#clock.monotonic() - monotonic);
  }

  /** A link whose greeting was done is closed. */
  closed(link: PeerLink): void {
    this.#lastHeardAt = Math.max(this.#lastHeardAt ?? 0, this.#wallClock(link.lastReadAt));
  }

  /** The current link is another one, which has just been greeted, or there is none. */
  currentChanged(isLinked: boolean): void {
    if (isLinked) this.#notify(false);
    // The end of the last link is an event of its own.
    else this.#isSilent = false;
  }

  /** The machine has slept, or its addresses have changed: what is connected must prove it. */
  doubt(): void {
    this.#doubtedAt = this.#clock.monotonic();
    this.#pingedAt = -Infinity;
  }

  /** To be called about once a second. @param wanted something is unacknowledged or the chat is open */
  tick(wanted: boolean): void {
    const now = this.#clock.monotonic();
    this.#wantedSince = wanted ? (this.#wantedSince ?? now) : undefined;
    const link = this.#links.current;
    if (link === undefined) this.#doubtedAt = undefined;
    else if (this.#doubtedAt !== undefined) this.#checkDoubted(link, this.#doubtedAt, now);
    else if (this.#wantedSince !== undefined) this.#checkWanted(link, this.#wantedSince, now);
    else if (now - this.#links.lastReadAt >= IDLE_AFTER) this.#events.idle();
    else this.#notify(false);
  }

  #checkDoubted(link: PeerLink, doubtedAt: number, now: number): void {
    if (link.lastReadAt > doubtedAt) {
      this.#doubtedAt = undefined;
      this.#notify(false);
    } else if (now - doubtedAt >= PROBE_PATIENCE) link.terminate("dead");
    else if (this.#pingedAt < doubtedAt) this.#ping(link, now);
    else this.#notify(false);
  }

  #checkWanted(link: PeerLink, wantedSince: number, now: number): void {
    const silence = now - link.lastReadAt;
    // Before it was wanted nobody pinged, and silence meant nothing.
    const asked = Math.min(silence, now - wantedSince);
    if (asked >= DEAD_AFTER) link.terminate("dead");
    else if (silence >= PING_AFTER && now - this.#pingedAt >= PING_AFTER) this.#ping(link, now);
    else this.#notify(asked >= SILENT_AFTER);
  }

  #ping(link: PeerLink, now: number): void {
    this.#pingedAt = now;
    link.send({ action: "ping" });
  }

  #notify(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    this.#events.silent(isSilent ? this.heardAt : undefined);
  }
}
