/**
 * The connections not logged in (PROTOCOL 4), a limited number. When there is no room, a newcomer takes the
 * place of another, so that nobody keeps everybody else out by holding connections that he does not use:
 *
 * 1. Where another address holds more places than the newcomer's would, its longest silent gives way.
 * 2. Else one that has been silent for some time: of the newcomer's own address where none holds more places
 *    than that, otherwise whoever has been silent the longest.
 *
 * An address is its network (`networkOf`). A newcomer costs the same however many there are.
 */
import { networkOf } from "../../protocol/ip-address.ts";
import { Tally } from "./tally.ts";

/** A connection that was heard of, or answered, less than this ago keeps its place from its like, in ms. */
export const MIN_SILENCE = 5_000;
/** A full lobby is told this often at most, in ms. */
const WARNING_INTERVAL = 60_000;

export type Guest = {
  /** `networkOf` its address. */
  readonly network: string;
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
  readonly #places = new Tally();
  /**
   * Since when each is silent, without those whose request is in work. Whoever becomes silent goes to the
   * end, so that the first is the most silent one.
   */
  readonly #silentSince = new Map<G, number>();
  /** The same, of each network its own. */
  readonly #silentOf = new Map<string, Set<G>>();
  #warnedAt = -Infinity;
  #madeWay = 0;
  #refused = 0;

  /** @param clock ms that never go back. */
  constructor(limit: number, clock: () => number, warn: (crowding: Crowding) => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Whether there is a place for a newcomer from this address; it may be one that was just made. */
  hasRoom(address: string): boolean {
    if (this.#guests.size < this.#limit) return true;
    const givingWay = this.#givingWay(networkOf(address));
    if (givingWay === undefined) this.#refused++;
    else {
      this.#madeWay++;
      givingWay.giveWay();
    }
    const now = this.#clock();
    if (now - this.#warnedAt >= WARNING_INTERVAL) {
      this.#warn({ madeWay: this.#madeWay, refused: this.#refused });
      this.#warnedAt = now;
      this.#madeWay = 0;
      this.#refused = 0;
    }
    return givingWay !== undefined;
  }

  /** Is counted, and keeps its place until `silent` says otherwise. */
  enter(guest: G): void {
    if (this.#guests.has(guest)) return;
    this.#guests.add(guest);
    this.#places.add(guest.network);
  }

  leave(guest: G): void {
    if (!this.#guests.delete(guest)) return;
    this.#places.remove(guest.network);
    this.working(guest);
  }

  /** The guest is silent from now on; nothing for one who is not here. */
  silent(guest: G): void {
    this.working(guest);
    if (!this.#guests.has(guest)) return;
    this.#silentSince.set(guest, this.#clock());
    const silent = this.#silentOf.get(guest.network);
    if (silent === undefined) this.#silentOf.set(guest.network, new Set([guest]));
    else silent.add(guest);
  }

  /** A request of the guest is in work: it keeps its place until it is `silent`. */
  working(guest: G): void {
    this.#silentSince.delete(guest);
    const silent = this.#silentOf.get(guest.network);
    silent?.delete(guest);
    if (silent?.size === 0) this.#silentOf.delete(guest.network);
  }

  #givingWay(network: string): G | undefined {
    const { most, largest } = this.#places;
    const own = this.#places.of(network);
    if (most > own + 1 && largest !== undefined) {
      const [crowding] = this.#silentOf.get(largest) ?? [];
      if (crowding !== undefined) return crowding;
    }
    // An address that holds the most makes room from its own: it cannot push others out by coming again.
    const [longest] =
      own > 1 && own === most ? (this.#silentOf.get(network) ?? []) : this.#silentSince.keys();
    if (longest === undefined) return undefined;
    const since = this.#silentSince.get(longest) ?? Infinity;
    return this.#clock() - since >= MIN_SILENCE ? longest : undefined;
  }
}
