/** The rendezvous server as a client sees it: lookups, notifications of presence, and meetings, which are real. */
import type { Whereabouts } from "../../../src/client/rendezvous/directory.ts";
import type { ReachPush, RendezvousLink } from "../../../src/client/rendezvous/link.ts";
import { RefusedError, ServerError } from "../../../src/client/rendezvous/server-errors.ts";
import { fold } from "../../../src/identity/names.ts";
import { Meetings } from "../../../src/server/meeting/meetings.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import type { OnlineUser, OnlineSession } from "../../../src/server/presence/online-user.ts";
import type { Purpose } from "../../../src/server/meeting/meeting.ts";
import type { SeededRandom } from "../../seeded-random.ts";
import type { Place, Program, SimulatedNetwork } from "./simulated-network.ts";
import type { EventQueue } from "./simulated-time.ts";
import { areAtHome, isOpen, MEETING_PORT, PEER_PORT } from "./site.ts";

/** The server's messages to one program, delivered in the order in which they were sent. */
export interface ServerUser extends Program {
  /** @param ip as the server sees it */
  cameOnline(ip: string): void;
  presence(online: boolean, isChange: boolean): void;
  /** The other person's addresses have changed. */
  otherHasMoved(): void;
  serverIsGone(): void;
  take(push: ReachPush): void;
}

/** Longest time until the server notices that a program has vanished, in ms. */
const NOTICED_AFTER = 30_000;
/** Longest time until a program notices that nothing of the server arrives any more, in ms: if it is reset, and if not. */
const LINK_PATIENCE = [4_000, 40_000] as const;
/** How often a program tries to reach a lost server, in ms. */
const RELOGIN = 5_000;
/** Longest round trip to the server, in ms. */
const WAY = 300;
/** How long the server's check of a peer port takes at most, in ms. */
const CHECK = 5_000;
/** As in `src/client/rendezvous/link.ts` and `directory.ts`. */
const REQUEST_TIMEOUT = 25_000;
const LOOKUP_TIMEOUT = 5_000;

/** One direction of a program's link to the server, which keeps the order of messages. */
class Way {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #messages: (() => void)[] = [];
  #last = 0;
  /** What is sent is lost. */
  isCut = false;

  constructor(queue: EventQueue, random: SeededRandom) {
    this.#queue = queue;
    this.#random = random;
  }

  send(program: Program, message: () => void): void {
    const { now } = this.#queue;
    this.#last = Math.max(this.#last, now + this.#random.integer(WAY));
    if (this.isCut) return;
    this.#messages.push(message);
    // Timers that were due during a sleep may change their order, but messages do not.
    program.clock.after(this.#last - now, () => this.#messages.shift()?.());
  }
}

type Session = {
  readonly program: ServerUser;
  readonly place: Place;
  readonly user: OnlineUser;
  /** The machine's own address when it logged in. */
  readonly address: string;
  isWatching: boolean;
  readonly toServer: Way;
  readonly fromServer: Way;
  readonly link: SimulatedLink;
};

/** The parts of the link that meetings use. */
export type SimulatedLink = Pick<RendezvousLink, "request" | "remoteAddress" | "targets">;

type ServerOptions = {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  /** Whether it has a meeting port. */
  readonly meets: boolean;
  /** Called when a promise is settled. */
  readonly settled: () => void;
};

export class SimulatedServer {
  readonly #options: ServerOptions;
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  #isUp = true;
  /** By the name of the place. */
  readonly #sessions = new Map<string, Session>();
  #meetings: Meetings;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#queue = options.queue;
    this.#random = options.random;
    this.#meetings = this.#newMeetings();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Undefined while there is no server. */
  get meetings(): Meetings | undefined {
    return this.#isUp ? this.#meetings : undefined;
  }

  get hasMeetingPort(): boolean {
    return this.#options.meets;
  }

