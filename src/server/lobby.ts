/**
 * The connections not logged in (PROTOCOL 4), a limited number. When there is no room, a newcomer
 * takes the place of the one that has been silent the longest, so that nobody keeps everybody else out
 * by holding connections that he does not use.
 */

/** A connection that was heard of, or answered, less than this ago keeps its place, in ms. */
export const MIN_SILENCE = 5_000;
/** A full lobby is told this often at most, in ms. */
const WARNING_INTERVAL = 60_000;

export type Guest = {
  /** Is told that it has lost its place, and ends; it leaves the lobby at once. */
  giveWay(): void;
};

/** What happened since the last warning. */
export type Crowding = { readonly madeWay: number; readonly refused: number };

export class Lobby<G extends Guest> {
  readonly #limit: number;
  readonly #clock: () => number;
  readonly #warn: (crowding: Crowding) => void;
  readonly #guests = new Set<G>();
  /**
   * Since when each is silent, without those whose request is in work. Whoever becomes silent goes to the
   * end, so that the first is the most silent one: a newcomer costs the same however many there are.
   */
  readonly #silentSince = new Map<G, number>();
  #warnedAt = -Infinity;
  #madeWay = 0;
  #refused = 0;

  /** @param clock ms that never go back. */
  constructor(limit: number, clock: () => number, warn: (crowding: Crowding) => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Whether there is a place for a newcomer; it may be one that was just made. */
  hasRoom(): boolean {
    if (this.#guests.size < this.#limit) return true;
    const now = this.#clock();
    const [longest] = this.#silentSince;
    const found = longest !== undefined && now - longest[1] >= MIN_SILENCE;
    if (found) {
      this.#madeWay++;
      longest[0].giveWay();
    } else this.#refused++;
    if (now - this.#warnedAt >= WARNING_INTERVAL) {
      this.#warn({ madeWay: this.#madeWay, refused: this.#refused });
      this.#warnedAt = now;
      this.#madeWay = 0;
      this.#refused = 0;
    }
    return found;
  }

  /** Is counted, and keeps its place until `silent` says otherwise. */
  enter(guest: G): void {
    this.#guests.add(guest);
  }

  leave(guest: G): void {
    this.#guests.delete(guest);
    this.#silentSince.delete(guest);
  }

  /** The guest is silent from now on; nothing for one who is not here. */
  silent(guest: G): void {
    this.#silentSince.delete(guest);
    if (this.#guests.has(guest)) this.#silentSince.set(guest, this.#clock());
  }

  /** A request of the guest is in work: it keeps its place until it is `silent`. */
  working(guest: G): void {
    this.#silentSince.delete(guest);
  }
}
