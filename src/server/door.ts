/**
 * Who is let in (PROTOCOL 4): a new connection is admitted, told why it is not served, or ended without a
 * word, which costs the server nothing.
 */
import type { Limits } from "./limits.ts";
import type { Refusal } from "./link-session.ts";
import type { Throttle } from "./throttle.ts";

/** Connections on their way out that were told why; past them a newcomer is ended without a word. */
const MAX_LEAVING = 1_000;

export type Entry = { readonly refusal: Refusal | undefined };

export type DoorOptions = {
  readonly limits: Limits;
  readonly throttle: Throttle;
  /** Whether there is a place among those not logged in; it may be one that was just made. */
  readonly hasRoom: () => boolean;
  /** How many are logged in. */
  readonly online: () => number;
};

export class Door {
  readonly #options: DoorOptions;
  #open = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** A connection of this address begins; undefined: it is ended without a word. `left` is called for every other. */
  admit(_address: string): Entry | undefined {
    const { limits, online, hasRoom } = this.#options;
    if (this.#open - online() >= limits.anonymous + MAX_LEAVING) return undefined;
    this.#open++;
    return { refusal: hasRoom() ? undefined : { code: "server_busy" } };
  }

  /** A connection that was admitted, or told why not, has ended. */
  left(_address: string): void {
    this.#open--;
  }
}
