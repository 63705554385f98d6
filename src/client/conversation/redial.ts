/** When a lost link is dialled again (PROTOCOL 5): after 1, 5, 15, 60 s ± 20 %, the decider first. */
import type { Clock } from "../../net/clock.ts";
import type { UnreachableReason } from "./events.ts";

const REDIAL_DELAYS: readonly number[] = [1_000, 5_000, 15_000, 60_000];
const REDIAL_SPREAD = 0.2;
/** The side that is not the decider waits this much longer, so that the two do not meet. */
const SECOND_DIALLER_DELAY = 3_000;

/** What may be better at the next attempt; the rest waits for the person or the server's word. */
export const RETRIED: ReadonlySet<UnreachableReason> = new Set([
  "unreachable",
  "no_server",
  "server_limits",
  "not_admitted",
]);
/** Those whom the server has told to wait come back spread over so long, in ms. */
const LIMIT_SPREAD = 2_000;

/** Wait before redialling, in ms. @param random in [0, 1) */
export function redialDelay(attempt: number, decider: boolean, random: number): number {
  const base = REDIAL_DELAYS[Math.min(attempt, REDIAL_DELAYS.length - 1)] as number;
  return base * (1 - REDIAL_SPREAD + 2 * REDIAL_SPREAD * random) + (decider ? 0 : SECOND_DIALLER_DELAY);
}

export type RedialOptions = {
  readonly decider: boolean;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly dial: () => void;
};

export class Redial {
  readonly #options: RedialOptions;
  #stop: (() => void) | undefined;
  #attempt = 0;

  constructor(options: RedialOptions) {
    this.#options = options;
  }

  get isScheduled(): boolean {
    return this.#stop !== undefined;
  }

  /**
   * Dials later, each time later than the time before.
   * @param limitedFor ms for which the server answers nothing @returns the wait in ms
   */
  schedule(limitedFor = 0): number {
    this.cancel();
    const { decider, clock, random, dial } = this.#options;
    const later = redialDelay(this.#attempt++, decider, random());
    const delay = limitedFor > 0 ? Math.max(later, limitedFor + random() * LIMIT_SPREAD) : later;
    this.#stop = clock.after(delay, () => {
      this.#stop = undefined;
      dial();
    });
    return delay;
  }

  cancel(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** A link has proven useful: the next waits are short again; what is scheduled stays. */
  forgetFailures(): void {
    this.#attempt = 0;
  }

  /** There is news of the person: what is scheduled is no longer waited for. */
  startOver(): void {
    this.cancel();
    this.#attempt = 0;
  }
}
