/**
 * One meeting of two users (PROTOCOL 7), without sockets and clocks: times come in as `now`, and each input returns
 * what is to be done.
 *
 * 1. Both take seats, at most one a family, and each seat's round trip is measured by two pings.
 * 2. In each family in which both are measured, both get `go` at once: with the other's address where they may punch.
 *    A `go` without an address (to the relay at once) waits for a family of both in which they may punch.
 * 3. Both say `relay` within 5 s: if there is a place, the acceptor gets `spliced` and says `ready`, then the dialler
 *    gets `spliced`, and their bytes are passed on.
 * 4. When a side has closed its last seat or gone offline, or a time is over, the meeting ends; the other is told.
 *
 * The user with the smaller label, the decider, is side 0, the TLS server, and so the acceptor.
 */

import { familyOf, isPrivate, type Family } from "../../protocol/ip-address.ts";
import { MIN_CANDIDATE_PORT } from "../../protocol/rendezvous-messages.ts";
import type { MEETING_OUTCOMES, MEETING_WAYS } from "../metrics/metrics.ts";

/** From the first connection's acceptance to `go`, and to its end unless it was spliced, in ms. */
export const GO_TIMEOUT = 10_000;
export const SEAT_TIMEOUT = 30_000;
/** How long a ticket is good, in ms. */
export const TICKET_LIFE = 30_000;
/** How long both sit without a family that both have measured before they are sent to the relay, in ms. */
export const NO_COMMON_FAMILY = 3_000;
/** How long the other's `relay`, and `ready`, are waited for, in ms. */
export const RELAY_PATIENCE = 5_000;
export const READY_PATIENCE = 5_000;
const PINGS = 2;
/** Largest `rtt_ms`. */
const MAX_RTT = 5_000;

export type Side = 0 | 1;
export type Purpose = "chat" | "stream" | "move";
export type Endpoint = { readonly ip: string; readonly port: number };

/** How far it came: links in `direct` were dialled (or reversed) while the meeting was still gathering. */
export type Way = (typeof MEETING_WAYS)[number];
/** `left`: a side had its link, or did not want one; `full`: no place at the relay; `unpunchable`: a `move`. */
export type Outcome = (typeof MEETING_OUTCOMES)[number];

export type Effect =
  /** A line on a meeting connection. */
  | { readonly name: "line"; readonly side: Side; readonly family: Family; readonly line: object }
  /** A message on the side's rendezvous link, without its ticket. */
  | { readonly name: "push"; readonly side: Side; readonly message: object }
  | { readonly name: "close"; readonly side: Side; readonly family: Family }
  /** Passes bytes between the acceptor's connection and the dialler's. */
  | { readonly name: "splice"; readonly acceptor: Family; readonly dialler: Family }
  /** After it nothing happens; connections that are not spliced are closed. */
  | { readonly name: "ended"; readonly way: Way; readonly outcome: Outcome };

type Seat = Endpoint & {
  /** When its connection was accepted. */
  readonly since: number;
  /** The ping that was not answered yet. */
  ping: { readonly n: number; readonly at: number } | undefined;
  readonly rtts: number[];
};

type Place = { readonly side: Side; readonly family: Family };

type State =
  | { readonly name: "gathering" }
  | { readonly name: "gone" }
  /** One side has said `relay`. */
  | { readonly name: "asked"; readonly by: Place; readonly at: number }
  | {
      readonly name: "handingOver";
      readonly acceptor: Family;
      readonly dialler: Family;
      readonly at: number;
    }
  | { readonly name: "over" };

type SideState = { readonly seats: Map<Family, Seat>; readonly used: Set<Family>; wantsRelay: boolean };

export type MeetingOptions = {
  readonly purpose: Purpose;
  /** Whether anything may come of a dial between their NATs in this family. */
  canPunch(family: Family): boolean;
  /** Takes a place at the relay. */
  admitRelay(): boolean;
  /** A number from 0 to 2^32 - 1 that the other side cannot guess. */
  random(): number;
  readonly now: number;
};

const SIDES = [0, 1] as const;
const FAMILIES = [4, 6] as const;

export class Meeting {
  readonly #options: MeetingOptions;
  readonly #sides: readonly [SideState, SideState] = [newSide(), newSide()];
  readonly #expires: number;
  #state: State = { name: "gathering" };
  /** The families in which `go` was said; of them with an address. */
  readonly #gone = new Set<Family>();
  #way: Way = "direct";
  #bothSince: number | undefined;
  #effects: Effect[] = [];

  constructor(options: MeetingOptions) {
    this.#options = options;
    this.#expires = options.now + TICKET_LIFE;
  }

