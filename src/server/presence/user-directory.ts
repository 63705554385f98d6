/**
 * Where users are: pages of who is online, and at which addresses one user may be dialled (PROTOCOL 4). What is
 * told of a user is written as JSON once and told to many; a page is kept as long as nobody comes or goes.
 */
import { fold } from "../../identity/names.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../../protocol/framing.ts";
import { isLoopback } from "../../protocol/ip-address.ts";
import {
  DEFAULT_PAGE,
  MAX_CANDIDATES,
  SEED_LIST_BYTES,
  type Candidate,
  type RequestOf,
  type UserEntry,
} from "../../protocol/rendezvous-messages.ts";
import type { Presence } from "./presence.ts";
import type { OnlineUser } from "./online-user.ts";

/** Bytes of a response beside its list: its other fields, an `id` and a `next` of 64 characters, all escaped. */
const ENVELOPE_BYTES = 2_048;
/** Bytes for the entries of one page, with their commas. */
const PAGE_BYTES = RENDEZVOUS_OBJECT_LIMIT - ENVELOPE_BYTES;
/** Bytes for the names of a `watch_response`, with their commas. */
export const WATCH_RESPONSE_BYTES = PAGE_BYTES;
/** The same of a list to a client of the seed, exactly: all of its line but the entries. */
const SEED_ENVELOPE_BYTES = Buffer.byteLength(
  '{"action":"users_list","success":true,"code":"ok","users":[]}\n',
);
/** Pages kept at most; past it they are written anew. */
const MAX_PAGES = 32;

/** The requester: what decides which addresses help it. */
export type Requester = {
  /** It is on the server's own machine. */
  readonly isNear: boolean;
  readonly localAddress: string;
  readonly ofSeed: boolean;
};

/** Consecutive users, of whom the caller may be one, written one after the other with commas between them. */
type Page = {
  readonly users: readonly OnlineUser[];
  readonly text: string;
  /** Where each entry ends in `text`, and the bytes of each. */
  readonly ends: readonly number[];
  readonly bytes: readonly number[];
};

/** What one kind of requester is told of a user. */
class Portrait {
  readonly #user: OnlineUser;
  /** At least one, the best first. */
  readonly #addresses: readonly string[];
  #entry: string | undefined;
  #info: string | undefined;

  constructor(user: OnlineUser, addresses: readonly string[]) {
    this.#user = user;
    this.#addresses = addresses;
  }

  /** The user in a `users_list`. */
  get entry(): string {
    this.#entry ??= JSON.stringify({ ...this.#seedEntry(), secure: this.#user.key !== undefined });
    return this.#entry;
  }

  get seedEntry(): string {
    return JSON.stringify(this.#seedEntry());
  }

  /** The fields of a `p2p_info`. */
  get info(): string {
    this.#info ??= this.#fields(true);
    return this.#info;
  }

  get seedInfo(): string {
    return this.#fields(false);
  }

  #seedEntry(): UserEntry {
    const { username, p2pPort } = this.#user;
    return { username, ip: this.#addresses[0] as string, p2p_port: p2pPort };
  }

  #fields(whole: boolean): string {
    const { username, p2pPort, key } = this.#user;
    const seed = { target_user: username, target_ip: this.#addresses[0], target_port: p2pPort };
    const candidates = this.#addresses.map((ip): Candidate => ({ kind: "direct", ip, port: p2pPort }));
    const added = { secure: key !== undefined, candidates, fingerprint: key?.fingerprint };
    return JSON.stringify(whole ? { ...seed, ...added } : seed).slice(1, -1);
  }
}

/** The portraits of one user; `far` is undefined where it depends on how the requester came. */
type Portraits = { readonly near: Portrait; readonly far: Portrait | undefined };

export class Lookups {
  readonly #presence: Presence<OnlineUser>;
  readonly #portraits = new WeakMap<OnlineUser, Portraits>();
  /** By what the page depends on. */
  readonly #pages = new Map<string, Page>();
  #pagesVersion = -1;

  constructor(presence: Presence<OnlineUser>) {
    this.#presence = presence;
  }

  /**
   * The fields of a `users_list`, as JSON without its braces: those online but the caller, by fold, as many as
   * the page holds; `next` where there are more.
   */
  usersList(requester: Requester, request: RequestOf<"get_users">, caller: OnlineUser): string {
    const { ofSeed } = requester;
    const limit = ofSeed ? Infinity : (request.limit ?? DEFAULT_PAGE);
    const room = ofSeed ? SEED_LIST_BYTES - SEED_ENVELOPE_BYTES : PAGE_BYTES;
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
    const isLast = ofSeed || following === users.length || last < 0;
    const next = isLast ? "" : `,"next":${JSON.stringify((users[last] as OnlineUser).username)}`;
    return `"users":[${list}]${next}`;
  }

  /** The fields of a `p2p_info`, as JSON without its braces. */
  peerInfo(target: OnlineUser, requester: Requester): string {
    const portrait = this.#portrait(target, requester);
    return requester.ofSeed ? portrait.seedInfo : portrait.info;
  }

  #page(requester: Requester, request: RequestOf<"get_users">, limit: number, room: number): Page {
    if (this.#pagesVersion !== this.#presence.version) {
      this.#pages.clear();
      this.#pagesVersion = this.#presence.version;
    }
    const { isNear, localAddress, ofSeed } = requester;
    const { prefix = "", after = "" } = request;
    const from = isNear ? "near" : localAddress;
    const key = `${ofSeed ? "seed" : limit} ${from} ${prefix.length} ${prefix}${after}`;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = this.#writePage(requester, fold(prefix), fold(after), limit, room);
    if (this.#pages.size >= MAX_PAGES) this.#pages.clear();
    this.#pages.set(key, page);
    return page;
  }

  /** As many as are needed to know, whoever of them asks, what fits and whether anyone follows. */
  #writePage(requester: Requester, prefix: string, after: string, limit: number, room: number): Page {
    const users: OnlineUser[] = [];
    const entries: string[] = [];
    const ends: number[] = [];
    const bytes: number[] = [];
    let end = 0;
    let total = 0;
    let largest = 0;
    for (const user of this.#presence.page(prefix, after)) {
      const portrait = this.#portrait(user, requester);
      const entry = requester.ofSeed ? portrait.seedEntry : portrait.entry;
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

  #portrait(user: OnlineUser, requester: Requester): Portrait {
    let portraits = this.#portraits.get(user);
    if (portraits === undefined) {
      const far = farAddresses(user);
      portraits = {
        near: new Portrait(user, addressesOf(user).slice(0, MAX_CANDIDATES)),
        far: far.length === 0 ? undefined : new Portrait(user, far),
      };
      this.#portraits.set(user, portraits);
    }
    if (requester.isNear) return portraits.near;
    // Who is behind loopback only is on the server's machine, which the requester has reached at `localAddress`.
    return portraits.far ?? new Portrait(user, [requester.localAddress]);
  }
}

/** The addresses of a user, the one that the server saw first. */
function addressesOf({ ip, addresses }: OnlineUser): string[] {
  return addresses === "" ? [ip] : [...new Set([ip, ...addresses.split(" ")])];
}

/** Those that mean something to another machine. */
function farAddresses(user: OnlineUser): string[] {
  return addressesOf(user)
    .filter((address) => !isLoopback(address))
    .slice(0, MAX_CANDIDATES);
}
