/**
 * A client's side of one meeting (PROTOCOL 7), without sockets and clocks: times come in as `now`, and each input returns
 * what is to be done.
 *
 * 1. In each family a seat is taken at the meeting port, from a local port of its own; its pings are answered.
 * 2. `go` with an address: at `in_ms` it is dialled from that local port, and after a refusal again, at most twice. What
 *    opens begins TLS: the decider is the server.
 * 3. `go` without one, and a time after `go` in which nothing has opened, or opened and not proven who it is: `relay` is
 *    said on a seat, IPv4 first. In a `move`, and for who wants no relay, the meeting ends instead.
 * 4. `spliced` makes the seat a connection to the other side: the decider says `ready` and is the TLS server.
 * 5. When a connection was proven, or nothing is left to try, the seats are closed.
 */
import type { Family } from "../../protocol/ip-address.ts";

/** When a refused dial is made again, in ms after `in_ms`; the decider is this much later, and then earlier. */
const RETRIES = [
  { after: 400, decider: 40 },
  { after: 800, decider: -40 },
] as const;
/** How long after `go`, and the `rtt_ms` that it names, an open connection is waited for, in ms. */
export const PUNCH_TIME = 1_500;
/** How much longer, if there is one whose handshake hangs, in ms. */
export const HANDSHAKE_TIME = 3_000;
/** How long the other side's `relay`, and `spliced`, may take, in ms. */
export const RELAY_TIME = 15_000;
/** How long a meeting may last before `go`, in ms. */
export const SEAT_TIME = 15_000;

export type Purpose = "chat" | "stream" | "move";
export type MeetingFailure =
  /** No seat was got. */
  | "no_seat"
  /** The other side did not come: no `go` came to our seat. */
  | "alone"
  /** The other side has left, or the server has ended it. */
  | "gone"
  /** No connection came about in time. */
  | "no_way"
  | "relay_full"
  /** There was a connection, and it did not prove who it is. */
  | "not_proven";

export type MeetingEffect =
  | { readonly name: "say"; readonly family: Family; readonly line: object }
  /** Dials from the local port of the seat. */
  | { readonly name: "dial"; readonly family: Family; readonly ip: string; readonly port: number }
  /** The seat becomes a TLS connection in this role. */
  | { readonly name: "secureSeat"; readonly family: Family }
  | { readonly name: "closeSeat"; readonly family: Family }
  /** After it nothing happens. `failure` undefined: a connection was proven, or it was left. */
  | { readonly name: "ended"; readonly failure: MeetingFailure | undefined };

export type Go = {
  readonly family: Family;
  readonly ip?: string | undefined;
  readonly port?: number | undefined;
  readonly in_ms: number;
  readonly rtt_ms: number;
};

type Punch = {
  readonly ip: string;
  readonly port: number;
  /** When `in_ms` is over. */
  readonly startAt: number;
  readonly giveUpAt: number;
  /** How many dials were begun. */
  dials: number;
  /** When the next dial begins; undefined: one is under way, or none is left. */
  nextAt: number | undefined;
  isOpen: boolean;
};

type State =
  /** Seats are taken, and `go` is waited for. */
  | { readonly name: "gathering"; readonly until: number }
  | { readonly name: "punching" }
  | { readonly name: "relaying"; readonly family: Family; readonly until: number }
  /** `spliced` was said: the handshake has a time of its own. */
  | { readonly name: "relayed" }
  | { readonly name: "over" };

type MeetingOptions = {
  readonly isDecider: boolean;
  readonly purpose: Purpose;
  readonly mayRelay: boolean;
  /** The families in which seats are being taken. */
  readonly families: readonly Family[];
  readonly now: number;
};

export class Meeting {
  readonly #options: MeetingOptions;
  /** Those that are being taken, and those that are taken. */
  readonly #seats: Map<Family, "taking" | "taken">;
  readonly #punches = new Map<Family, Punch>();
  #state: State;
  #effects: MeetingEffect[] = [];

  constructor(options: MeetingOptions) {
    this.#options = options;
    this.#seats = new Map(options.families.map((family) => [family, "taking"]));
    this.#state = { name: "gathering", until: options.now + SEAT_TIME };
  }

