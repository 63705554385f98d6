/** Connections between two places, and their failures. */
import type { LinkConnection } from "../../../src/client/peer/link.ts";
import type { SeededRandom } from "../../seeded-random.ts";
import { SimulatedConnection } from "./simulated-connection.ts";
import { Pipe, type Arrival, type Weather } from "./simulated-pipe.ts";
import type { Machine, ProgramClock } from "./simulated-time.ts";

/** As in `src/client/peer/port.ts`. */
const MAX_CONNECTIONS_PER_USER = 4;
/** How long an unanswered attempt takes, in ms. */
const DIAL_TIMEOUT = 10_000;

/** A program that runs at a place. */
export interface Program {
  readonly clock: ProgramClock;
  /** May crash. */
  step(): void;
  /** Whether it accepts connections. */
  readonly isRunning: boolean;
  /** A connection has been accepted, and its handshake is done. */
  accept(connection: LinkConnection): void;
}

export interface Place {
  readonly name: string;
  readonly machine: Machine;
  readonly address: string;
  readonly program: Program | undefined;
}

export type Attempt = {
  readonly address: string;
  readonly signal: AbortSignal;
  opened(connection: LinkConnection): void;
  /** Called once, within an event, unless the attempt is abandoned. */
  settled(outcome: "connected" | "failed"): void;
};

/** A failure of a connection. */
export const MISHAPS = ["broken", "half broken", "silent", "one way", "stalled", "stalled one way"] as const;
export type Mishap = (typeof MISHAPS)[number];

/** In `ends` and `pipes` the dialler's comes first. */
type Line = {
  readonly number: number;
  readonly diallerIs: Place;
  readonly ends: [SimulatedConnection | undefined, SimulatedConnection | undefined];
  readonly programs: readonly [Program, Program];
  pipes: readonly [Pipe, Pipe];
};

export class SimulatedNetwork {
  weather: Weather;
  /** Whether all attempts fail. */
  isDown = false;
  readonly #random: SeededRandom;
  readonly #note: (what: () => string) => void;
  readonly #lines = new Set<Line>();
  #toFlush: SimulatedConnection[] = [];
  #count = 0;

  constructor(random: SeededRandom, weather: Weather, note: (what: () => string) => void) {
    this.#random = random;
    this.weather = weather;
    this.#note = note;
  }

  /** Connections with at least one open end. */
  get openLines(): number {
    return this.#lines.size;
  }

  /** Connections with two open ends that are not cut. */
  get wholeLines(): number {
    const isWhole = ({ ends, pipes }: Line) =>
      ends.every((end) => end?.isOpen === true) && pipes.every((pipe) => !pipe.isCut);
    return [...this.#lines].filter(isWhole).length;
  }

  dial(from: Place, to: Place, attempt: Attempt): void {
    const program = from.program as Program;
    const fail = (delay: number) =>
      program.clock.after(delay, () => {
        if (!attempt.signal.aborted) attempt.settled("failed");
      });
    const { delay, jitter } = this.weather;
    program.clock.after(3 * delay + this.#random.integer(jitter + 1), () => {
      if (attempt.signal.aborted) return;
      const isThere = !this.isDown && to.address === attempt.address && !to.machine.isAsleep;
      if (!isThere) fail(this.#random.pick([0, DIAL_TIMEOUT]));
      else if (to.program === undefined) fail(delay);
      else {
        this.#connect(from, to, attempt, [program, to.program]);
        attempt.settled("connected");
      }
    });
  }

  #connect(from: Place, to: Place, attempt: Attempt, programs: readonly [Program, Program]): void {
    const pipe = (reader: Place, side: 0 | 1): Pipe =>
      new Pipe({
        machine: reader.machine,
        random: this.#random,
        weather: () => this.weather,
        arrived: (arrivals) => this.#arrived(line, side, reader, arrivals),
        room: () => line.ends[side === 0 ? 1 : 0]?.flush(),
      });
    const number = ++this.#count;
    const ends: Line["ends"] = [undefined, undefined];
    // Each side writes into its own pipe.
    const line: Line = { number, diallerIs: from, ends, programs, pipes: [pipe(to, 1), pipe(from, 0)] };
    this.#lines.add(line);
    line.pipes[0].mark("open");
    const end = this.#newEnd(line, 0, to.address);
    this.#note(() => `line ${number}: ${from.name} is connected to ${to.name}`);
    attempt.opened(end);
  }

  #newEnd(line: Line, side: 0 | 1, remoteAddress: string): SimulatedConnection {
    const program = line.programs[side];
    const end = new SimulatedConnection({
      clock: program.clock,
      remoteAddress,
      outgoing: line.pipes[side],
      sessionKey: Buffer.alloc(32, line.number),
      step: () => program.step(),
      flushLater: (each) => this.#toFlush.push(each),
      closed: () => {
        this.#note(
          () => `line ${line.number}: the end of ${side === 0 ? "the dialler" : "the acceptor"} is closed`,
        );
        this.#forgetClosed(line);
      },
    });
    line.ends[side] = end;
    return end;
  }

  #forgetClosed(line: Line): void {
    if (line.ends[0]?.isClosed === true && line.ends[1]?.isClosed !== false) this.#lines.delete(line);
  }

  #arrived(line: Line, side: 0 | 1, reader: Place, arrivals: readonly Arrival[]): void {
    const isNew = arrivals[0]?.name === "open";
    if (isNew && reader.program === line.programs[side]) this.#accept(line, line.programs[side]);
    const end = line.ends[side];
    if (end !== undefined && !end.isClosed) end.arrived(arrivals);
    // That end is closed, so a side that still writes receives a reset.
    else if (arrivals.some(({ name }) => name === "bytes" || name === "open")) line.pipes[side].reset(0);
  }

  #accept(line: Line, program: Program): void {
    const isOfProgram = (each: Line) => each.programs[1] === program && each.ends[1]?.isClosed === false;
    if ([...this.#lines].filter(isOfProgram).length >= MAX_CONNECTIONS_PER_USER) return;
    if (program.isRunning) program.accept(this.#newEnd(line, 1, line.diallerIs.address));
  }

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
    for (const line of [...this.#lines]) {
      line.programs.forEach((each, side) => {
        if (each === program) line.ends[side]?.abandon(isReset);
      });
      this.#forgetClosed(line);
    }
  }

  /** Ends all delays; cut connections stay cut. */
  heal(weather: Weather): void {
    this.isDown = false;
    this.weather = weather;
    for (const { pipes } of this.#lines) for (const pipe of pipes) pipe.resume();
  }

  /** Makes one connection fail, or all of them. */
  befall(mishap: Mishap, which: "one" | "all"): void {
    const lines = [...this.#lines];
    if (lines.length === 0) return;
    for (const line of which === "all" ? lines : [this.#random.pick(lines)]) this.#befall(line, mishap);
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
        for (const pipe of pipes) pipe.cut();
        return;
      case "one way":
        one.cut();
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
