/** When a lost link is dialled again (PROTOCOL 5): after 1, 5, 15, 60 s ± 20 %, the decider first. */
import type { UnreachableReason } from "./messenger-events.ts";

const REDIAL_DELAYS: readonly number[] = [1_000, 5_000, 15_000, 60_000];
const REDIAL_SPREAD = 0.2;
/** The side that is not the decider waits this much longer, so that the two do not meet. */
const SECOND_DIALLER_DELAY = 3_000;

/** What may be better at the next attempt; the rest waits for the person or the server's word. */
export const RETRIED: ReadonlySet<UnreachableReason> = new Set(["unreachable", "no_server", "not_admitted"]);

/** Wait before redialling, in ms. @param random in [0, 1) */
export function redialDelay(attempt: number, decider: boolean, random: number): number {
  const base = REDIAL_DELAYS[Math.min(attempt, REDIAL_DELAYS.length - 1)] as number;
  return base * (1 - REDIAL_SPREAD + 2 * REDIAL_SPREAD * random) + (decider ? 0 : SECOND_DIALLER_DELAY);
}

export class Redial {
  readonly #decider: boolean;
  readonly #random: () => number;
  readonly #dial: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;

  /** @param random in [0, 1) */
  constructor(decider: boolean, random: () => number, dial: () => void) {
    this.#decider = decider;
    this.#random = random;
    this.#dial = dial;
  }

  get isScheduled(): boolean {
    return this.#timer !== undefined;
  }

  /** Dials later, each time later than the time before. @returns the wait in ms */
  schedule(): number {
    this.cancel();
    const delay = redialDelay(this.#attempt++, this.#decider, this.#random());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#dial();
    }, delay);
    return delay;
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** There is a link, or news of the person: the next waits are short again. */
  startOver(): void {
    this.cancel();
    this.#attempt = 0;
  }
}
