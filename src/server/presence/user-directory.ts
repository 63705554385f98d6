/**
 * Where users are: pages of the users online, and the addresses at which a user may be dialled (PROTOCOL 4). The JSON
 * of a user is written once; a page is cached until a user comes or goes.
 */
import { fold } from "../../identity/names.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../protocol/framing.ts";
import { isLoopback, isPrivate, networkOf } from "../../protocol/ip-address.ts";
import {
  DEFAULT_PAGE,
  MAX_CANDIDATES,
  LEGACY_LIST_BYTES,
  MIN_CANDIDATE_PORT,
  NO_ADDRESS,
  type Candidate,
  type RequestOf,
  type UserEntry,
} from "../../protocol/rendezvous-messages.ts";
import type { OnlineUser, Requester } from "./online-user.ts";
import type { Presence } from "./presence.ts";

/** Bytes of a response beside its list: its other fields, an `id` and a `next` of 64 characters, all escaped. */
const ENVELOPE_BYTES = 2_048;
/** Bytes for the entries of one page, with their commas. */
const PAGE_BYTES = RENDEZVOUS_OBJECT_LIMIT - ENVELOPE_BYTES;
/** Bytes for the names of a `watch_response`, with their commas. */
export const WATCH_RESPONSE_BYTES = PAGE_BYTES;
/** The same for a list to a legacy client, exactly: its line without the entries. */
const LEGACY_ENVELOPE_BYTES = Buffer.byteLength(
  '{"action":"users_list","success":true,"code":"ok","users":[]}\n',
);
/** Pages in the cache; beyond it all are dropped. */
const MAX_PAGES = 32;

/** Consecutive users, perhaps with the caller among them. */
type Page = {
  readonly users: readonly OnlineUser[];
  readonly text: string;
  /** Where each entry ends in `text`, and the bytes of each. */
  readonly ends: readonly number[];
  readonly bytes: readonly number[];
};

/**
 * How near a requester is to a user, by the addresses that the server sees. A user's loopback addresses are given only
 * on the same machine, the private ones only in the same network (PROTOCOL 3).
 */
type Nearness = "machine" | "network" | "internet";

/** The JSON of one user for requesters that are equally near. */
class Description {
  readonly #user: OnlineUser;
  readonly #seen: string;
  /** The best first. */
  readonly #candidates: readonly Candidate[];
  #entry: string | undefined;
  #info: string | undefined;

  /** @param seen the `ip` of the original protocol */
  constructor(user: OnlineUser, seen: string, candidates: readonly Candidate[]) {
    this.#user = user;
    this.#seen = seen;
    this.#candidates = candidates;
  }

  /** The user in a `users_list`. */
  get entry(): string {
    this.#entry ??= JSON.stringify({ ...this.#legacyEntry(), secure: this.#user.key !== undefined });
    return this.#entry;
  }

  get legacyEntry(): string {
    return JSON.stringify(this.#legacyEntry());
  }

  /** The fields of a `p2p_info`. */
  get info(): string {
    this.#info ??= this.#fields(true);
    return this.#info;
  }

  get legacyInfo(): string {
    return this.#fields(false);
  }

  #legacyEntry(): UserEntry {
    const { username, p2pPort } = this.#user;
    return { username, ip: this.#seen, p2p_port: p2pPort };
  }

  /** @param whole with the fields that a legacy client is not sent. */
  #fields(whole: boolean): string {
    const { username, p2pPort, key } = this.#user;
    const common = { target_user: username, target_ip: this.#seen, target_port: p2pPort };
    const added = {
      secure: key !== undefined,
      candidates: this.#candidates,
      fingerprint: key?.fingerprint,
    };
    return JSON.stringify(whole ? { ...common, ...added } : common).slice(1, -1);
  }
}

type Known = {
  /** `networkOf` the address that the server sees, and whether that is private or on loopback. */
  readonly network: string;
  readonly isPrivate: boolean;
  /** Those that were needed so far. */
  readonly descriptions: { [N in Nearness]?: Description };
};

/** What each of two who meet is told of the other. */
type MeetingInfo = {
  readonly candidates: readonly Candidate[];
  readonly fingerprint: string | undefined;
  readonly relay_only: boolean;
};

export class UserDirectory {
  readonly #presence: Presence<OnlineUser>;
  readonly #known = new WeakMap<OnlineUser, Known>();
  /** By all that a page depends on. */
  readonly #pages = new Map<string, Page>();
  #pagesVersion = -1;

