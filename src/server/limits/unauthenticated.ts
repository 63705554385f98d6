/**
 * The connections that are not logged in (PROTOCOL 4), a limited number. When all places are taken, a newcomer may
 * evict a pending connection, so that nobody keeps others out by holding connections without using them:
 *
 * 1. If another site holds more places than the newcomer's would, the connection of that site which has been
 *    silent the longest.
 * 2. Otherwise one that has been silent for `MIN_SILENCE`: of the newcomer's own site if no site holds more places,
 *    else of any site.
 * 3. Otherwise, of the same connections, the one that has been here the longest, if that is `MAX_STAY`, whether it is
 *    silent or not.
 *
 * A connection whose request is being answered is never evicted. Sites are those of `siteOf`. Admitting a newcomer
 * takes the same time however many connections there are.
 */
import { LimitedLog } from "../log/limited-log.ts";
import { siteOf } from "./prefix.ts";
import { Tally } from "./tally.ts";

/** A connection is not evicted by rule 2 within this time after its last request or answer, in ms. */
export const MIN_SILENCE = 5_000;
/** A connection is not evicted by rule 3 within this time after its arrival, in ms. */
export const MAX_STAY = 10_000;
/** How often a lack of places is logged, at most, in ms. */
const WARNING_INTERVAL = 60_000;

export type PendingConnection = {
  /** Its address, or `networkOf` that. */
  readonly network: string;
  /** Tells the client that the server is busy, and ends the connection, which leaves its place at once. */
  evict(): void;
};

/** What happened since the last warning. */
export type Crowding = { readonly evicted: number; readonly refused: number };

/** Connections in the order of the times that were set for them, all together and by site. */
class Timeline {
  readonly #all = new Map<PendingConnection, number>();
  readonly #bySite = new Map<string, Map<PendingConnection, number>>();

  has(connection: PendingConnection): boolean {
    return this.#all.has(connection);
  }

  /** @param now in ms, and never before a time that was set earlier. */
  set(connection: PendingConnection, site: string, now: number): void {
    this.delete(connection, site);
    this.#all.set(connection, now);
    const ofSite = this.#bySite.get(site);
    if (ofSite === undefined) this.#bySite.set(site, new Map([[connection, now]]));
    else ofSite.set(connection, now);
  }

  delete(connection: PendingConnection, site: string): void {
    this.#all.delete(connection);
    const ofSite = this.#bySite.get(site);
    ofSite?.delete(connection);
    if (ofSite?.size === 0) this.#bySite.delete(site);
  }

  /**
   * The connection, of this site or of all, whose time was at least `age` ms ago and is the earliest. The time of one
   * that is excused is set anew, so that however often this is called each is looked at once in `age` ms.
   */
  earliest(
    site: string | undefined,
    now: number,
    age: number,
    isExcused: (connection: PendingConnection) => boolean = () => false,
  ): PendingConnection | undefined {
    const times = site === undefined ? this.#all : this.#bySite.get(site);
    for (const [connection, time] of times ?? []) {
      if (now - time < age) return undefined;
      if (!isExcused(connection)) return connection;
      times?.delete(connection);
      times?.set(connection, now);
    }
    return undefined;
  }
}

export class Unauthenticated {
  readonly #limit: number;
  readonly #clock: () => number;
  readonly #sites = new Map<PendingConnection, string>();
  readonly #places = new Tally();
  /** Since when each has been silent, except those whose request is being answered. */
  readonly #silences = new Timeline();
  readonly #arrivals = new Timeline();
  readonly #crowding: LimitedLog<keyof Crowding>;

  /** @param clock ms that never go back. */
  constructor(limit: number, clock: () => number, warn: (crowding: Crowding) => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#crowding = new LimitedLog(WARNING_INTERVAL, clock, { evicted: 0, refused: 0 }, warn);
  }

  /** Whether there is a place for a newcomer from this address, if need be that of a connection evicted now. */
  hasRoom(address: string): boolean {
    if (this.#sites.size < this.#limit) return true;
    const evictable = this.#evictable(siteOf(address));
    evictable?.evict();
    this.#crowding.note(evictable === undefined ? "refused" : "evicted");
    return evictable !== undefined;
  }

  /** Takes a place for the connection, which counts as busy until `silent` is called. */
  enter(connection: PendingConnection): void {
    if (this.#sites.has(connection)) return;
    const site = siteOf(connection.network);
    this.#sites.set(connection, site);
    this.#places.add(site);
    this.#arrivals.set(connection, site, this.#clock());
  }

  leave(connection: PendingConnection): void {
    const site = this.#sites.get(connection);
    if (site === undefined) return;
    this.#sites.delete(connection);
    this.#places.remove(site);
    this.#silences.delete(connection, site);
    this.#arrivals.delete(connection, site);
  }

  /** The connection is silent from now on; does nothing for one that has no place. */
  silent(connection: PendingConnection): void {
    const site = this.#sites.get(connection);
    if (site !== undefined) this.#silences.set(connection, site, this.#clock());
  }

  /** A request of the connection is being answered, until `silent` is called. */
  working(connection: PendingConnection): void {
    const site = this.#sites.get(connection);
    if (site !== undefined) this.#silences.delete(connection, site);
  }

  #evictable(site: string): PendingConnection | undefined {
    const { most, largest } = this.#places;
    const own = this.#places.of(site);
    const now = this.#clock();
    if (most > own + 1) {
      const ofLargest = this.#silences.earliest(largest, now, 0);
      if (ofLargest !== undefined) return ofLargest;
    }
    // A site that holds the most makes room from its own: it cannot push others out by coming again.
    const from = own > 1 && own === most ? site : undefined;
    return (
      this.#silences.earliest(from, now, MIN_SILENCE) ??
      this.#arrivals.earliest(from, now, MAX_STAY, (connection) => !this.#silences.has(connection))
    );
  }
}
