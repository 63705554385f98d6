/** What the rendezvous server is to a conversation: who is where, and the news of who comes. */
import type { SeededRandom } from "../../seeded-random.ts";
import type { EventQueue } from "./simulated-time.ts";
import type { Place, Program } from "./simulated-network.ts";

/** What the server tells; in the order in which the server said it. */
export interface ServerUser extends Program {
  cameOnline(): void;
  presence(): void;
  serverIsGone(): void;
}

export type Whereabouts =
  { readonly name: "online"; readonly address: string } | { readonly name: "offline" | "noServer" };

/** How long the server takes to notice that a program is gone without a word, in ms at most. */
const NOTICED_AFTER = 30_000;
/** How often a program looks for a server that is gone, in ms. */
const RELOGIN = 5_000;
/** The way to the server and back, in ms at most. */
const WAY = 300;

/** One direction of a program's link to the server: nothing overtakes. */
class Way {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #words: (() => void)[] = [];
  #last = 0;

  constructor(queue: EventQueue, random: SeededRandom) {
    this.#queue = queue;
    this.#random = random;
  }

  say(program: Program, word: () => void): void {
    const { now } = this.#queue;
    this.#last = Math.max(this.#last, now + this.#random.integer(WAY));
    this.#words.push(word);
    // Timers that a sleep has held up may change places; what was said does not.
    program.clock.after(this.#last - now, () => this.#words.shift()?.());
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

  /** A program at `place` logs in, now or when there is a server. */
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
      this.#tell(session, () => program.cameOnline());
      if (was !== undefined) return;
      for (const each of this.#sessions.values()) {
        if (each.isWatching && each !== session) this.#tell(each, () => each.program.presence());
      }
    });
  }

  logOut(place: Place, program: ServerUser): void {
    if (this.#sessions.get(place.name)?.program === program) this.#sessions.delete(place.name);
  }

  /** A program is gone without a word. */
  lost(place: Place, program: ServerUser): void {
    this.#queue.after(this.#random.integer(NOTICED_AFTER), () => this.logOut(place, program));
  }

  #tell({ program, fromServer }: Session, word: () => void): void {
    fromServer.say(program, word);
  }

  #session(program: ServerUser): Session | undefined {
    return [...this.#sessions.values()].find((each) => each.program === program);
  }

  /** Where somebody is; `answered` is called within an event. */
  lookUp(program: ServerUser, who: Place, answered: (where: Whereabouts) => void): void {
    const own = this.#session(program);
    if (own === undefined) {
      program.clock.after(this.#random.integer(WAY), () => answered({ name: "noServer" }));
      return;
    }
    own.toServer.say(program, () => {
      const session = this.#sessions.get(who.name);
      const where: Whereabouts =
        session === undefined ? { name: "offline" } : { name: "online", address: session.address };
      // What a link has not told until its end it never tells.
      this.#tell(own, () => answered(this.#session(program) === own ? where : { name: "noServer" }));
    });
  }

  /** A program wants news of `who` from now on, or not. */
  watch(program: ServerUser, who: Place, isWatching: boolean): void {
    const session = this.#session(program);
    session?.toServer.say(program, () => {
      session.isWatching = isWatching;
      if (isWatching && this.#sessions.has(who.name)) this.#tell(session, () => program.presence());
    });
  }

  isLoggedIn(program: ServerUser): boolean {
    return this.#session(program) !== undefined;
  }

  /** The server is gone for `ms`; everybody notices, and comes back later. */
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