  /** When `checkDeadlines` has something to do next. */
  get wakeAt(): number {
    switch (this.#state.name) {
      case "gathering":
      case "relaying":
        return this.#state.until;
      case "punching":
        return Math.min(
          this.#giveUpAt,
          ...[...this.#punches.values()].map(({ nextAt = Infinity }) => nextAt),
        );
      case "relayed":
      case "over":
        return Infinity;
      default:
        return this.#state satisfies never;
    }
  }

  get isOver(): boolean {
    return this.#state.name === "over";
  }

  /** The connection of this seat is open. */
  seated(family: Family): MeetingEffect[] {
    if (this.#seats.has(family)) this.#seats.set(family, "taken");
    return this.#done();
  }

  ping(family: Family, n: number): MeetingEffect[] {
    this.#effects.push({ name: "say", family, line: { action: "pong", n } });
    return this.#done();
  }

  /** The connection of this seat has closed, or was not opened. */
  seatClosed(family: Family): MeetingEffect[] {
    const wasTaken = this.#seats.get(family) === "taken";
    if (!this.#seats.delete(family)) return [];
    const state = this.#state;
    if (
      state.name === "relaying"
        ? state.family === family
        : this.#seats.size === 0 && state.name === "gathering"
    )
      this.#end(state.name === "relaying" ? "no_way" : wasTaken ? "gone" : "no_seat");
    return this.#done();
  }

  go({ family, ip, port, in_ms, rtt_ms }: Go, now: number): MeetingEffect[] {
    const state = this.#state;
    if (state.name !== "gathering" && state.name !== "punching") return [];
    if (ip === undefined || port === undefined) {
      if (this.#punches.size === 0) this.#relay(now);
    } else if (this.#seats.get(family) === "taken" && !this.#punches.has(family)) {
      const startAt = now + in_ms;
      const giveUpAt = now + PUNCH_TIME + rtt_ms;
      const punch = { ip, port, startAt, giveUpAt, dials: 0, nextAt: startAt, isOpen: false };
      this.#punches.set(family, punch);
      this.#state = { name: "punching" };
      this.#dialDue(now);
    }
    return this.#done();
  }

  /** A dial has failed: where the other side has refused it, its SYN may have come before ours had left. */
  dialFailed(family: Family, now: number): MeetingEffect[] {
    const punch = this.#punches.get(family);
    const retry = RETRIES[(punch?.dials ?? 0) - 1];
    if (punch === undefined || retry === undefined || this.#state.name !== "punching") return [];
    const at = punch.startAt + retry.after + (this.#options.isDecider ? retry.decider : 0);
    punch.nextAt = Math.max(at, now);
    return this.#done();
  }

  /** A dial has opened, and its handshake begins. @returns whether it is still wanted */
  dialOpened(family: Family): boolean {
    const punch = this.#punches.get(family);
    if (punch === undefined || this.#state.name !== "punching") return false;
    punch.isOpen = true;
    return true;
  }

  /** A connection that had opened has closed before it was proven. */
  openClosed(family: Family, now: number): MeetingEffect[] {
    const punch = this.#punches.get(family);
    if (punch === undefined || this.#state.name !== "punching") return [];
    punch.isOpen = false;
    return this.dialFailed(family, now);
  }

  spliced(family: Family): MeetingEffect[] {
    const state = this.#state;
    if (state.name !== "relaying" || state.family !== family) return [];
    // Both in one turn: what follows `ready` is the handshake.
    if (this.#options.isDecider) this.#effects.push({ name: "say", family, line: { action: "ready" } });
    this.#effects.push({ name: "secureSeat", family });
    this.#seats.delete(family);
    this.#state = { name: "relayed" };
    return this.#done();
  }

  /** The relayed connection has closed before it was proven. */
  relayClosed(): MeetingEffect[] {
    if (this.#state.name === "relayed") this.#end("not_proven");
    return this.#done();
  }

  relayFull(): MeetingEffect[] {
    this.#end("relay_full");
    return this.#done();
  }

  /** The server says that the meeting is over: what has opened already goes on. */
  gone(): MeetingEffect[] {
    const isOpen = [...this.#punches.values()].some((punch) => punch.isOpen);
    const { name } = this.#state;
    const isLeft = name === "relaying" || (name !== "relayed" && !isOpen);
    // Nobody waits for a side that is not there.
    const isSeated = name !== "gathering" || this.#isSeated;
    if (isLeft) this.#end(isSeated ? "gone" : "no_seat");
    return this.#done();
  }

  /** A connection was proven, or none is wanted any more. */
  leave(): MeetingEffect[] {
    this.#end(undefined);
    return this.#done();
  }

  checkDeadlines(now: number): MeetingEffect[] {
    const state = this.#state;
    switch (state.name) {
      case "gathering":
        if (now >= state.until) this.#end(this.#isSeated ? "alone" : "no_seat");
        break;
      case "punching":
        if (now >= this.#giveUpAt) this.#relay(now);
        else this.#dialDue(now);
        break;
      case "relaying":
        if (now >= state.until) this.#end("no_way");
        break;
      case "relayed":
      case "over":
        break;
      default:
        state satisfies never;
    }
    return this.#done();
  }

  get #isSeated(): boolean {
    return [...this.#seats.values()].includes("taken");
  }

  get #giveUpAt(): number {
    const times = [...this.#punches.values()].map(
      ({ giveUpAt, isOpen }) => giveUpAt + (isOpen ? HANDSHAKE_TIME : 0),
    );
    return Math.max(...times);
  }

  #dialDue(now: number): void {
    for (const [family, punch] of this.#punches) {
      if (punch.nextAt === undefined || now < punch.nextAt) continue;
      punch.nextAt = undefined;
      punch.dials++;
      this.#effects.push({ name: "dial", family, ip: punch.ip, port: punch.port });
    }
  }

  #relay(now: number): void {
    const { purpose, mayRelay } = this.#options;
    const taken = ([4, 6] as const).find((family) => this.#seats.get(family) === "taken");
    if (purpose === "move" || !mayRelay || taken === undefined) {
      this.#end("no_way");
      return;
    }
    this.#state = { name: "relaying", family: taken, until: now + RELAY_TIME };
    this.#effects.push({ name: "say", family: taken, line: { action: "relay" } });
  }

  #end(failure: MeetingFailure | undefined): void {
    if (this.#state.name === "over") return;
    this.#state = { name: "over" };
    for (const family of this.#seats.keys()) this.#effects.push({ name: "closeSeat", family });
    this.#seats.clear();
    this.#effects.push({ name: "ended", failure });
  }

  #done(): MeetingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
