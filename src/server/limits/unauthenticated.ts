/**
 * The connections that are not logged in (PROTOCOL 4), a limited number. When all places are taken, a new connection
 * may evict another one, so that idle connections cannot keep users out:
 *
 * 1. If another site holds more places than the site of the new connection would, the connection of that site that has
 *    been silent the longest.
 * 2. Otherwise one that has been silent for `MIN_SILENCE`: of the same site if no site holds more places, else of any.
 * 3. Otherwise, among the same connections, the oldest one if it is older than `MAX_STAY`, silent or not.
 *
 * A connection whose request is being answered is never evicted. Sites are those of `siteOf`. Finding a place takes the
 * same time however many connections there are.
 */
import { LimitedLog } from "../log/limited-log.ts";
import { siteOf } from "../../protocol/ip-address.ts";
import { Tally } from "./tally.ts";

/** Rule 2 evicts a connection only this long after its last request or answer, in ms. */
export const MIN_SILENCE = 5_000;
/** Rule 3 evicts a connection only this long after its arrival, in ms. */
export const MAX_STAY = 10_000;
/** How often a lack of places is logged, at most, in ms. */
const WARNING_INTERVAL = 60_000;

export type PendingConnection = {
  /** Its address, or `networkOf` that. */
  readonly network: string;
  /** Notifies the client that the server is busy, and ends the connection, which frees its place at once. */
  evict(): void;
};

/** Connections evicted or refused since the last warning. */
export type Crowding = { readonly evicted: number; readonly refused: number };

/** Connections in the order of their times, all together and by site. */
class Timeline {
  readonly #all = new Map<PendingConnection, number>();
  readonly #bySite = new Map<string, Map<PendingConnection, number>>();

  has(connection: PendingConnection): boolean {
    return this.#all.has(connection);
  }

  /** @param now ms that never go back. */
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
   * The connection with the earliest time, of this site or of all, if that was at least `age` ms ago. The time of an
   * excused connection becomes `now`, so that each is looked at only once in `age` ms however often this is called.
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
  /** Since when each connection has been silent, except those whose request is being answered. */
  readonly #silences = new Timeline();
  readonly #arrivals = new Timeline();
  readonly #crowding: LimitedLog<keyof Crowding>;

  /** @param clock ms that never go back. */
  constructor(limit: number, clock: () => number, warn: (crowding: Crowding) => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#crowding = new LimitedLog(WARNING_INTERVAL, clock, { evicted: 0, refused: 0 }, warn);
  }

  /** Whether there is a place for a new connection from this address; evicts one if necessary. */
  makeRoom(address: string): boolean {
    if (this.#sites.size < this.#limit) return true;
    const evictable = this.#evictable(siteOf(address));
    evictable?.evict();
    this.#crowding.note(evictable === undefined ? "refused" : "evicted");
    return evictable !== undefined;
  }

  /** Gives the connection a place; it counts as busy until `silent` is called. */
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

  /** The connection is silent from now on. Does nothing if it has no place. */
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
    // A site that holds the most places evicts its own connections: it cannot displace others by reconnecting.
    const from = own > 1 && own === most ? site : undefined;
    return (
      this.#silences.earliest(from, now, MIN_SILENCE) ??
      this.#arrivals.earliest(from, now, MAX_STAY, (connection) => !this.#silences.has(connection))
    );
  }
}
