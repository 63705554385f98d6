/**
 * All meetings (PROTOCOL 7): who may ask for one, its two tickets, and its connections. What happens in a meeting is
 * decided by `Meeting`; here it is done.
 */
import { randomBytes } from "node:crypto";

import type { LineSocket } from "../../net/line-socket.ts";
import { familyOf, networkOf, type Family } from "../../protocol/ip-address.ts";
import type { MeetingLine } from "../../protocol/meeting-messages.ts";
import { label } from "../../identity/names.ts";
import { RateTable } from "../limits/rate-table.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import type { Presence } from "../presence/presence.ts";
import { Meeting, type Effect, type Purpose, type Side } from "./meeting.ts";
import type { Relay, RelayPlace } from "./relay.ts";

/** Meetings that one user has asked for, and all, that have not ended. */
const MAX_ASKED = 4;
const MAX_MEETINGS = 1_000;
/** Requests to meet that one user has not answered by a seat, and of them those of people whom it does not know, one of each. */
const MAX_PUSHED = 8;
const MAX_PUSHED_BY_STRANGERS = 4;
/** How long a seat is waited for before a request to meet counts no more, in ms. */
const SEAT_PATIENCE = 5_000;
/** `retry_after` where there are too many meetings, in s. */
const FULL_WAIT = 5;
/** Whom one has asked to meet counts as known for a day. */
const MET = { burst: 1, perSecond: 1 / 86_400 };
const TICKET_BYTES = 32;

/** The connection of a seat. */
export type SeatSocket = Pick<LineSocket, "ip" | "port" | "since" | "send" | "end">;

/** One of the two in a meeting; `side` 0 is the decider. */
type Party = {
  readonly user: OnlineUser;
  readonly ticket: string;
  readonly sockets: Map<Family, SeatSocket>;
};

type Entry = {
  readonly key: string;
  readonly meeting: Meeting;
  readonly parties: readonly [Party, Party];
  readonly askedBy: Side;
  readonly since: number;
  place: RelayPlace | undefined;
};

export type Invitation =
  /** `pushed`: the ticket of the other, who is to be asked; undefined where both have asked. */
  | { readonly name: "ticket"; readonly ticket: string; readonly pushed: string | undefined }
  /** `retryAfter` in seconds. */
  | { readonly name: "limited"; readonly retryAfter: number };

type MeetingsOptions = {
  readonly presence: Pick<Presence<OnlineUser>, "isWatching">;
  readonly relay: Pick<Relay, "admit" | "release"> & {
    /** As `Relay.join`. */
    join(place: RelayPlace, acceptor: SeatSocket, dialler: SeatSocket): void;
  };
  readonly metrics: Metrics;
  /** Ms that never go back, as of `performance.now()`. */
  readonly clock: () => number;
};

export class Meetings {
  readonly #options: MeetingsOptions;
  readonly #met: RateTable;
  readonly #byTicket = new Map<string, { readonly entry: Entry; readonly side: Side }>();
  /** By pair and purpose; the last one where there are several. */
  readonly #byKey = new Map<string, Entry>();
  readonly #byUser = new Map<OnlineUser, Set<Entry>>();
  readonly #entries = new Set<Entry>();

  constructor(options: MeetingsOptions) {
    const { clock } = options;
    this.#options = options;
    this.#met = new RateTable({ rate: MET, clock });
  }

