/**
 * When a lost server is tried again: within 2 s each time while it may only be restarting, drawn, so that
 * thousands of clients do not come in one instant; then after 1 to 8 s while it has not been gone for
 * long, and after up to 60 s later, growing.
 */
import { RefusedError } from "./link.ts";
import { ServerError } from "./trust.ts";

/** Over so long the clients of a server that has gone spread their return, in ms. */
export const RETURN_SPREAD = 2_000;
/** For so long after the loss the waits are no longer than that, in ms. */
export const QUICK_FOR = 10_000;
/** For so long after the loss they are no longer than 8 s, in ms. */
export const SOON_FOR = 60_000;
/** The attempt whose wait is that, by `reconnectDelay`. */
const LAST_SOON_ATTEMPT = 2;
/** Between two attempts, in ms; the first may follow the loss at once. */
const SHORTEST_PAUSE = 100;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** A server that asks for more patience is asked again all the same, in ms. */
const LONGEST_OBEYED = 24 * 60 * 60 * 1_000;

/** Wait before the next attempt, in ms: 1 to 60 s, doubling, half of it drawn. @param random in [0, 1) */
export function reconnectDelay(attempt: number, random: number): number {
  const wait = Math.min(LONGEST_WAIT, 2 * FIRST_WAIT * 2 ** Math.min(attempt, 10));
  return wait * (0.5 + random / 2);
}

/** Whether nothing but its being away stands in the way: no word of its own asks for patience. */
function isAway(why: Error): boolean {
  return looksLikeRestart(why) || (why instanceof ServerError && why.code === "server_timeout");
}

/** Whether it failed as it does while a server is being restarted: it answers, or is gone, at once. */
function looksLikeRestart(why: Error): boolean {
  if (why instanceof RefusedError) return why.code === "server_closing";
  return why instanceof ServerError && why.code === "server_unreachable";
}

export class ReturnSchedule {
  /** When the link was lost; undefined: there was none since the last return. */
  #lostAt: number | undefined;
  #quickAttempts = 0;
  #attempts = 0;

  /** The link has gone, or is about to. @param now ms that never go back */
  lost(now: number): void {
    this.returned();
    this.#lostAt = now;
  }

  /** There is a link again. */
  returned(): void {
    this.#lostAt = undefined;
    this.#quickAttempts = this.#attempts = 0;
  }

  /**
   * Wait before the next attempt, in ms; at least what the server has asked for.
   * @param now as in `lost` @param random in [0, 1)
   */
  next(why: Error, now: number, random: number): number {
    // Also at the first contact it says itself that it is being restarted.
    if (why instanceof RefusedError && why.code === "server_closing") this.#lostAt ??= now;
    const wait = this.#next(why, now, random);
    if (!(why instanceof RefusedError) || why.retryAfter === undefined) return wait;
    return Math.max(wait, Math.min(LONGEST_OBEYED, why.retryAfter * 1_000) + random * RETURN_SPREAD);
  }

  #next(why: Error, now: number, random: number): number {
    const gone = this.#lostAt === undefined ? Infinity : now - this.#lostAt;
    if (gone >= QUICK_FOR || !looksLikeRestart(why)) {
      const attempt = this.#attempts++;
      const isSoon = gone < SOON_FOR && isAway(why);
      // What comes after it grows from there on.
      if (isSoon) this.#attempts = Math.min(this.#attempts, LAST_SOON_ATTEMPT + 1);
      return reconnectDelay(isSoon ? Math.min(attempt, LAST_SOON_ATTEMPT) : attempt, random);
    }
    const shortest = this.#quickAttempts++ === 0 ? 0 : SHORTEST_PAUSE;
    return Math.max(shortest, random * RETURN_SPREAD);
  }
}
