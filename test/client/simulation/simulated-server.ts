/** The rendezvous server as a conversation sees it: lookups, and notifications of presence. */
import type { SeededRandom } from "../../seeded-random.ts";
import type { EventQueue } from "./simulated-time.ts";
import type { Place, Program } from "./simulated-network.ts";

/** The server's messages to one program, delivered in the order in which they were sent. */
export interface ServerUser extends Program {
  cameOnline(): void;
  presence(online: boolean, isChange: boolean): void;
  serverIsGone(): void;
}

export type Whereabouts =
  { readonly name: "online"; readonly address: string } | { readonly name: "offline" | "noServer" };

/** Longest time until the server notices that a program has vanished, in ms. */
const NOTICED_AFTER = 30_000;
/** How often a program tries to reach a lost server, in ms. */
const RELOGIN = 5_000;
/** Longest round trip to the server, in ms. */
const WAY = 300;

/** One direction of a program's link to the server, which keeps the order of messages. */
class Way {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #messages: (() => void)[] = [];
  #last = 0;

  constructor(queue: EventQueue, random: SeededRandom) {
    this.#queue = queue;
    this.#random = random;
  }

  send(program: Program, message: () => void): void {
    const { now } = this.#queue;
    this.#last = Math.max(this.#last, now + this.#random.integer(WAY));
    this.#messages.push(message);
    // Timers that were due during a sleep may change their order, but messages do not.
    program.clock.after(this.#last - now, () => this.#messages.shift()?.());
  }
}

type Session = {
  readonly program: ServerUser;
  readonly place: Place;
  readonly address: string;
  isWatching: boolean;
  readonly toServer: Way;
  readonly fromServer: Way;
};

export class SimulatedServer {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  #isUp = true;
  /** By the name of the place. */
  readonly #sessions = new Map<string, Session>();

  constructor(queue: EventQueue, random: SeededRandom) {
    this.#queue = queue;
    this.#random = random;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** A program at `place` logs in, now or once there is a server. */
  logIn(place: Place, program: ServerUser): void {
    program.clock.after(this.#random.integer(WAY), () => {
      if (!this.#isUp) {
        program.serverIsGone();
        program.clock.after(RELOGIN, () => this.logIn(place, program));
        return;
      }
      const was = this.#sessions.get(place.name);
      const { address } = place;
      const way = () => new Way(this.#queue, this.#random);
      const session: Session = {
        program,
        place,
        address,
        isWatching: false,
        toServer: way(),
        fromServer: way(),
      };
      this.#sessions.set(place.name, session);
      this.#notify(session, () => program.cameOnline());
      if (was !== undefined) return;
      for (const each of this.#sessions.values()) {
        if (each.isWatching && each !== session) this.#notify(each, () => each.program.presence(true, true));
      }
    });
  }

  logOut(place: Place, program: ServerUser): void {
    if (this.#sessions.get(place.name)?.program !== program) return;
    this.#sessions.delete(place.name);
    for (const each of this.#sessions.values()) {
      if (each.isWatching) this.#notify(each, () => each.program.presence(false, true));
    }
  }

  /** A program has vanished. */
  lost(place: Place, program: ServerUser): void {
    this.#queue.after(this.#random.integer(NOTICED_AFTER), () => this.logOut(place, program));
  }

  #notify({ program, fromServer }: Session, message: () => void): void {
    fromServer.send(program, message);
  }

  #session(program: ServerUser): Session | undefined {
    return [...this.#sessions.values()].find((each) => each.program === program);
  }

  /** Looks a person up; `answered` is called within an event. */
  lookUp(program: ServerUser, who: Place, answered: (where: Whereabouts) => void): void {
    const own = this.#session(program);
    if (own === undefined) {
      program.clock.after(this.#random.integer(WAY), () => answered({ name: "noServer" }));
      return;
    }
    own.toServer.send(program, () => {
      const session = this.#sessions.get(who.name);
      const where: Whereabouts =
        session === undefined ? { name: "offline" } : { name: "online", address: session.address };
      // If the link ends before the answer is sent, it is never sent.
      this.#notify(own, () => answered(this.#session(program) === own ? where : { name: "noServer" }));
    });
  }

  /** A program starts or stops watching the presence of `who`. */
  watch(program: ServerUser, who: Place, isWatching: boolean): void {
    const session = this.#session(program);
    session?.toServer.send(program, () => {
      session.isWatching = isWatching;
      if (isWatching && this.#sessions.has(who.name))
        this.#notify(session, () => program.presence(true, false));
    });
  }

  isLoggedIn(program: ServerUser): boolean {
    return this.#session(program) !== undefined;
  }

  /** The server is away for `ms`; all programs notice, and return later. */
  fail(ms: number): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const { place, program } of sessions) {
      program.clock.after(this.#random.integer(WAY), () => {
        program.serverIsGone();
        program.clock.after(RELOGIN, () => this.logIn(place, program));
      });
    }
    this.#queue.after(ms, () => (this.#isUp = true));
  }

  /** A program's address has changed. */
  moved(place: Place, program: ServerUser): void {
    if (this.#session(program) !== undefined) this.logIn(place, program);
  }
}
