/**
 * Checks whether the peer still answers (PROTOCOL 5). A side that needs the link pings after 8 s of silence, and
 * terminates it after 32 s; a side that does not need the link ends it after 60 s. After the machine has slept or its
 * addresses have changed, links are pinged at once, and the current one has 8 s to answer. While reading is paused, no answer is expected,
 * and the peer, whose pings are not read, is told every 8 s that this side is alive.
 *
 * The last answer on a direct link is a source of presence besides the server.
 */
import type { Clock } from "../../net/clock.ts";
import type { LinkReading } from "./link-reading.ts";
import type { PeerLink } from "./link.ts";
import type { LinkWay } from "./proven-connection.ts";
import type { PeerLinks } from "./links.ts";

/** Silence after which a needed link is pinged, in ms. */
export const PING_AFTER = 8_000;
/** Silence after which the person is notified, in ms: two pings were not answered. */
const SILENT_AFTER = 16_000;
/** Silence after which a needed link is terminated, in ms. */
export const DEAD_AFTER = 32_000;
/** Silence after which a link that is not needed is ended, in ms. */
const IDLE_AFTER = 60_000;
/**
 * How long a doubted link may take to answer before it is given up, in ms. After `DOUBT_TIME` of it another one is dialled
 * beside it, and it is kept as long as it may still be the only one.
 */
export const PROBE_TIMEOUT = 8_000;

/** A person's presence according to the direct link; times in ms since 1970. */
export type LinkPresence = {
  readonly isConnected: boolean;
  /** How the current link came about; undefined: there is none. */
  readonly way: LinkWay | undefined;
  /** When something was last received on a direct link; undefined: nothing in this process. */
  readonly heardAt: number | undefined;
  /** Since when a link has been silent; undefined: there is no link, or it answers. */
  readonly silentSince: number | undefined;
};

interface LinkWatchEvents {
  /** Nothing was received since then, ms since 1970; undefined: the peer answers again. */
  silent(since: number | undefined): void;
  /** The links were silent for long, and are not needed. */
  idle(): void;
}

export class LinkWatch {
  readonly #clock: Clock;
  readonly #reading: LinkReading;
  readonly #links: PeerLinks;
  readonly #events: LinkWatchEvents;
  // Of the monotonic clock:
  /** When the last ping was sent, or the last sign of life while reading was paused. */
  #pingedAt = -Infinity;
  /** The first tick at which the link was wanted; undefined: it is not wanted. */
  #wantedSince: number | undefined;
  /** When the link was doubted; undefined: it is not doubted, or has answered since. */
  #doubtedAt: number | undefined;
  /** When something was last received on the closed links, ms since 1970. */
  #lastHeardAt: number | undefined;
  /** The person was notified that the current link is silent. */
  #isSilent = false;

  constructor(clock: Clock, reading: LinkReading, links: PeerLinks, events: LinkWatchEvents) {
    this.#clock = clock;
    this.#reading = reading;
    this.#links = links;
    this.#events = events;
  }

  /** When something was last received on a direct link, ms since 1970; undefined: nothing in this process. */
  get heardAt(): number | undefined {
    return this.#links.isConnected ? this.#wallClock(this.#links.lastReadAt) : this.#lastHeardAt;
  }

  get presence(): LinkPresence {
    const { heardAt } = this;
    return {
      isConnected: this.#links.isConnected,
      way: this.#links.current?.way,
      heardAt,
      silentSince: this.#isSilent ? heardAt : undefined,
    };
  }

  #wallClock(monotonic: number): number {
    return this.#clock.now() - (this.#clock.monotonic() - monotonic);
  }

  /** A complete link is closed. */
  closed(link: PeerLink): void {
    this.#lastHeardAt = Math.max(this.#lastHeardAt ?? 0, this.#wallClock(link.lastReadAt));
  }

  /** The current link has changed. @param isLinked false: no link is left */
  currentChanged(isLinked: boolean): void {
    if (isLinked) this.#notify(false);
    // The end of the last link is an event of its own.
    else this.#isSilent = false;
  }

  /**
   * The machine has slept, or addresses have changed: the current link must answer the ping that `PeerLinks.doubt` sends. A
   * further doubt gives a silent link no more time.
   */
  doubt(): void {
    if (this.#doubtedAt !== undefined && !this.#hasAnswered(this.#doubtedAt)) return;
    this.#doubtedAt = this.#clock.monotonic();
  }

  #hasAnswered(doubtedAt: number): boolean {
    const { current } = this.#links;
    return current !== undefined && current.lastReadAt > doubtedAt;
  }

  /** To be called about once a second. @param wanted a message is unacknowledged or the chat is open */
  tick(wanted: boolean): void {
    const now = this.#clock.monotonic();
    const { isPaused } = this.#reading;
    this.#wantedSince = wanted && !isPaused ? (this.#wantedSince ?? now) : undefined;
    const link = this.#links.current;
    if (link === undefined) this.#doubtedAt = undefined;
    else if (isPaused) this.#showLife(link, now);
    else if (this.#doubtedAt !== undefined) this.#checkDoubted(link, this.#doubtedAt, now);
    else if (this.#wantedSince !== undefined) this.#checkWanted(link, this.#wantedSince, now);
    else if (now - this.#links.lastReadAt >= IDLE_AFTER) this.#events.idle();
    else this.#notify(false);
  }

  #checkDoubted(link: PeerLink, doubtedAt: number, now: number): void {
    if (this.#hasAnswered(doubtedAt)) {
      this.#doubtedAt = undefined;
      this.#notify(false);
    } else if (now - doubtedAt >= PROBE_TIMEOUT) link.terminate("dead");
    else this.#notify(false);
  }

  #checkWanted(link: PeerLink, wantedSince: number, now: number): void {
    const silence = now - link.lastReadAt;
    // Nothing was pinged before the link was wanted, so earlier silence does not count.
    const asked = Math.min(silence, now - wantedSince);
    if (asked >= DEAD_AFTER) link.terminate("dead");
    else if (silence >= PING_AFTER && now - this.#pingedAt >= PING_AFTER) this.#ping(link, now);
    else this.#notify(asked >= SILENT_AFTER);
  }

  #ping(link: PeerLink, now: number): void {
    this.#pingedAt = now;
    link.send({ action: "ping" });
  }

  #showLife(link: PeerLink, now: number): void {
    if (now - this.#pingedAt < PING_AFTER) return;
    this.#pingedAt = now;
    link.send({ action: "pong" });
  }

  #notify(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    this.#events.silent(isSilent ? this.heardAt : undefined);
  }
}
