/** The server's end of a connection to its meeting port, and the relay, which passes the bytes of two of them. */
import { readMeetingLine } from "../../../src/protocol/meeting-messages.ts";
import type { JsonObject } from "../../../src/protocol/framing.ts";
import type { Meetings, MeetingSeat, SeatSocket } from "../../../src/server/meeting/meetings.ts";
import type { End } from "./simulated-socket.ts";
import type { Arrival, Pipe } from "./simulated-pipe.ts";

/** As in `src/server/meeting/meeting-port.ts`, in ms. */
const TICKET_PATIENCE = 5_000;
/** As in `src/net/splice.ts`, in ms. */
const STALL_TIMEOUT = 30_000;
const SILENCE_TIMEOUT = 120_000;

type SeatOptions = {
  /** As the server sees the client. */
  readonly ip: string;
  readonly port: number;
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
  readonly meetings: Meetings;
  readonly now: () => number;
  readonly closed: () => void;
};

type State =
  | { readonly name: "unseated" }
  | { readonly name: "seated"; readonly seat: MeetingSeat }
  /** `rest`: what the other has no room for. `ended`: the relay's place is free again. */
  | {
      readonly name: "spliced";
      readonly to: SimulatedSeat;
      readonly ended: () => void;
      readonly rest: Arrival[];
    }
  | { readonly name: "closed" };

export class SimulatedSeat implements End, SeatSocket {
  readonly ip: string;
  readonly port: number;
  readonly since: number;
  readonly #options: SeatOptions;
  #state: State = { name: "unseated" };
  #passedAt: number;

  constructor(options: SeatOptions) {
    this.ip = options.ip;
    this.port = options.port;
    this.since = this.#passedAt = options.now();
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state.name !== "closed";
  }

  get isClosed(): boolean {
    return this.#state.name === "closed";
  }

  /** The other seat, to which bytes are passed. */
  get splicedTo(): SimulatedSeat | undefined {
    return this.#state.name === "spliced" ? this.#state.to : undefined;
  }

  send(line: object): void {
    this.#options.outgoing.put({ name: "line", line });
  }

  end(): void {
    if (this.#state.name === "spliced") return;
    this.#options.outgoing.put({ name: "end" });
    this.#close();
  }

  /** From now on bytes are passed, in both directions once both are told. */
  spliceTo(to: SimulatedSeat, ended: () => void): void {
    this.#state = { name: "spliced", to, ended, rest: [] };
  }

  /** Ends both seats of the relay. */
  terminate(): void {
    if (this.#state.name === "closed") return;
    const { splicedTo } = this;
    this.#options.outgoing.cut();
    this.#options.outgoing.reset(0);
    this.#close();
    splicedTo?.terminate();
  }

  abandon(): void {
    this.terminate();
  }

  /** To be called about once a second. */
  checkDeadlines(now: number): void {
    const state = this.#state;
    if (state.name === "unseated" && now - this.since >= TICKET_PATIENCE) this.terminate();
    if (state.name !== "spliced") return;
    const silence = now - Math.max(this.#passedAt, state.to.#passedAt);
    const isStalled = state.rest.length > 0 && now - this.#passedAt >= STALL_TIMEOUT;
    if (isStalled || silence >= SILENCE_TIMEOUT) this.terminate();
  }

  /** The other seat's client may have room. */
  flush(): void {
    if (this.#state.name === "spliced") this.#state.to.#pass([]);
  }

  arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      switch (this.#state.name) {
        case "closed":
          return;
        case "spliced":
          this.#pass([arrival]);
          break;
        default:
          this.#take(arrival);
      }
    }
  }

  #take(arrival: Arrival): void {
    if (arrival.name === "line") this.#line(arrival.line as JsonObject);
    else if (arrival.name === "end" || arrival.name === "reset") this.terminate();
    else if (arrival.name !== "open") throw new Error(`${arrival.name} before the splice`);
  }

  #line(object: JsonObject): void {
    const line = readMeetingLine(object);
    if (line === undefined) this.terminate();
    else if (this.#state.name === "seated") {
      if (!this.#state.seat.line(line)) this.terminate();
    } else {
      const isMeet = line.action === "meet";
      const seat = isMeet ? this.#options.meetings.sit(line.ticket, this, line.relay === true) : undefined;
      if (seat === undefined) this.terminate();
      else if (this.#state.name === "unseated") this.#state = { name: "seated", seat };
    }
  }

  #pass(arrivals: readonly Arrival[]): void {
    const state = this.#state;
    if (state.name !== "spliced") return;
    const { outgoing } = state.to.#options;
    state.rest.push(...arrivals);
    while (this.#state === state) {
      const [first] = state.rest;
      if (first === undefined) return this.#options.incoming.release();
      if (first.name === "reset") return this.terminate();
      const taken = first.name === "bytes" ? outgoing.write(first.bytes) : 0;
      if (taken > 0) this.#passedAt = this.#options.now();
      if (first.name === "bytes" && taken < first.bytes.length) {
        state.rest[0] = { name: "bytes", bytes: first.bytes.subarray(taken) };
        return this.#options.incoming.hold();
      }
      state.rest.shift();
      if (first.name !== "bytes") outgoing.put(first);
      if (first.name === "end") this.#close();
    }
  }

  #close(): void {
    const state = this.#state;
    this.#state = { name: "closed" };
    if (state.name === "seated") state.seat.closed();
    this.#options.closed();
    if (state.name !== "spliced") return;
    state.ended();
  }
}