  constructor(presence: Presence<OnlineUser>) {
    this.#presence = presence;
  }

  /**
   * The fields of a `users_list`, as JSON without its braces: the users online except the caller, by fold, as many as
   * fit; `next` if there are more.
   */
  usersList(requester: Requester, request: RequestOf<"get_users">, caller: OnlineUser): string {
    const { isLegacy } = requester;
    const limit = isLegacy ? Infinity : (request.limit ?? DEFAULT_PAGE);
    const room = isLegacy ? LEGACY_LIST_BYTES - LEGACY_ENVELOPE_BYTES : PAGE_BYTES;
    const { users, text, ends, bytes } = this.#page(requester, request, limit, room);
    const own = users.indexOf(caller);

    let taken = 0;
    let length = 0;
    let last = -1;
    let following = 0;
    for (; following < users.length; following++) {
      if (following === own) continue;
      length += (bytes[following] as number) + (taken === 0 ? 0 : 1);
      if (taken >= limit || length > room) break;
      taken++;
      last = following;
    }
    let list = text.slice(0, last < 0 ? 0 : ends[last]);
    if (own >= 0 && own < last) {
      const before = own === 0 ? "" : `${text.slice(0, ends[own - 1])},`;
      list = before + text.slice((ends[own] as number) + 1, ends[last]);
    }
    const isLast = isLegacy || following === users.length || last < 0;
    const next = isLast ? "" : `,"next":${JSON.stringify((users[last] as OnlineUser).username)}`;
    return `"users":[${list}]${next}`;
  }

  /** The fields of a `p2p_info`, as JSON without its braces. */
  peerInfo(target: OnlineUser, requester: Requester): string {
    const description = this.#description(target, requester);
    return requester.isLegacy ? description.legacyInfo : description.info;
  }

  /**
   * What `target` is told of `user` who wants to meet, or the other way round (PROTOCOL 7).
   * @param isAsked they have not chosen to dial: they get only public addresses that the server has seen, or a mapped port
   */
  meetingInfo(user: OnlineUser, requester: Requester, isAsked: boolean): MeetingInfo {
    const nearness = nearnessOf(user, this.#knownOf(user), requester);
    const addresses = addressesFor(user, nearness).filter(
      (ip) => !isAsked || isPrivate(ip) || ip === user.ip || ip === user.reach?.proven,
    );
    return {
      candidates: candidatesOf(user, addresses, nearness),
      fingerprint: user.key?.fingerprint,
      relay_only: user.isRelayOnly,
    };
  }

  /** The addresses of a user have changed. */
  forget(user: OnlineUser): void {
    this.#known.delete(user);
    // Lists show the addresses of users on the server's own machine.
    if (isLoopback(user.ip)) this.#pagesVersion = -1;
  }

  #page(requester: Requester, request: RequestOf<"get_users">, limit: number, room: number): Page {
    if (this.#pagesVersion !== this.#presence.version) {
      this.#pages.clear();
      this.#pagesVersion = this.#presence.version;
    }
    const { isLocal, localAddress, isLegacy } = requester;
    const { prefix = "", after = "" } = request;
    const from = isLocal ? "local" : `${requester.isInside ? "inside" : "outside"} ${localAddress}`;
    const key = `${isLegacy ? "legacy" : limit} ${from} ${prefix.length} ${prefix}${after}`;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = this.#writePage(requester, fold(prefix), fold(after), limit, room);
    if (this.#pages.size >= MAX_PAGES) this.#pages.clear();
    this.#pages.set(key, page);
    return page;
  }

  /** Enough users to decide what fits and whether there are more, whichever of them is the caller. */
  #writePage(requester: Requester, prefix: string, after: string, limit: number, room: number): Page {
    const users: OnlineUser[] = [];
    const entries: string[] = [];
    const ends: number[] = [];
    const bytes: number[] = [];
    let end = 0;
    let total = 0;
    let largest = 0;
    for (const user of this.#presence.page(prefix, after)) {
      if (requester.isLegacy && user.isRelayOnly) continue;
      const description = this.#description(user, requester);
      const entry = requester.isLegacy ? description.legacyEntry : description.entry;
      const size = Buffer.byteLength(entry);
      users.push(user);
      entries.push(entry);
      ends.push((end += entry.length));
      bytes.push(size);
      end++;
      total += size;
      largest = Math.max(largest, size);
      if (users.length > limit + 1 || total - largest > room) break;
    }
    return { users, text: entries.join(), ends, bytes };
  }

