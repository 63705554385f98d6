/** The pings of one link, and how long their answers take. */
import type { Clock } from "../../net/clock.ts";

/** Unanswered pings whose times are kept; of more, those of the oldest are forgotten. */
const MAX_UNANSWERED = 64;

/** How long an answer to `measure` is waited for, in ms. */
const ROUND_TRIP_PATIENCE = 2_000;

export class Pings {
  readonly #clock: Clock;
  #count = 0;
  #answers = 0;
  /** Those that were not answered, oldest first: when they were sent, and who waits for the answer. */
  readonly #unanswered: { readonly at: number; answered?: (roundTrip: number) => void }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many were sent, and how many of them were answered: so much of what was sent before has arrived. */
  get count(): number {
    return this.#count;
  }

  get answers(): number {
    return this.#answers;
  }

  sent(): void {
    this.#count++;
    this.#unanswered.push({ at: this.#clock.monotonic() });
    if (this.#unanswered.length > MAX_UNANSWERED) this.#unanswered.shift();
  }

  /** They are answered in order. */
  takeAnswer(): void {
    this.#answers++;
    const ping = this.#unanswered.shift();
    if (ping !== undefined) ping.answered?.(this.#clock.monotonic() - ping.at);
  }

  /** The round trip of the ping that was sent last, in ms. @returns undefined: it was not answered in time */
  measure(): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const cancel = this.#clock.after(ROUND_TRIP_PATIENCE, () => resolve(undefined));
    const sent = this.#unanswered.at(-1);
    if (sent !== undefined) sent.answered = resolve;
    return promise.finally(cancel);
  }
}
