/** Connections between people, and of people to the server's meeting port, and their failures. */
import type { Connection, ConnectionHandlers } from "../../../src/net/connection.ts";
import type { DialledLineHandlers } from "../../../src/net/line-socket.ts";
import type { Target } from "../../../src/net/dialler.ts";
import type { Meetings, SeatSocket } from "../../../src/server/meeting/meetings.ts";
import type { SeededRandom } from "../../seeded-random.ts";
import { SimulatedConnection } from "./simulated-connection.ts";
import { Pipe, type Arrival, type Weather } from "./simulated-pipe.ts";
import { SimulatedSeat } from "./simulated-seat.ts";
import { SimulatedSocket, type End } from "./simulated-socket.ts";
import { EventQueue, Machine, type ProgramClock } from "./simulated-time.ts";
import { canDial, MEETING_PORT, PEER_PORT, type Situated } from "./site.ts";

/** As in `src/client/peer/admission.ts`. */
const MAX_CONNECTIONS_PER_USER = 4;
/** The ports from which people dial. */
const FIRST_LOCAL_PORT = 20_000;
const FIRST_OUTER_PORT = 50_000;

/** A program that runs at a place. */
export interface Program {
  readonly clock: ProgramClock;
  /** May crash. */
  step(): void;
  /** Whether it accepts connections. */
  readonly isRunning: boolean;
  /** The handlers of a connection that it accepts. */
  accept(): ConnectionHandlers | undefined;
}

export interface Place extends Situated {
  readonly name: string;
  readonly machine: Machine;
  readonly program: Program | undefined;
}

/** Why a dial has failed. */
type DialFailure = "ECONNREFUSED" | "EHOSTUNREACH";

export type Attempt = {
  readonly target: Target;
  /** Whether it is wanted no longer. */
  isOver(): boolean;
  opened(connection: Connection, become: (handlers: ConnectionHandlers) => void): void;
  /** Nothing is called if nobody answers. */
  failed(code: DialFailure): void;
};

/** A failure of a connection. */
export const MISHAPS = ["broken", "half broken", "silent", "one way", "stalled", "stalled one way"] as const;
export type Mishap = (typeof MISHAPS)[number];

/** What becomes of two who dial each other at the same moment: NATs may answer a dial that comes too early. */
export const PUNCHES = ["works", "works", "is refused early", "never works"] as const;

/** In `ends` and `pipes` the dialler's comes first. */
type Line = {
  readonly number: number;
  readonly ends: [End | undefined, End | undefined];
  /** The second is undefined for the server. */
  readonly programs: readonly [Program, Program | undefined];
  readonly pipes: readonly [Pipe, Pipe];
  /** The dial of the second person at the same moment. */
  punched?: Punch;
};

/** A dial to somebody who has to dial at the same moment. */
type Punch = {
  readonly place: Place;
  readonly program: Program;
  /** Where it is seen to come from. */
  readonly from: Target;
  readonly to: Target;
  readonly localPort: number;
  readonly handlers: DialledLineHandlers;
};

export class SimulatedNetwork {
  weather: Weather;
  /** Whether all attempts fail. */
  isDown = false;
  punching: (typeof PUNCHES)[number] = "works";
  /** Whether the relay has no place. */
  isRelayFull = false;
  readonly #random: SeededRandom;
  readonly #note: (what: () => string) => void;
  readonly #server: Machine;
  readonly #lines = new Set<Line>();
  readonly #punches = new Set<Punch>();
  #toFlush: SimulatedConnection[] = [];
  #count = 0;

  constructor(queue: EventQueue, random: SeededRandom, weather: Weather, note: (what: () => string) => void) {
    this.#server = new Machine(queue, 0);
    this.#random = random;
    this.weather = weather;
    this.#note = note;
  }

  /** Connections with at least one open end. */
  get openLines(): number {
    return this.#lines.size;
  }

