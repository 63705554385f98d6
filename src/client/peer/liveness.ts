/**
 * Whether a link is alive (PROTOCOL 5): a side that wants it pings after 8 s of silence and takes it as
 * dead after 32 s; a side that does not ends it after 60 s. After the machine has slept or moved, a link
 * is asked at once and has 8 s to answer. Times are of the monotonic clock, in ms.
 */
export const PING_AFTER = 8_000;
/** Two pings are without an answer: the person is told. */
export const SILENT_AFTER = 16_000;
export const DEAD_AFTER = 32_000;
export const IDLE_AFTER = 60_000;
/** How long a link may take to answer once there is reason to doubt it. */
export const PROBE_PATIENCE = 8_000;

export type LivenessVerdict = "alive" | "ping" | "silent" | "dead" | "idle";

export class Liveness {
  #pingedAt = -Infinity;
  /** When the link was first seen to be wanted; undefined while it is not. */
  #wantedSince: number | undefined;
  /** When the link was doubted; undefined: it is not, or has answered since. */
  #doubtedAt: number | undefined;

  /** The line may be another one now: a link that does not answer soon is dead. */
  doubt(now: number): void {
    this.#doubtedAt = now;
    this.#pingedAt = -Infinity;
  }

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
    if (heard === undefined) {
      this.#doubtedAt = undefined;
      return "alive";
    }
    if (this.#doubtedAt !== undefined) return this.#checkDoubted(now, heard.current, this.#doubtedAt);
    if (this.#wantedSince === undefined) return now - heard.any >= IDLE_AFTER ? "idle" : "alive";
    const silence = now - heard.current;
    // Before it was wanted nobody pinged, and silence meant nothing.
    const asked = Math.min(silence, now - this.#wantedSince);
    if (asked >= DEAD_AFTER) return "dead";
    if (silence >= PING_AFTER && now - this.#pingedAt >= PING_AFTER) {
      this.#pingedAt = now;
      return "ping";
    }
    return asked >= SILENT_AFTER ? "silent" : "alive";
  }

  #checkDoubted(now: number, heard: number, doubtedAt: number): LivenessVerdict {
    if (heard > doubtedAt) {
      this.#doubtedAt = undefined;
      return "alive";
    }
    if (now - doubtedAt >= PROBE_PATIENCE) return "dead";
    if (this.#pingedAt >= doubtedAt) return "alive";
    this.#pingedAt = now;
    return "ping";
  }
}
