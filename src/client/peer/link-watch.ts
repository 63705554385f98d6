/**
 * Watches whether the other side still answers: pings, gives up, ends what nobody needs, and keeps the
 * second source of presence, the last answer on a direct link.
 */
import type { Clock } from "../../net/clock.ts";
import { Liveness } from "./liveness.ts";
import type { PeerLink } from "./link.ts";
import type { PeerLinks } from "./links.ts";

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
  readonly #liveness = new Liveness();
  /** Of the links that are gone, ms since 1970. */
  #lastHeardAt: number | undefined;
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

  /** A link is closed. */
  closed(link: PeerLink): void {
    if (link.completedAt === undefined) return;
    this.#lastHeardAt = Math.max(this.#lastHeardAt ?? 0, this.#wallClock(link.lastReadAt));
  }

  /** The current link is another one, which has just been greeted, or there is none: that is told by itself. */
  currentChanged(isLinked: boolean): void {
    if (isLinked) this.#tellSilence(false);
    else this.#isSilent = false;
  }

  /** The machine has slept, or its addresses have changed: what is connected must prove it. */
  doubt(): void {
    this.#liveness.doubt(this.#clock.monotonic());
  }

  /** To be called about once a second. @param wanted something is unacknowledged or the chat is open */
  tick(wanted: boolean): void {
    const now = this.#clock.monotonic();
    const link = this.#links.current;
    const heard = link && { current: link.lastReadAt, any: this.#links.lastReadAt };
    const verdict = this.#liveness.check(now, heard, wanted);
    switch (verdict) {
      case "ping":
        link?.send({ action: "ping" });
        return;
      case "dead":
        link?.terminate("dead");
        return;
      case "idle":
        this.#events.idle();
        return;
      case "silent":
      case "alive":
        // A ping between two looks changes nothing of what was heard.
        this.#tellSilence(verdict === "silent");
        return;
      default:
        verdict satisfies never;
    }
  }

  #tellSilence(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    this.#events.silent(isSilent ? this.heardAt : undefined);
  }
}
