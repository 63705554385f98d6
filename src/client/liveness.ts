/**
 * Whether a link is alive (PROTOCOL 5): a side that wants it pings after 8 s of silence and takes it as
 * dead after 32 s; a side that does not ends it after 60 s. Times are of `performance.now()`, in ms.
 */
export const PING_AFTER = 8_000;
export const DEAD_AFTER = 32_000;
export const IDLE_AFTER = 60_000;

export type LivenessVerdict = "alive" | "ping" | "dead" | "idle";

export class Liveness {
  #pingedAt = -Infinity;
  /** When the link was first seen to be wanted; undefined while it is not. */
  #wantedSince: number | undefined;

  /**
   * To be asked about once a second.
   * @param heard when the current link, and when any link, was last heard; undefined without a link.
   * @param wanted something is unacknowledged or the chat is open.
   */
  check(
    now: number,
    heard: { readonly current: number; readonly any: number } | undefined,
    wanted: boolean,
  ): LivenessVerdict {
    this.#wantedSince = wanted ? (this.#wantedSince ?? now) : undefined;
    if (heard === undefined) return "alive";
    if (this.#wantedSince === undefined) return now - heard.any >= IDLE_AFTER ? "idle" : "alive";
    const silence = now - heard.current;
    // Before it was wanted nobody pinged, and silence meant nothing.
    if (Math.min(silence, now - this.#wantedSince) >= DEAD_AFTER) return "dead";
    if (silence < PING_AFTER || now - this.#pingedAt < PING_AFTER) return "alive";
    this.#pingedAt = now;
    return "ping";
  }
}