  /** The ways between the two people: connections, and pairs of them that the relay joins. */
  get #ways(): Line[][] {
    const lines = [...this.#lines];
    const direct = lines.filter(({ programs }) => programs[1] !== undefined).map((line) => [line]);
    const relayed = lines.flatMap((line) => {
      const [, seat] = line.ends;
      const other = seat instanceof SimulatedSeat ? seat.splicedTo : undefined;
      const second = lines.find(({ ends }) => ends[1] === other);
      return other === undefined || second === undefined || second.number < line.number
        ? []
        : [[line, second]];
    });
    return [...direct, ...relayed];
  }

  /** Whether somebody has a seat at the meeting port. */
  get isMeeting(): boolean {
    return this.#seats.some((seat) => seat.isOpen && seat.splicedTo === undefined);
  }

  get openWays(): number {
    return this.#ways.length;
  }

  /** Ways whose ends are open and that are not cut. */
  get wholeWays(): number {
    const isWhole = ({ ends, pipes }: Line) =>
      ends.every((end) => end?.isOpen === true) && pipes.every((pipe) => !pipe.isCut);
    return this.#ways.filter((way) => way.every(isWhole)).length;
  }

  get #delay(): number {
    const { delay, jitter } = this.weather;
    return 3 * delay + this.#random.integer(jitter + 1);
  }

  /** Dials the peer port of `to`. */
  dial(from: Place, to: Place, attempt: Attempt): void {
    const program = from.program as Program;
    const fail = (code: DialFailure, delay: number) =>
      program.clock.after(delay, () => {
        if (!attempt.isOver()) attempt.failed(code);
      });
    const { ip, port } = attempt.target;
    program.clock.after(this.#delay, () => {
      if (attempt.isOver()) return;
      const isThere = !this.isDown && port === PEER_PORT && canDial(from, to, ip) && !to.machine.isAsleep;
      if (!isThere) {
        if (this.#random.next() < 0.5) fail("EHOSTUNREACH", 0);
      } else if (to.program === undefined) fail("ECONNREFUSED", this.weather.delay);
      else {
        const line = this.#newLine([from, to], [program, to.program]);
        const end = this.#connectionAt(line, 0, ip);
        line.pipes[0].put({ name: "open" });
        this.#note(() => `line ${line.number}: ${from.name} is connected to ${to.name}`);
        attempt.opened(end.asConnection, (handlers) => end.handOverTo(handlers));
      }
    });
  }

  /** As `dialForLines`, from `place`. @param meetings undefined: no server is there */
  dialForLines(
    place: Place,
    meetings: () => Meetings | undefined,
    target: Target,
    chosenPort: number,
    handlers: DialledLineHandlers,
  ): void {
    const program = place.program as Program;
    const localPort = chosenPort === 0 ? FIRST_LOCAL_PORT + (++this.#count % 10_000) : chosenPort;
    if (target.ip !== MEETING_PORT.ip) {
      const from = this.#outerPort(place, localPort);
      this.#punch({ place, program, from, to: target, localPort, handlers });
      return;
    }
    program.clock.after(this.#delay, () => {
      const there = this.isDown ? undefined : meetings();
      if (there === undefined) handlers.failed("ECONNREFUSED");
      else this.#takeSeat(place, program, there, localPort, handlers);
    });
  }

  #takeSeat(
    place: Place,
    program: Program,
    meetings: Meetings,
    localPort: number,
    handlers: DialledLineHandlers,
  ): void {
    const line = this.#newLine([place, { machine: this.#server }], [program, undefined]);
    this.#note(() => `line ${line.number}: ${place.name} is connected to the meeting port`);
    line.ends[1] = new SimulatedSeat({
      ...this.#outerPort(place, localPort),
      incoming: line.pipes[0],
      outgoing: line.pipes[1],
      meetings,
      now: () => this.#server.monotonic,
      closed: () => this.#closed(line, 1),
    });
    const socket = this.#socketAt(line, 0, MEETING_PORT.ip, localPort, handlers);
    handlers.opened(socket.asLineSocket);
  }

  /** Where others see a connection from this port to come from. */
  #outerPort({ site }: Place, localPort: number): Target {
    const port = site.nat === "symmetric" ? FIRST_OUTER_PORT + (++this.#count % 10_000) : localPort;
    return { ip: site.ip, port };
  }

  #punch(punch: Punch): void {
    const { place, program, handlers } = punch;
    this.#note(
      () => `${place.name} dials ${punch.to.ip}:${punch.to.port} from ${punch.from.ip}:${punch.from.port}`,
    );
    this.#punches.add(punch);
    program.clock.after(this.#delay, () => {
      if (!this.#punches.has(punch)) return;
      const isSame = (one: Target, other: Target) => one.ip === other.ip && one.port === other.port;
      const other = [...this.#punches].find(
        ({ from, to }) => isSame(from, punch.to) && isSame(to, punch.from),
      );
      if (this.isDown || this.punching === "never works" || other === undefined) {
        if (this.punching !== "is refused early") return;
        this.#punches.delete(punch);
        handlers.failed("ECONNREFUSED");
        return;
      }
      this.#punches.delete(punch);
      this.#punches.delete(other);
      const line = this.#newLine([place, other.place], [program, other.program]);
      this.#note(() => `line ${line.number}: ${place.name} and ${other.place.name} have punched`);
      line.punched = other;
      line.pipes[0].put({ name: "open" });
      handlers.opened(this.#socketAt(line, 0, punch.to.ip, punch.localPort, handlers).asLineSocket);
    });
  }

  #newLine(
    machines: readonly [Pick<Place, "machine">, Pick<Place, "machine">],
    programs: Line["programs"],
  ): Line {
    const pipe = (reader: Pick<Place, "machine">, side: 0 | 1): Pipe =>
      new Pipe({
        machine: reader.machine,
        random: this.#random,
        weather: () => this.weather,
        arrived: (arrivals) => this.#arrived(line, side, arrivals),
        room: () => line.ends[side === 0 ? 1 : 0]?.flush(),
      });
    const ends: Line["ends"] = [undefined, undefined];
    // Each side writes into its own pipe.
    const pipes = [pipe(machines[1], 1), pipe(machines[0], 0)] as const;
    const line: Line = { number: ++this.#count, ends, programs, pipes };
    this.#lines.add(line);
    return line;
  }

  #connectionAt(line: Line, side: 0 | 1, remoteAddress: string): SimulatedConnection {
    const program = line.programs[side] as Program;
    const end = new SimulatedConnection({
      clock: program.clock,
      remoteAddress,
      outgoing: line.pipes[side],
      session: line.number,
      step: () => program.step(),
      flushLater: (each) => this.#toFlush.push(each),
      closed: () => this.#closed(line, side),
    });
    line.ends[side] = end;
    return end;
  }

  #socketAt(
    line: Line,
    side: 0 | 1,
    ip: string,
    localPort: number,
    handlers: DialledLineHandlers,
  ): SimulatedSocket {
    const socket = new SimulatedSocket({
      ip,
      localPort,
      outgoing: line.pipes[side],
      handlers,
      secured: () => this.#connectionAt(line, side, ip),
      closed: () => this.#closed(line, side),
    });
    line.ends[side] = socket;
    return socket;
  }

  #closed(line: Line, side: 0 | 1): void {
    this.#note(
      () => `line ${line.number}: the end of ${side === 0 ? "the dialler" : "the acceptor"} is closed`,
    );
    this.#forgetClosed(line);
  }

  #forgetClosed(line: Line): void {
    if (line.ends[0]?.isClosed === true && line.ends[1]?.isClosed !== false) this.#lines.delete(line);
  }

  #arrived(line: Line, side: 0 | 1, arrivals: readonly Arrival[]): void {
    const isNew = arrivals[0]?.name === "open";
    if (isNew && line.ends[side] === undefined) this.#accept(line);
    const end = line.ends[side];
    if (end !== undefined && !end.isClosed) end.arrived(arrivals);
    // That end is closed, so a side that still writes receives a reset.
    else if (arrivals.some(({ name }) => name !== "end" && name !== "reset")) line.pipes[side].reset(0);
  }

  #accept(line: Line): void {
    const [dialler, program] = line.programs;
    if (program === undefined || !program.isRunning) return;
    if (line.punched !== undefined) {
      const { to, localPort, handlers } = line.punched;
      this.#socketAt(line, 1, to.ip, localPort, handlers);
      return;
    }
    const isOfProgram = (each: Line) => each.programs[1] === program && each.ends[1]?.isClosed === false;
    if ([...this.#lines].filter(isOfProgram).length >= MAX_CONNECTIONS_PER_USER) return;
    const handlers = program.accept();
    if (handlers === undefined) return;
    const end = this.#connectionAt(line, 1, this.addressOf(dialler));
    end.handOverTo(handlers);
    handlers.accepted?.(end.asConnection);
    end.opened();
  }

  /** As others see the place of a program. */
  addressOf: (program: Program) => string = () => "";

  /** Writes everything that was sent in this turn of the event loop. */
  flush(): void {
    while (this.#toFlush.length > 0) {
      const ends = this.#toFlush;
      this.#toFlush = [];
      for (const end of ends) end.flush();
    }
  }

  /** A program has vanished. @param isReset whether its machine resets its connections */
  crashed(program: Program, isReset: boolean): void {
    for (const punch of [...this.#punches]) if (punch.program === program) this.#punches.delete(punch);
    for (const line of [...this.#lines]) {
      line.programs.forEach((each, side) => {
        if (each === program) line.ends[side]?.abandon(isReset);
      });
      this.#forgetClosed(line);
    }
  }

  /** Passes bytes between two seats until they end. */
  join(acceptor: SeatSocket, dialler: SeatSocket, ended: () => void): void {
    const seatOf = (socket: SeatSocket) => this.#seats.find((seat) => seat === socket);
    const [one, two] = [seatOf(acceptor), seatOf(dialler)];
    if (one === undefined || two === undefined) return ended();
    this.#note(() => "the relay joins two lines");
    one.spliceTo(two, ended);
    two.spliceTo(one, ended);
  }

  get #seats(): SimulatedSeat[] {
    return [...this.#lines].map(({ ends }) => ends[1]).filter((end) => end instanceof SimulatedSeat);
  }

  /** To be called about once a second. */
  checkDeadlines(): void {
    for (const seat of this.#seats) seat.checkDeadlines(this.#server.monotonic);
  }

  /** The server's meeting port and its relay are gone. */
  serverEnded(): void {
    for (const seat of this.#seats) seat.terminate();
  }

  /** Ends all delays; cut connections stay cut. */
  heal(weather: Weather): void {
    this.isDown = this.isRelayFull = false;
    this.weather = weather;
    for (const { pipes } of this.#lines) for (const pipe of pipes) pipe.resume();
  }

  /** Makes one connection fail, or all of them. */
  befall(mishap: Mishap, which: "one" | "all" | Program): void {
    const lines = [...this.#lines];
    if (lines.length === 0) return;
    const met = which === "one" ? [this.#random.pick(lines)] : lines;
    for (const line of met)
      if (typeof which === "string" || line.programs.includes(which)) this.#befall(line, mishap);
  }

  #befall({ number, pipes }: Line, mishap: Mishap): void {
    this.#note(() => `line ${number}: ${mishap}`);
    const later = (most: number) => this.#random.integer(most + 1);
    const one = this.#random.pick(pipes);
    switch (mishap) {
      case "broken":
        for (const pipe of pipes) pipe.cut();
        for (const pipe of pipes) pipe.reset(later(2_000));
        return;
      case "half broken":
        for (const pipe of pipes) pipe.cut();
        one.reset(later(500));
        return;
      case "silent":
        for (const pipe of pipes) pipe.silence();
        return;
      case "one way":
        one.silence();
        return;
      case "stalled":
        for (const pipe of pipes) pipe.stall(later(45_000));
        return;
      case "stalled one way":
        one.stall(later(45_000));
        return;
      default:
        mishap satisfies never;
    }
  }
}