  #description(user: OnlineUser, requester: Requester): Description {
    const known = this.#knownOf(user);
    const nearness = nearnessOf(user, known, requester);
    const written = known.descriptions[nearness];
    if (written !== undefined) return written;
    const addresses = addressesFor(user, nearness);
    const isElsewhere = nearness !== "machine" && isLoopback(user.ip);
    const seen = user.isRelayOnly ? NO_ADDRESS : isElsewhere ? addresses[0] : user.ip;
    if (seen === undefined) {
      // The user runs on the server's machine: where the requester has reached the server. This is not kept.
      const { localAddress } = requester;
      const isGiven = nearness === "network" || !isPrivate(localAddress);
      const given = isGiven ? [localAddress] : [];
      return new Description(user, localAddress, candidatesOf(user, given, nearness));
    }
    const candidates = candidatesOf(user, addresses, nearness);
    return (known.descriptions[nearness] = new Description(user, seen, candidates));
  }

  #knownOf(user: OnlineUser): Known {
    let known = this.#known.get(user);
    if (known === undefined) {
      known = { network: networkOf(user.ip), isPrivate: isPrivate(user.ip), descriptions: {} };
      this.#known.set(user, known);
    }
    return known;
  }
}

function nearnessOf(user: OnlineUser, known: Known, requester: Requester): Nearness {
  if (requester.isLocal && isLoopback(user.ip)) return "machine";
  const isNear = known.network === requester.network || (known.isPrivate && requester.isInside);
  return isNear ? "network" : "internet";
}

/** The addresses of a user for a requester this near; the one that the server saw is first if it is among them. */
function addressesFor({ ip, addresses, reach, isRelayOnly }: OnlineUser, nearness: Nearness): string[] {
  if (isRelayOnly) return [];
  const proven = reach?.proven === undefined ? [] : [reach.proven];
  const all = addresses === "" ? [ip, ...proven] : [...new Set([ip, ...proven, ...addresses.split(" ")])];
  return all.filter((address) => isGiven(address, nearness)).slice(0, MAX_CANDIDATES);
}

/** The best first: what a check has reached, the address that the server saw, mapped ports, the other addresses. */
function candidatesOf(
  { p2pPort, reach, isRelayOnly }: OnlineUser,
  addresses: readonly string[],
  nearness: Nearness,
): Candidate[] {
  const direct = (p2pPort < MIN_CANDIDATE_PORT ? [] : addresses).map((ip): Candidate => ({
    kind: "direct",
    ip,
    port: p2pPort,
  }));
  if (reach === undefined || isRelayOnly) return direct;
  const mapped = reach.mapped
    .filter(({ ip }) => isGiven(ip, nearness))
    .map(({ ip, port }): Candidate => ({ kind: "mapped", ip, port }));
  const all = [...direct.slice(0, 1), ...mapped, ...direct.slice(1)];
  const isOpen = ({ ip, port }: Candidate) =>
    reach.open.some((reached) => reached.ip === ip && reached.port === port);
  const open = all.filter(isOpen).map((candidate): Candidate => ({ ...candidate, open: true }));
  return [...open, ...all.filter((candidate) => !isOpen(candidate))].slice(0, MAX_CANDIDATES);
}

function isGiven(address: string, nearness: Nearness): boolean {
  switch (nearness) {
    case "machine":
      return true;
    case "network":
      return !isLoopback(address);
    case "internet":
      return !isPrivate(address);
    default:
      return nearness satisfies never;
  }
}
