/**
 * Where clients are, as the server sees it (PROTOCOL 7): the ports of the rendezvous link, the tickets with which they
 * show another port or another address, and checks that dial them back.
 */
import type { LineSocket } from "../../net/line-socket.ts";
import { familyOf, isPrivate, type Family } from "../../protocol/ip-address.ts";
import { MIN_CANDIDATE_PORT } from "../../protocol/rendezvous-messages.ts";
import { RateTable } from "../limits/rate-table.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import { TICKET_LIFE, type Endpoint } from "./meeting.ts";
import { newTicket } from "./meetings.ts";

const CHECK_RATES = [
  { burst: 1, perSecond: 1 / 60 },
  { burst: 20, perSecond: 20 / 3_600 },
];
/** Checks at one time. */
const MAX_CHECKS = 16;

/** The connection of a client's rendezvous link. */
type Seen = Endpoint & {
  /** The server's own address on it. */
  readonly localAddress: string;
};

/** What is known of a user beside `OnlineUser.reach`. */
type Known = {
  readonly ticket: string;
  readonly expires: number;
  readonly seen: Seen;
  readonly shown: Set<Family>;
};

type ObservationsOptions = {
  /** What others are told of this user has changed. */
  readonly changed: (user: OnlineUser) => void;
  /** Dials the port as this user's peer would. Resolves within 5 s. */
  readonly dialBack: (target: Endpoint, user: OnlineUser) => Promise<boolean>;
  /** Ms that never go back, for rates. */
  readonly clock: () => number;
};

/** What a client says in `reach`; undefined: as before. */
export type Told = {
  readonly addresses: readonly string[] | undefined;
  readonly mapped: readonly Endpoint[] | undefined;
  readonly check: boolean;
};

export class Observations {
  readonly #options: ObservationsOptions;
  readonly #known = new Map<OnlineUser, Known>();
  readonly #byTicket = new Map<string, OnlineUser>();
  readonly #checking = new Set<OnlineUser>();
  readonly #checks: readonly RateTable[];

  constructor(options: ObservationsOptions) {
    this.#options = options;
    this.#checks = CHECK_RATES.map((rate) => new RateTable({ rate, clock: options.clock }));
  }

  /**
   * Takes what a client tells, and begins the check that it wants, if there is room for one.
   * @returns whether its addresses have changed, its ticket for `observe`, and whether a `reachable` will follow
   */
  told(user: OnlineUser, seen: Seen, told: Told): { moved: boolean; ticket: string; checking: boolean } {
    const addresses = user.isRelayOnly ? "" : (told.addresses?.join(" ") ?? user.addresses);
    const moved = sorted(addresses) !== sorted(user.addresses);
    const before = user.reach;
    const proven = moved ? undefined : before?.proven;
    const isOwn = ({ ip }: Endpoint) => ip === user.ip || ip === proven;
    const mapped = user.isRelayOnly ? [] : (told.mapped ?? before?.mapped ?? []).filter(isOwn);
    const isMappedOrPeerPort = ({ ip, port }: Endpoint) =>
      port === user.p2pPort || mapped.some((each) => each.ip === ip && each.port === port);
    user.addresses = addresses;
    user.reach = {
      mapped,
      proven,
      mapping: before?.mapping,
      open: moved ? [] : (before?.open ?? []).filter(isMappedOrPeerPort),
    };
    this.#options.changed(user);
    const ticket = this.#issueTicket(user, seen);
    const checking = told.check && !user.isRelayOnly && this.#mayCheck(user);
    if (checking) void this.#check(user, seen);
    return { moved, ticket, checking };
  }

  /** A connection shows its ticket. @returns the line that answers; undefined for a ticket that is not good */
  observe(ticket: string, socket: LineSocket): object | undefined {
    const user = this.#byTicket.get(ticket);
    const known = user === undefined ? undefined : this.#known.get(user);
    const { ip, port } = socket;
    const family = familyOf(ip);
    if (user?.reach === undefined || known === undefined) return undefined;
    if (performance.now() >= known.expires || known.shown.has(family)) return undefined;
    known.shown.add(family);
    const { seen } = known;
    if (family === familyOf(seen.ip)) {
      const mapping = ip === seen.ip && port === seen.port ? "same" : "varies";
      user.reach = { ...user.reach, mapping };
      this.#options.changed(user);
      return { action: "observed", ip, port, mapping };
    }
    if (!user.isRelayOnly && isOnServersNetwork(ip, socket.localAddress)) {
      user.reach = { ...user.reach, proven: ip };
      this.#options.changed(user);
    }
    return { action: "observed", ip, port };
  }

  /** The user's session has ended. */
  left(user: OnlineUser): void {
    const known = this.#known.get(user);
    if (known !== undefined) this.#byTicket.delete(known.ticket);
    this.#known.delete(user);
  }

  #issueTicket(user: OnlineUser, seen: Seen): string {
    this.left(user);
    const ticket = newTicket();
    const expires = performance.now() + TICKET_LIFE;
    this.#known.set(user, { ticket, expires, seen, shown: new Set() });
    this.#byTicket.set(ticket, user);
    return ticket;
  }

  #mayCheck(user: OnlineUser): boolean {
    const key = String(user.userId);
    if (this.#checking.size >= MAX_CHECKS || this.#checking.has(user)) return false;
    if (this.#checks.some((table) => table.wait(key) > 0)) return false;
    for (const table of this.#checks) table.take(key);
    return true;
  }

  async #check(user: OnlineUser, { localAddress }: Seen): Promise<void> {
    const { reach, p2pPort } = user;
    if (reach === undefined) return;
    const own = isOnServersNetwork(user.ip, localAddress) ? [user.ip] : [];
    const ips = reach.proven === undefined ? own : [...own, reach.proven];
    const targets = [
      ...(p2pPort < MIN_CANDIDATE_PORT ? [] : ips).map((ip) => ({ ip, port: p2pPort })),
      ...reach.mapped.filter(({ ip }) => ips.includes(ip)),
    ];
    this.#checking.add(user);
    const results = await Promise.all(
      targets.map(async (target) => ({ ...target, open: await this.#options.dialBack(target, user) })),
    ).finally(() => this.#checking.delete(user));
    const open = results.flatMap(({ ip, port, open }) => (open ? [{ ip, port }] : []));
    user.reach = { ...user.reach, open } as typeof reach;
    this.#options.changed(user);
    user.session.push({ action: "reachable", results });
  }
}

function sorted(addresses: string): string {
  return addresses.split(" ").sort().join(" ");
}

/** Whether the server may dial an address that it saw on a connection to this address of its own. */
function isOnServersNetwork(ip: string, localAddress: string): boolean {
  return !isPrivate(ip) || isPrivate(localAddress);
}