  #newMeetings(): Meetings {
    const { network, queue } = this.#options;
    const places = new Set<object>();
    return new Meetings({
      presence: { isWatching: (user) => this.#sessionOf(user)?.isWatching === true },
      relay: {
        admit: (place) => {
          if (!network.isRelayFull) places.add(place);
          return !network.isRelayFull;
        },
        release: (place) => places.delete(place),
        join: (place, acceptor, dialler) => network.join(acceptor, dialler, () => places.delete(place)),
      },
      metrics: new Metrics(),
      clock: () => queue.now,
    });
  }

  #sessionOf(user: OnlineUser): Session | undefined {
    return [...this.#sessions.values()].find((each) => each.user === user);
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
      const way = () => new Way(this.#queue, this.#random);
      const session: Session = {
        program,
        place,
        user: this.#userOf(place, (message) =>
          this.#notify(session, () => program.take(message as ReachPush)),
        ),
        address: place.address,
        isWatching: false,
        toServer: way(),
        fromServer: way(),
        link: {
          remoteAddress: MEETING_PORT.ip,
          targets: [],
          request: ((_action: string, fields: object) =>
            this.#connect(session, fields as { readonly purpose?: Purpose })) as RendezvousLink["request"],
        },
      };
      this.#sessions.set(place.name, session);
      if (was !== undefined) this.#meetings.left(was.user);
      this.#notify(session, () => program.cameOnline(session.user.ip));
      this.#reach(session);
      const hasMoved = was?.user.ip !== session.user.ip || was.address !== session.address;
      for (const each of this.#watchersOf(session)) {
        if (was === undefined) this.#notify(each, () => each.program.presence(true, true));
        else if (hasMoved) this.#notify(each, () => each.program.otherHasMoved());
      }
    });
  }

  #watchersOf(session: Session): Session[] {
    return [...this.#sessions.values()].filter((each) => each.isWatching && each !== session);
  }

