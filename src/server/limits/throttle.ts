/**
 * How often an address or an account may do what is costly. Times come from a clock that never goes back, so that
 * setting the system clock changes no limit. Addresses are counted by their network (`networkOf`), accounts by their
 * folded name, whether the account exists or not.
 *
 * Passwords (all charges are made before the comparison, so that concurrent attempts count at once):
 *
 * 1. Each password, right or wrong, charges its address for a hash.
 * 2. A wrong one charges the pair of address and account, and the address.
 * 3. Each site (`siteOf`) has a few free failures per account and day; further ones charge the account, for all
 *    addresses together. So a stranger cannot lock out the owner, who comes from another site.
 * 4. From a network known for the account (`KnownNetworks`) only 1 and the pair of 2 are charged.
 * 5. A device with which the account was used, and which has proven its key, has its own buckets for all charges but
 *    that of the account, so that others at the same address cannot lock it out.
 */
import { createHash } from "node:crypto";

import { networkOf, siteOf } from "../../protocol/ip-address.ts";
import { KnownNetworks } from "./known-networks.ts";
import type { Limits, Rate } from "./limits.ts";
import type { SharedBucket, SharedCharge } from "./shared-buckets.ts";
import { refundAll, longestWait, RateTable, retryAfter, takeAll, type Charge } from "./rate-table.ts";

/** `retryAfter` in whole seconds, 1 to 86,400. */
export type Verdict = { readonly name: "passes" } | { readonly name: "limited"; readonly retryAfter: number };

/** A password about to be compared. Its charges are returned unless it was wrong. Only the first call counts. */
export type PasswordAttempt = {
  /** The password was right. */
  succeeded(): void;
  /** The password was not compared: the connection has closed, or the server is busy or closing. */
  abandoned(): void;
};

/** A session that may begin. Nothing is charged before `charge`, because the step that begins it may be retried. */
export type SessionVerdict =
  { readonly name: "passes"; charge(): void } | { readonly name: "limited"; readonly retryAfter: number };

export type AttemptVerdict =
  | { readonly name: "passes"; readonly attempt: PasswordAttempt }
  | { readonly name: "limited"; readonly retryAfter: number };

/** What was limited, as it is called in security events. */
type Limited =
  | "connection"
  | "request"
  | "registration"
  | "password"
  | "resume"
  | "session"
  | "lookup"
  | "reach"
  | "connect";

/** How long until a site has all its free failures for an account again, in s. */
const FREE_PERIOD = 86_400;
/** `reach` of one user, and `connect` of one user, to all and to one other (PROTOCOL 7). */
const REACH_RATE: Rate = { burst: 6, perSecond: 0.1 };
const CONNECT_RATE: Rate = { burst: 30, perSecond: 0.5 };
const PAIR_RATE: Rate = { burst: 6, perSecond: 0.1 };
/** The one key of a table that counts all addresses together. */
const ALL = "";
/** Longest name used as a key, in UTF-16 units; a longer one, which no account has, is replaced by a digest. */
const MAX_NAME = 128;

const PASSES: Verdict = { name: "passes" };

type Options = {
  /** Called for each request or connection that is limited. */
  readonly onLimited?: (what: Limited, network: string) => void;
  /** In [0, 1), for the tables. */
  readonly random?: () => number;
};

export class Throttle {
  readonly #options: Options;
  /** The tables of which several servers share the buckets. */
  readonly #sharing: ReadonlyMap<RateTable, Omit<SharedBucket, "key">>;
  readonly #connections: RateTable;
  readonly #requests: RateTable;
  readonly #registrations: RateTable;
  readonly #allRegistrations: RateTable;
  readonly #passwords: RateTable;
  readonly #passwordsOfDevice: RateTable;
  /** By address and account, and by device if it is known. */
  readonly #failures: RateTable;
  /** By site and account, and by device if it is known. */
  readonly #freeFailures: RateTable;
  readonly #failuresOfAddress: RateTable;
  readonly #failuresOfAccount: RateTable;
  readonly #failedResumes: RateTable;
  readonly #sessions: RateTable;
  readonly #lookups: RateTable;
  readonly #lookupsOfAddress: RateTable;
  readonly #reaches: RateTable;
  readonly #connects: RateTable;
  readonly #connectsOfPair: RateTable;
  readonly #knownNetworks: KnownNetworks;