  /** `user` wants to meet `target`. @param transfer tells streams apart. */
  connect(user: OnlineUser, target: OnlineUser, purpose: Purpose, transfer = ""): Invitation {
    // A program looks up whoever calls, and moves a link with whoever has come: that says nothing of its person.
    const asked = pairKey(user, target);
    if (purpose !== "move" && this.#met.wait(asked) === 0) this.#met.take(asked);
    const isDecider = label(user.username) < label(target.username);
    const users = isDecider ? ([user, target] as const) : ([target, user] as const);
    const side = isDecider ? 0 : 1;
    const key = `${users[0].userId} ${users[1].userId} ${purpose} ${transfer}`;
    const joined = this.#byKey.get(key);
    if (joined?.meeting.isGathering === true) {
      return { name: "ticket", ticket: joined.parties[side].ticket, pushed: undefined };
    }
    if (!this.#hasRoom(user, target)) return { name: "limited", retryAfter: FULL_WAIT };
    const entry = this.#begin(key, users, side, purpose);
    return {
      name: "ticket",
      ticket: entry.parties[side].ticket,
      pushed: entry.parties[side === 0 ? 1 : 0].ticket,
    };
  }

  /** A connection has shown a ticket. @returns its seat, or undefined for a ticket that is not good */
  sit(ticket: string, socket: SeatSocket, wantsRelay: boolean): MeetingSeat | undefined {
    const known = this.#byTicket.get(ticket);
    const family = familyOf(socket.ip);
    const now = this.#options.clock();
    if (known === undefined || !known.entry.meeting.isFree(known.side, family, now)) return undefined;
    const { entry, side } = known;
    entry.parties[side].sockets.set(family, socket);
    this.#apply(entry, entry.meeting.sit(side, socket, socket.since, wantsRelay, now));
    return {
      line: (line) => {
        const effects = answerOf(entry.meeting, side, family, line, this.#options.clock());
        if (effects !== undefined) this.#apply(entry, effects);
        return effects !== undefined;
      },
      closed: () => {
        entry.parties[side].sockets.delete(family);
        this.#apply(entry, entry.meeting.closed(side, family));
      },
    };
  }

  /** The user's session has ended. */
  left(user: OnlineUser): void {
    for (const entry of [...(this.#byUser.get(user) ?? [])]) {
      this.#apply(entry, entry.meeting.offline(entry.parties[0].user === user ? 0 : 1));
    }
  }

  /** @param now of `clock` */
  checkDeadlines(now: number): void {
    for (const entry of [...this.#entries]) this.#apply(entry, entry.meeting.checkDeadlines(now));
  }

  #hasRoom(user: OnlineUser, target: OnlineUser): boolean {
    const own = this.#entriesOf(user).filter(({ askedBy, parties }) => parties[askedBy].user === user);
    if (this.#entries.size >= MAX_MEETINGS || own.length >= MAX_ASKED) return false;
    const now = this.#options.clock();
    const pushed = this.#entriesOf(target).filter(({ askedBy, parties, since }) => {
      const asked = parties[askedBy === 0 ? 1 : 0];
      return asked.user === target && (asked.sockets.size > 0 || now - since < SEAT_PATIENCE);
    });
    if (pushed.length >= MAX_PUSHED) return false;
    if (this.#knows(target, user)) return true;
    const askers = pushed.map(({ askedBy, parties }) => parties[askedBy].user);
    const strangers = askers.filter((asker) => !this.#knows(target, asker));
    return strangers.length < MAX_PUSHED_BY_STRANGERS && !strangers.includes(user);
  }

  #knows(user: OnlineUser, other: OnlineUser): boolean {
    const { presence } = this.#options;
    return presence.isWatching(user, other.fold) || this.#met.wait(pairKey(user, other)) > 0;
  }

  #entriesOf(user: OnlineUser): Entry[] {
    return [...(this.#byUser.get(user) ?? [])];
  }

  #begin(key: string, users: readonly [OnlineUser, OnlineUser], askedBy: Side, purpose: Purpose): Entry {
    const now = this.#options.clock();
    const entry: Entry = {
      key,
      meeting: new Meeting({
        purpose,
        canPunch: (family) => canPunch(users, family),
        admitRelay: () => this.#admitRelay(entry, purpose),
        random: () => randomBytes(4).readUInt32BE(),
        now,
      }),
      parties: [newParty(users[0]), newParty(users[1])],
      askedBy,
      since: now,
      place: undefined,
    };
    this.#entries.add(entry);
    this.#byKey.set(key, entry);
    for (const [side, { ticket, user }] of entry.parties.entries()) {
      this.#byTicket.set(ticket, { entry, side: side as Side });
      const own = this.#byUser.get(user);
      if (own === undefined) this.#byUser.set(user, new Set([entry]));
      else own.add(entry);
    }
    return entry;
  }

  #admitRelay(entry: Entry, purpose: Purpose): boolean {
    const [one, two] = entry.parties;
    const networks = entry.parties.flatMap(({ sockets }) =>
      [...sockets.values()].map(({ ip }) => networkOf(ip)),
    );
    const [asker, asked] = entry.askedBy === 0 ? [one.user, two.user] : [two.user, one.user];
    const place = {
      users: [one.user.userId, two.user.userId] as const,
      askedByStranger: this.#knows(asked, asker) ? undefined : asked.userId,
      networks: new Set(networks),
      purpose,
    };
    if (!this.#options.relay.admit(place)) return false;
    entry.place = place;
    return true;
  }

  #apply(entry: Entry, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.name) {
        case "line":
          entry.parties[effect.side].sockets.get(effect.family)?.send(effect.line);
          break;
        case "push": {
          const { user, ticket } = entry.parties[effect.side];
          user.session.push({ ...effect.message, ticket });
          break;
        }
        case "close":
          entry.parties[effect.side].sockets.get(effect.family)?.end();
          break;
        case "splice": {
          const acceptor = entry.parties[0].sockets.get(effect.acceptor);
          const dialler = entry.parties[1].sockets.get(effect.dialler);
          if (acceptor === undefined || dialler === undefined || entry.place === undefined) break;
          this.#options.relay.join(entry.place, acceptor, dialler);
          entry.place = undefined;
          break;
        }
        case "ended":
          this.#options.metrics.meetings.add(`${effect.way} ${effect.outcome}`);
          this.#end(entry);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #end(entry: Entry): void {
    if (entry.place !== undefined) this.#options.relay.release(entry.place);
    this.#entries.delete(entry);
    if (this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key);
    for (const { ticket, user } of entry.parties) {
      this.#byTicket.delete(ticket);
      const own = this.#byUser.get(user);
      own?.delete(entry);
      if (own?.size === 0) this.#byUser.delete(user);
    }
  }
}

/** What the connection in a seat reports. */
export type MeetingSeat = {
  /** @returns false for a line that may not be said now */
  line(line: MeetingLine): boolean;
  closed(): void;
};

function newParty(user: OnlineUser): Party {
  return { user, ticket: newTicket(), sockets: new Map() };
}

export function newTicket(): string {
  return randomBytes(TICKET_BYTES).toString("base64url");
}

function pairKey(user: OnlineUser, other: OnlineUser): string {
  return `${user.userId} ${other.userId}`;
}

/** Nothing comes of it if one gives no address, or has another port for each connection while the other is not open. */
function canPunch(users: readonly [OnlineUser, OnlineUser], family: Family): boolean {
  if (users.some(({ isRelayOnly }) => isRelayOnly)) return false;
  const varies = ({ ip, reach }: OnlineUser) => familyOf(ip) === family && reach?.mapping === "varies";
  const isOpen = ({ reach }: OnlineUser) => reach?.open.some(({ ip }) => familyOf(ip) === family) === true;
  const [one, two] = users;
  return !(varies(one) && !isOpen(two)) && !(varies(two) && !isOpen(one));
}

function answerOf(
  meeting: Meeting,
  side: Side,
  family: Family,
  line: MeetingLine,
  now: number,
): Effect[] | undefined {
  switch (line.action) {
    case "pong":
      return meeting.pong(side, family, line.n, now);
    case "relay":
      return meeting.relay(side, family, now);
    case "ready":
      return meeting.ready(side, family);
    case "meet":
    case "observe":
      return undefined;
    default:
      return line satisfies never;
  }
}
