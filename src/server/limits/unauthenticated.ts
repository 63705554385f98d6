/**
 * The connections not logged in (PROTOCOL 4), a limited number. When there is no room, a newcomer takes the
 * place of another, so that nobody keeps everybody else out by holding connections that he does not use:
 *
 * 1. Where another address holds more places than the newcomer's would, its longest silent gives way.
 * 2. Else one that has been silent for some time: of the newcomer's own address where none holds more places
 *    than that, otherwise whoever has been silent the longest.
 * 3. Else, however lively it is, the one of these that has been here the longest, if that is some time: whoever
 *    only keeps a place has it no longer than that.
 *
 * Nobody gives way whose request is in work. An address is its site (`siteOf`). A newcomer costs the same however
 * many there are.
 */
import { LimitedLog } from "../log/limited-log.ts";
import { siteOf } from "./prefix.ts";
import { Stays } from "./stays.ts";
import { Tally } from "./tally.ts";

/** A connection that was heard of, or answered, less than this ago keeps its place from its like, in ms. */
export const MIN_SILENCE = 5_000;
/** Who has been here longer than this without logging in gives way, however lively, in ms. */
export const MAX_STAY = 10_000;
/** A full lobby is told this often at most, in ms. */
const WARNING_INTERVAL = 60_000;

export type Guest = {
  /** Its address, or `networkOf` that. */
  readonly network: string;
  /** Is told that it has lost its place, and ends; it leaves the lobby at once. */
  giveWay(): void;
};

/** What happened since the last warning. */
export type Crowding = { readonly madeWay: number; readonly refused: number };

export class Lobby<G extends Guest> {
  readonly #limit: number;
  readonly #clock: () => number;
  /** The guests and their sites. */
  readonly #guests = new Map<G, string>();
  readonly #places = new Tally();
  /**
   * Since when each is silent, without those whose request is in work. Whoever becomes silent goes to the
   * end, so that the first is the most silent one.
   */
  readonly #silentSince = new Map<G, number>();
  /** The same, of each site its own. */
  readonly #silentOf = new Map<string, Set<G>>();
  readonly #stays = new Stays<G>();
  readonly #staysOf = new Map<string, Stays<G>>();
  readonly #crowding: LimitedLog<keyof Crowding>;

  /** @param clock ms that never go back. */
  constructor(limit: number, clock: () => number, warn: (crowding: Crowding) => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#crowding = new LimitedLog(WARNING_INTERVAL, clock, { madeWay: 0, refused: 0 }, warn);
  }

  /** Whether there is a place for a newcomer from this address; it may be one that was just made. */
  hasRoom(address: string): boolean {
    if (this.#guests.size < this.#limit) return true;
    const givingWay = this.#givingWay(siteOf(address));
    givingWay?.giveWay();
    this.#crowding.note(givingWay === undefined ? "refused" : "madeWay");
    return givingWay !== undefined;
  }

  /** Is counted, and keeps its place until `silent` says otherwise. */
  enter(guest: G): void {
    if (this.#guests.has(guest)) return;
    const site = siteOf(guest.network);
    this.#guests.set(guest, site);
    this.#places.add(site);
    const now = this.#clock();
    this.#stays.enter(guest, now);
    const stays = this.#staysOf.get(site) ?? new Stays<G>();
    this.#staysOf.set(site, stays);
    stays.enter(guest, now);
  }

  leave(guest: G): void {
    const site = this.#guests.get(guest);
    if (site === undefined) return;
    this.working(guest);
    this.#guests.delete(guest);
    this.#places.remove(site);
    this.#stays.leave(guest);
    const stays = this.#staysOf.get(site);
    stays?.leave(guest);
    if (stays?.size === 0) this.#staysOf.delete(site);
  }

  /** The guest is silent from now on; nothing for one who is not here. */
  silent(guest: G): void {
    const site = this.#guests.get(guest);
    if (site === undefined) return;
    this.working(guest);
    this.#silentSince.set(guest, this.#clock());
    const silent = this.#silentOf.get(site);
    if (silent === undefined) this.#silentOf.set(site, new Set([guest]));
    else silent.add(guest);
  }

  /** A request of the guest is in work: it keeps its place until it is `silent`. */
  working(guest: G): void {
    const site = this.#guests.get(guest);
    if (site === undefined) return;
    this.#silentSince.delete(guest);
    const silent = this.#silentOf.get(site);
    silent?.delete(guest);
    if (silent?.size === 0) this.#silentOf.delete(site);
  }

  #givingWay(site: string): G | undefined {
    const { most, largest } = this.#places;
    const own = this.#places.of(site);
    if (most > own + 1 && largest !== undefined) {
      const [crowding] = this.#silentOf.get(largest) ?? [];
      if (crowding !== undefined) return crowding;
    }
    // An address that holds the most makes room from its own: it cannot push others out by coming again.
    const isCrowding = own > 1 && own === most;
    const now = this.#clock();
    const [quiet] = isCrowding ? (this.#silentOf.get(site) ?? []) : this.#silentSince.keys();
    if (quiet !== undefined && now - (this.#silentSince.get(quiet) ?? Infinity) >= MIN_SILENCE) return quiet;
    const stays = isCrowding ? this.#staysOf.get(site) : this.#stays;
    return stays?.longest(now, MAX_STAY, (guest) => !this.#silentSince.has(guest));
  }
}
