/**
 * When a lost server is tried again: as long as it may be restarting, at random within 2 s each time, so that
 * thousands of clients do not come at once; then after 1 to 8 s; later after a growing wait of up to 60 s.
 */
import { RefusedError, ServerError } from "./server-errors.ts";

/** The clients of a lost server spread their return over this time, in ms. */
export const RETURN_SPREAD = 2_000;
/** How long after the loss the waits stay within `RETURN_SPREAD`, in ms. */
export const QUICK_FOR = 10_000;
/** How long after the loss they stay within 8 s, in ms. */
export const SOON_FOR = 60_000;
/** A link that lasts this long is a return, in ms. */
export const LASTING = 10_000;
/** The last attempt for which `reconnectDelay` gives at most 8 s. */
const LAST_SOON_ATTEMPT = 2;
/** Shortest wait between two attempts, in ms; the first may follow the loss at once. */
const SHORTEST_PAUSE = 100;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** Longest `retry_after` that is respected, in ms. */
const LONGEST_RETRY_AFTER = 24 * 60 * 60 * 1_000;

/** Wait before the next attempt, in ms: 1 to 60 s, doubling, half of it random. @param random in [0, 1) */
export function reconnectDelay(attempt: number, random: number): number {
  const wait = Math.min(LONGEST_WAIT, 2 * FIRST_WAIT * 2 ** Math.min(attempt, 10));
  return wait * (0.5 + random / 2);
}

/** Whether the server is away, and has not asked its clients to wait. */
function isAway(why: Error): boolean {
  return looksLikeRestart(why) || (why instanceof ServerError && why.code === "server_timeout");
}

/** Whether the attempt failed at once, as during a restart. */
function looksLikeRestart(why: Error): boolean {
  if (why instanceof RefusedError) return why.code === "server_closing";
  return why instanceof ServerError && why.code === "server_unreachable";
}

export class ReturnSchedule {
  /** When the link was lost, before which it had lasted; undefined: never. */
  #lostAt: number | undefined;
  /** When there was last a link again; undefined: never. */
  #returnedAt: number | undefined;
  /** Only our own line has broken: nobody else returns with us. */
  #isAlone = false;
  #quickAttempts = 0;
  #attempts = 0;

  /**
   * The link is lost, or about to be. If it did not last, the waits go on growing: a server that logs everybody in and
   * hangs up must not be asked every second.
   * @param now ms, never set back. @param isAlone the line has broken, and not the server: the first attempt waits for nobody
   */
  lost(now: number, isAlone = false): void {
    if (this.#lostAt !== undefined && this.#returnedAt !== undefined && now - this.#returnedAt < LASTING)
      return;
    this.#lostAt = now;
    this.#isAlone = isAlone;
    this.#quickAttempts = this.#attempts = 0;
  }

  /** There is a link again. @param now as in `lost` */
  returned(now: number): void {
    this.#returnedAt = now;
  }

  /**
   * Wait before the next attempt, in ms; at least what the server has asked for.
   * @param now as in `lost` @param random in [0, 1)
   */
  next(why: Error, now: number, random: number): number {
    // The server may send this at the first contact, when no link was lost.
    if (why instanceof RefusedError && why.code === "server_closing") this.#lostAt ??= now;
    const wait = this.#next(why, now, random);
    if (!(why instanceof RefusedError) || why.retryAfter === undefined) return wait;
    return Math.max(wait, Math.min(LONGEST_RETRY_AFTER, why.retryAfter * 1_000) + random * RETURN_SPREAD);
  }

  #next(why: Error, now: number, random: number): number {
    const lostFor = this.#lostAt === undefined ? Infinity : now - this.#lostAt;
    if (lostFor >= QUICK_FOR || !looksLikeRestart(why)) {
      const attempt = this.#attempts++;
      const isSoon = lostFor < SOON_FOR && isAway(why);
      // After `SOON_FOR` the wait grows from here.
      if (isSoon) this.#attempts = Math.min(this.#attempts, LAST_SOON_ATTEMPT + 1);
      return reconnectDelay(isSoon ? Math.min(attempt, LAST_SOON_ATTEMPT) : attempt, random);
    }
    const isFirst = this.#quickAttempts++ === 0;
    if (isFirst && this.#isAlone) return 0;
    return Math.max(isFirst ? 0 : SHORTEST_PAUSE, random * RETURN_SPREAD);
  }
}