  /** `go` was not said yet, so that a second `connect` joins it. */
  get isGathering(): boolean {
    return this.#state.name === "gathering";
  }

  /** Whether this side may still take a seat in this family: once, while its ticket is good. */
  isFree(side: Side, family: Family, now: number): boolean {
    const { name } = this.#state;
    const isOpen = name === "gathering" || name === "gone" || name === "asked";
    return isOpen && now < this.#expires && !this.#sides[side].used.has(family);
  }

  /**
   * A connection of this side has shown its ticket; `isFree` was true. @param since when it was accepted
   * @param wantsRelay it shall not be told the other's address, nor the other its own
   */
  sit(side: Side, at: Endpoint, since: number, wantsRelay: boolean, now: number): Effect[] {
    const family = familyOf(at.ip);
    const state = this.#sides[side];
    state.used.add(family);
    state.wantsRelay ||= wantsRelay;
    const seat: Seat = { ip: at.ip, port: at.port, since, ping: undefined, rtts: [] };
    state.seats.set(family, seat);
    if (this.#sides[other(side)].seats.size > 0) this.#bothSince ??= now;
    this.#ping({ side, family }, seat, now);
    return this.#done();
  }

  /** @returns undefined for a `pong` that nobody asked for */
  pong(side: Side, family: Family, n: number, now: number): Effect[] | undefined {
    const seat = this.#sides[side].seats.get(family);
    if (seat?.ping === undefined || seat.ping.n !== n) return undefined;
    seat.rtts.push(now - seat.ping.at);
    seat.ping = undefined;
    if (seat.rtts.length < PINGS) this.#ping({ side, family }, seat, now);
    else this.#go();
    return this.#done();
  }

  /** @returns undefined where `relay` may not be said */
  relay(side: Side, family: Family, now: number): Effect[] | undefined {
    if (this.#options.purpose === "move") return undefined;
    const state = this.#state;
    if (state.name === "gone") {
      this.#state = { name: "asked", by: { side, family }, at: now };
      this.#way = "relayed";
      return this.#done();
    }
    if (state.name !== "asked" || state.by.side === side) return undefined;
    const [acceptor, dialler] = side === 0 ? [family, state.by.family] : [state.by.family, family];
    if (this.#options.admitRelay()) {
      this.#state = { name: "handingOver", acceptor, dialler, at: now };
      this.#line({ side: 0, family: acceptor }, { action: "spliced" });
    } else {
      for (const place of [state.by, { side, family }]) {
        this.#line(place, { action: "error", success: false, code: "relay_full" });
      }
      this.#end("full");
    }
    return this.#done();
  }

  /** @returns undefined where `ready` may not be said */
  ready(side: Side, family: Family): Effect[] | undefined {
    const state = this.#state;
    if (state.name !== "handingOver" || side !== 0 || family !== state.acceptor) return undefined;
    const { acceptor, dialler } = state;
    this.#line({ side: 1, family: dialler }, { action: "spliced" });
    this.#effects.push({ name: "splice", acceptor, dialler });
    for (const [at, spliced] of [acceptor, dialler].entries()) this.#sides[at as Side].seats.delete(spliced);
    this.#end("spliced");
    return this.#done();
  }

  /** The connection in this seat has closed. */
  closed(side: Side, family: Family): Effect[] {
    const { seats } = this.#sides[side];
    if (!seats.delete(family)) return [];
    const state = this.#state;
    const isNeeded =
      (state.name === "asked" && state.by.side === side && state.by.family === family) ||
      (state.name === "handingOver" && (side === 0 ? state.acceptor : state.dialler) === family);
    if (isNeeded || seats.size === 0) this.#leave(side, "left");
    return this.#done();
  }

  /** The side's rendezvous link has ended. */
  offline(side: Side): Effect[] {
    this.#leave(side, "offline");
    return this.#done();
  }

  checkDeadlines(now: number): Effect[] {
    switch (this.#state.name) {
      case "gathering": {
        const isLate = (seat: Seat) => now - seat.since >= GO_TIMEOUT;
        if (now >= this.#expires || this.#allSeats().some(({ seat }) => isLate(seat))) this.#expire();
        else if (this.#bothSince !== undefined && now - this.#bothSince >= NO_COMMON_FAMILY) {
          if (SIDES.every((side) => this.#sides[side].seats.size > 0)) this.#toRelay();
        }
        break;
      }
      case "gone":
      case "asked":
        if (this.#state.name === "asked" && now - this.#state.at >= RELAY_PATIENCE) this.#expire();
        else if (this.#allSeats().some(({ seat }) => now - seat.since >= SEAT_TIMEOUT)) this.#expire();
        break;
      case "handingOver":
        if (now - this.#state.at >= READY_PATIENCE) this.#expire();
        break;
      case "over":
        break;
      default:
        this.#state satisfies never;
    }
    return this.#done();
  }

  #ping({ side, family }: Place, seat: Seat, now: number): void {
    const n = this.#options.random();
    seat.ping = { n, at: now };
    this.#line({ side, family }, { action: "ping", n });
  }

  /** Says `go` in the families in which both are measured and it was not said. */
  #go(): void {
    if (this.#state.name !== "gathering" && this.#state.name !== "gone") return;
    const common = FAMILIES.filter((family) => SIDES.every((side) => this.#sides[side].seats.has(family)));
    const punchable = common.filter((family) => this.#canPunch(family));
    const isMeasured = (family: Family) => SIDES.every((side) => this.#rtt(side, family) !== undefined);
    for (const family of punchable) if (!this.#gone.has(family) && isMeasured(family)) this.#sendGo(family);
    if (punchable.length === 0 && common.some(isMeasured)) this.#toRelay();
  }

  #canPunch(family: Family): boolean {
    if (SIDES.some((side) => this.#sides[side].wantsRelay) || !this.#options.canPunch(family)) return false;
    const seats = SIDES.map((side) => this.#sides[side].seats.get(family));
    const areInside = seats.every((seat) => seat !== undefined && isPrivate(seat.ip));
    return seats.every(
      (seat) => seat !== undefined && seat.port >= MIN_CANDIDATE_PORT && (areInside || !isPrivate(seat.ip)),
    );
  }

  #sendGo(family: Family): void {
    const halves = SIDES.map((side) => (this.#rtt(side, family) ?? 0) / 2) as [number, number];
    const rtt_ms = Math.min(MAX_RTT, Math.round(2 * (halves[0] + halves[1])));
    for (const side of SIDES) {
      const { ip, port } = this.#sides[other(side)].seats.get(family) as Seat;
      const in_ms = Math.round(Math.max(...halves) - halves[side]);
      this.#push(side, { action: "go", family, ip, port, in_ms, rtt_ms });
    }
    this.#gone.add(family);
    this.#state = { name: "gone" };
    this.#way = "punched";
  }

  /** Both get a `go` without an address, unless one with an address was said. */
  #toRelay(): void {
    if (this.#state.name !== "gathering") return;
    const rtts = SIDES.map((side) => this.#rtt(side, this.#firstFamily(side)) ?? 0);
    const rtt_ms = Math.min(MAX_RTT, Math.round((rtts[0] ?? 0) + (rtts[1] ?? 0)));
    for (const side of SIDES) {
      this.#push(side, { action: "go", family: this.#firstFamily(side), in_ms: 0, rtt_ms });
    }
    this.#state = { name: "gone" };
    this.#way = "relayed";
    if (this.#options.purpose === "move") this.#end("unpunchable");
  }

  #firstFamily(side: Side): Family {
    return this.#sides[side].seats.has(4) ? 4 : 6;
  }

  #rtt(side: Side, family: Family): number | undefined {
    const rtts = this.#sides[side].seats.get(family)?.rtts ?? [];
    return rtts.length < PINGS ? undefined : Math.min(...rtts);
  }

  #leave(side: Side, outcome: "left" | "offline"): void {
    if (this.#state.name === "over") return;
    this.#push(other(side), { action: "gone" });
    this.#end(outcome);
  }

  #expire(): void {
    for (const side of SIDES) this.#push(side, { action: "gone" });
    this.#end("expired");
  }

  #end(outcome: Outcome): void {
    this.#state = { name: "over" };
    for (const { side, family } of this.#allSeats()) this.#effects.push({ name: "close", side, family });
    for (const { seats } of this.#sides) seats.clear();
    this.#effects.push({ name: "ended", way: this.#way, outcome });
  }

  #allSeats(): (Place & { readonly seat: Seat })[] {
    return SIDES.flatMap((side) =>
      [...this.#sides[side].seats].map(([family, seat]) => ({ side, family, seat })),
    );
  }

  #line({ side, family }: Place, line: object): void {
    this.#effects.push({ name: "line", side, family, line });
  }

  #push(side: Side, message: object): void {
    this.#effects.push({ name: "push", side, message });
  }

  #done(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

function newSide(): SideState {
  return { seats: new Map(), used: new Set(), wantsRelay: false };
}

function other(side: Side): Side {
  return side === 0 ? 1 : 0;
}