  #userOf({ name, site, relay }: Place, push: (message: object) => void): OnlineUser {
    return {
      userId: name.length,
      username: name,
      fold: fold(name),
      since: 0,
      ip: site.ip,
      p2pPort: PEER_PORT,
      addresses: "",
      reach: undefined,
      isRelayOnly: relay === "only",
      key: undefined,
      session: { push } as OnlineSession,
    };
  }

  /** As `reach`: what the server sees of the person's network, and whether it reaches the peer port. */
  #reach({ user, place, program }: Session): void {
    const mapping = place.site.nat === "symmetric" ? ("varies" as const) : ("same" as const);
    user.reach = { mapped: [], proven: undefined, mapping, open: [] };
    this.#queue.after(this.#random.integer(CHECK), () => {
      const session = this.#session(program);
      if (session?.user !== user) return;
      const isReached = isOpen(place) && place.site.ip === user.ip;
      const [ip, port] = [user.ip, PEER_PORT];
      user.reach = { mapped: [], proven: undefined, mapping, open: isReached ? [{ ip, port }] : [] };
      const push = { action: "reachable" as const, results: [{ ip, port, open: isReached }] };
      this.#notify(session, () => program.take(push));
    });
  }

  /** A program tells where it is. */
  tell(program: ServerUser): void {
    const session = this.#session(program);
    session?.toServer.send(program, () => {
      if (this.#session(program) === session) this.#reach(session);
    });
  }

  logOut(place: Place, program: ServerUser): void {
    const session = this.#sessions.get(place.name);
    if (session?.program !== program) return;
    this.#sessions.delete(place.name);
    this.#meetings.left(session.user);
    for (const each of this.#watchersOf(session))
      this.#notify(each, () => each.program.presence(false, true));
  }

  /** A program has vanished. */
  lost(place: Place, program: ServerUser): void {
    this.#queue.after(this.#random.integer(NOTICED_AFTER), () => this.logOut(place, program));
  }

  /** Nothing between a program and the server arrives any more, until both notice it. */
  cut(place: Place, program: ServerUser): void {
    const session = this.#session(program);
    if (session === undefined) return;
    session.toServer.isCut = session.fromServer.isCut = true;
    program.clock.after(this.#random.integer(this.#random.pick(LINK_PATIENCE)), () => {
      const current = this.#session(program);
      // It may have come back since, or the server has gone.
      if (current !== session) return;
      program.serverIsGone();
      this.logIn(place, program);
    });
  }

  #notify({ program, fromServer }: Session, message: () => void): void {
    fromServer.send(program, message);
  }

  #session(program: ServerUser): Session | undefined {
    return [...this.#sessions.values()].find((each) => each.program === program);
  }

  /** The link of a program that is logged in. */
  link(program: ServerUser): SimulatedLink | undefined {
    return this.#session(program)?.link;
  }

  /** Looks a person up. */
  lookUp(program: ServerUser, who: Place): Promise<Whereabouts> {
    const { promise, resolve } = Promise.withResolvers<Whereabouts>();
    const answer = (where: Whereabouts): void => {
      resolve(where);
      this.#options.settled();
    };
    const own = this.#session(program);
    const patience = own === undefined ? this.#random.integer(WAY) : LOOKUP_TIMEOUT;
    program.clock.after(patience, () => answer({ name: "noServer" }));
    own?.toServer.send(program, () => {
      const session = this.#sessions.get(who.name);
      const where = session === undefined ? { name: "offline" as const } : this.#whereabouts(own, session);
      // If the link ends before the answer is sent, it is never sent.
      this.#notify(own, () => answer(this.#session(program) === own ? where : { name: "noServer" }));
    });
    return promise;
  }

  #whereabouts(asker: Session, { user }: Session): Whereabouts {
    const session = this.#sessionOf(user);
    const home = session !== undefined && areAtHome(asker.place, session.place) ? [session.address] : [];
    return {
      name: "online",
      username: user.username,
      targets: user.isRelayOnly ? [] : [...home, user.ip].map((ip) => ({ ip, port: PEER_PORT })),
      isOpen: user.reach !== undefined && user.reach.open.length > 0,
      fingerprint: "",
      secure: true,
    };
  }

  /** As the request `connect`. */
  #connect(own: Session, { purpose = "chat" }: { readonly purpose?: Purpose }): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { program } = own;
    const settle = (run: () => void) => {
      run();
      this.#options.settled();
    };
    const timeout = () => settle(() => reject(new ServerError("server_timeout")));
    const cancel = program.clock.after(REQUEST_TIMEOUT, timeout);
    own.toServer.send(program, () => {
      const answer = this.#invite(own, purpose);
      this.#notify(own, () =>
        settle(() => {
          cancel();
          if (this.#session(program) !== own) reject(new ServerError("server_unreachable"));
          else if (typeof answer === "string") reject(new RefusedError(answer, "", 1));
          else resolve(answer);
        }),
      );
    });
    return promise;
  }

  /** @returns the answer, or a code */
  #invite(own: Session, purpose: Purpose): object | string {
    const [other] = [...this.#sessions.values()].filter((each) => each !== own);
    if (other === undefined || this.#session(own.program) !== own) return "user_offline";
    if (other.user.reach === undefined) return "cannot_meet";
    const invitation = this.#meetings.connect(own.user, other.user, purpose);
    if (invitation.name === "limited") return "rate_limited";
    const meeting = [MEETING_PORT];
    const pushed = invitation.pushed;
    if (pushed !== undefined) {
      const asked = { purpose, ticket: pushed, meeting, username: own.user.username };
      const request = { action: "meet_request" as const, ...asked, ...this.#infoOf(other, own) };
      this.#notify(other, () => other.program.take(request as ReachPush));
    }
    const { ticket } = invitation;
    return { target_user: other.user.username, ticket, meeting, ...this.#infoOf(own, other) };
  }

  #infoOf(asker: Session, target: Session): object {
    const where = this.#whereabouts(asker, target);
    const targets = where.name === "online" ? where.targets : [];
    return {
      candidates: targets.map((each) => ({ kind: "direct", ...each })),
      fingerprint: "",
      relay_only: target.user.isRelayOnly,
    };
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
    this.#options.network.serverEnded();
    this.#meetings = this.#newMeetings();
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

  /** To be called about once a second. */
  checkDeadlines(): void {
    this.#meetings.checkDeadlines(this.#queue.now);
    this.#options.network.checkDeadlines();
  }
}