  /** @param clock ms that never go back. */
  constructor(limits: Limits, clock: () => number, options: Options = {}) {
    const { random = Math.random } = options;
    const table = (rate: Rate) => new RateTable({ rate, clock, random });
    const { burst } = limits.failureRate;
    this.#options = options;
    this.#connections = table(limits.connectionRate);
    this.#requests = table(limits.requestRate);
    this.#registrations = table(limits.registrationRate);
    this.#allRegistrations = table(limits.registrationRateTotal);
    this.#passwords = table(limits.loginRate);
    this.#passwordsOfDevice = table(limits.failureRate);
    this.#failures = table(limits.failureRate);
    const free = { burst, perSecond: burst / FREE_PERIOD };
    this.#freeFailures = new RateTable({ rate: free, clock, random, strict: true });
    this.#failuresOfAddress = table(limits.failureRatePerAddress);
    this.#failuresOfAccount = table(limits.failureRatePerAccount);
    this.#failedResumes = table(limits.failureRatePerAddress);
    this.#sessions = table(limits.sessionRate);
    this.#lookups = table(limits.lookupRate);
    this.#lookupsOfAddress = table(limits.lookupRatePerAddress);
    this.#reaches = table(REACH_RATE);
    this.#connects = table(CONNECT_RATE);
    this.#connectsOfPair = table(PAIR_RATE);
    this.#knownNetworks = new KnownNetworks(clock);
    this.#sharing = new Map([
      [this.#registrations, { what: "registration", rate: limits.registrationRate }],
      [this.#allRegistrations, { what: "registrations", rate: limits.registrationRateTotal }],
      [this.#failures, { what: "pair", rate: limits.failureRate }],
      [this.#freeFailures, { what: "free", rate: free }],
      [this.#failuresOfAddress, { what: "address", rate: limits.failureRatePerAddress }],
      [this.#failuresOfAccount, { what: "account", rate: limits.failureRatePerAccount }],
      [this.#failedResumes, { what: "resume", rate: limits.failureRatePerAddress }],
    ]);
  }

  /** A new connection of this address (as `Connection.remoteAddress` has it). */
  connection(address: string): Verdict {
    const key = networkOf(address);
    return this.#verdict("connection", key, takeAll([{ table: this.#connections, key }]));
  }

  /**
   * Requests of this address. They are never refused: returns how long the connection must wait before its next one,
   * in ms (perhaps a fraction). The tokens are taken at once, so that connections wait in turn.
   */
  request(address: string, count = 1): number {
    const key = networkOf(address);
    const wait = this.#requests.wait(key, count);
    this.#requests.take(key, count);
    if (wait > 0) this.#options.onLimited?.("request", key);
    return wait;
  }

  /**
   * A registration with valid fields. A free name will cost a hash; a taken one counts as a failure of the address.
   * It is limited unless all charges are possible, so that a limit does not show whether the name is taken; and
   * nothing is charged then, so that an address beyond its own rate does not use up that of all addresses.
   * @param charged gets what several servers share, as in the two below.
   */
  registration(address: string, isTaken = false, charged?: SharedCharge[]): Verdict {
    const key = networkOf(address);
    const added: Charge[] = [
      { table: this.#registrations, key },
      { table: this.#allRegistrations, key: ALL },
    ];
    const failed: Charge[] = [{ table: this.#failuresOfAddress, key }];
    const wait = longestWait([...added, ...failed]);
    const charges = isTaken ? failed : added;
    if (wait === 0) takeAll(charges);
    this.#share(charges, charged);
    return this.#verdict("registration", key, wait);
  }

  /**
   * A password for the account of this folded name, whether it exists or not.
   * @param device the fingerprint of a key that the account was used with.
   */
  password(fold: string, address: string, device?: string, charged?: SharedCharge[]): AttemptVerdict {
    const network = networkOf(address);
    const account = accountKey(fold);
    const hash = this.#hashCharge(network, account, device);
    const failure = this.#failureCharges(address, account, device);
    const verdict = this.#verdict("password", network, takeAll([hash, ...failure]));
    if (verdict.name === "limited") return verdict;
    this.#share(failure, charged, account);
    let isSettled = false;
    const settle = (charges: readonly Charge[]): boolean => {
      if (isSettled) return false;
      isSettled = true;
      refundAll(charges);
      return true;
    };
    return {
      name: "passes",
      attempt: {
        succeeded: () => {
          if (settle(failure)) this.#knownNetworks.add(account, network);
        },
        abandoned: () => {
          settle([hash, ...failure]);
        },
      },
    };
  }

  /**
   * A wrong session token. It costs the address as much as a wrong password, but is counted separately.
   */
  failedResume(address: string, charged?: SharedCharge[]): Verdict {
    const key = networkOf(address);
    const charges: Charge[] = [{ table: this.#failedResumes, key }];
    this.#share(charges, charged);
    return this.#verdict("resume", key, takeAll(charges));
  }

  /** Whether a right password has come for this account (`accountKey`) from this network. */
  isKnown(account: string, network: string): boolean {
    return this.#knownNetworks.has(account, network);
  }

  /** Another server knows that one has come. */
  known(account: string, network: string): void {
    this.#knownNetworks.add(account, network);
  }

  /**
   * A session that a right password or token would begin.
   * @param isElsewhere the account is online with another device: the session will be refused, and costs the address as
   * much as a wrong token.
   */
  session(userId: number, address: string, isElsewhere = false): SessionVerdict {
    const network = networkOf(address);
    const charges: Charge[] = [{ table: this.#sessions, key: String(userId) }];
    if (isElsewhere) charges.push({ table: this.#failedResumes, key: network });
    const verdict = this.#verdict("session", network, longestWait(charges));
    return verdict.name === "limited" ? verdict : { name: "passes", charge: () => void takeAll(charges) };
  }

  /**
   * A lookup of a logged-in user.
   * @param network as `networkOf` gives it.
   * @param cost in tokens, at least 1.
   */
  lookup(userId: number, network: string, cost: number): Verdict {
    const wait = takeAll([
      { table: this.#lookups, key: String(userId), cost },
      { table: this.#lookupsOfAddress, key: network, cost },
    ]);
    return this.#verdict("lookup", network, wait);
  }

  /** A `reach` of a logged-in user. @param network as `networkOf` gives it. */
  reach(userId: number, network: string): Verdict {
    return this.#verdict("reach", network, takeAll([{ table: this.#reaches, key: String(userId) }]));
  }

  /** A `connect` of a logged-in user to another. @param network as `networkOf` gives it. */
  connect(userId: number, targetId: number, network: string): Verdict {
    const wait = takeAll([
      { table: this.#connects, key: String(userId) },
      { table: this.#connectsOfPair, key: `${userId} ${targetId}` },
    ]);
    return this.#verdict("connect", network, wait);
  }

  #hashCharge(network: string, account: string, device: string | undefined): Charge {
    const key = keyOf(network, account, device);
    const isOwn = device !== undefined && this.#passwordsOfDevice.wait(key) === 0;
    return isOwn ? { table: this.#passwordsOfDevice, key } : { table: this.#passwords, key: network };
  }

  #failureCharges(address: string, account: string, device: string | undefined): Charge[] {
    const network = networkOf(address);
    const charges: Charge[] = [{ table: this.#failures, key: keyOf(network, account, device) }];
    if (this.#knownNetworks.has(account, network)) return charges;
    if (device === undefined) charges.push({ table: this.#failuresOfAddress, key: network });
    const free: Charge = { table: this.#freeFailures, key: keyOf(siteOf(address), account, device) };
    const slow: Charge = { table: this.#failuresOfAccount, key: account };
    charges.push(longestWait([free]) === 0 ? free : slow);
    return charges;
  }

  /** @param account whose further failures are charged where those of a site are no longer free */
  #share(charges: readonly Charge[], charged: SharedCharge[] | undefined, account = ""): void {
    const slow = this.#sharing.get(this.#failuresOfAccount);
    for (const charge of charges) {
      const { table, key } = charge;
      const kind = this.#sharing.get(table);
      const otherwise = table === this.#freeFailures && slow ? { ...slow, key: account } : undefined;
      if (kind !== undefined) {
        charged?.push({ ...kind, key, otherwise, returnHere: () => refundAll([charge]) });
      }
    }
  }

  #verdict(what: Limited, network: string, wait: number): Verdict {
    if (wait === 0) return PASSES;
    this.#options.onLimited?.(what, network);
    return { name: "limited", retryAfter: retryAfter(wait) };
  }
}

/** Keys with and without a device are never equal, because a fingerprint is not an address. */
function keyOf(place: string, account: string, device: string | undefined): string {
  return device === undefined ? `${place} ${account}` : `${device} ${place} ${account}`;
}

/** The key of an account, by its folded name. */
export function accountKey(fold: string): string {
  // No name begins with a space.
  return fold.length <= MAX_NAME ? fold : ` ${createHash("sha256").update(fold).digest("base64")}`;
}
