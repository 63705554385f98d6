/**
 * How often an address or an account may do what costs something. Times come from a clock that never goes
 * back, so that a wall clock that jumps lets nobody in and shuts nobody out. An address is its network
 * (`networkOf`), an account its folded name, whether there is one of that name or not.
 *
 * Passwords (all of it taken before the comparison, so that attempts at once count at once):
 *
 * 1. each costs its address a hash, right or wrong;
 * 2. a wrong one costs its address and account, and its address alone;
 * 3. an address has a few for an account free each day; beyond those all addresses together are slowed for
 *    that account. A stranger thereby shuts out himself, and not the owner, who comes from elsewhere;
 * 4. from where the right password came lately only 1 and the first of 2 count.
 */
import { createHash } from "node:crypto";

import { networkOf } from "../../protocol/ip-address.ts";
import { FamiliarAddresses } from "./familiar-addresses.ts";
import type { Limits, Rate } from "./limits.ts";
import { giveBackAll, longestWait, RateTable, retryAfter, takeAll, type Charge } from "./rate-table.ts";

/** `retryAfter` in whole seconds, 1 to 86,400. */
export type Verdict = { readonly name: "passes" } | { readonly name: "limited"; readonly retryAfter: number };

/** A password is about to be compared: what it takes is given back unless it was wrong. The first call counts. */
export type PasswordAttempt = {
  /** It was right. */
  succeeded(): void;
  /** It was never compared: the connection has gone, or the server is busy or closing. */
  abandoned(): void;
};

export type AttemptVerdict =
  | { readonly name: "passes"; readonly attempt: PasswordAttempt }
  | { readonly name: "limited"; readonly retryAfter: number };

/** What was limited, as the security events name it. */
export type Limited = "connection" | "registration" | "password" | "resume" | "lookup";

/** How long until the free passwords of an address for an account are all there again, in s. */
const FREE_AGAIN = 86_400;
/** Longer names, which nobody has, are kept by their digest: a table's keys are bounded too. In UTF-16 units. */
const MAX_NAME = 128;

const PASSES: Verdict = { name: "passes" };

type Options = {
  /** Told of everything that was limited; `network` as `networkOf` has it. */
  readonly onLimited?: (what: Limited, network: string) => void;
  /** In [0, 1), for the tables. */
  readonly random?: () => number;
};

export class Throttle {
  readonly #options: Options;
  readonly #connections: RateTable;
  readonly #registrations: RateTable;
  readonly #passwords: RateTable;
  /** By address and account. */
  readonly #failures: RateTable;
  readonly #freeFailures: RateTable;
  readonly #failuresOfAddress: RateTable;
  readonly #failuresOfAccount: RateTable;
  readonly #lookups: RateTable;
  readonly #lookupsOfAddress: RateTable;
  readonly #familiar: FamiliarAddresses;

  /** @param clock ms that never go back. */
  constructor(limits: Limits, clock: () => number, options: Options = {}) {
    const { random = Math.random } = options;
    const table = (rate: Rate) => new RateTable({ rate, clock, random });
    const { burst } = limits.failureRate;
    this.#options = options;
    this.#connections = table(limits.connectionRate);
    this.#registrations = table(limits.registrationRate);
    this.#passwords = table(limits.loginRate);
    this.#failures = table(limits.failureRate);
    this.#freeFailures = table({ burst, perSecond: burst / FREE_AGAIN });
    this.#failuresOfAddress = table(limits.failureRatePerAddress);
    this.#failuresOfAccount = table(limits.failureRatePerAccount);
    this.#lookups = table(limits.lookupRate);
    this.#lookupsOfAddress = table(limits.lookupRatePerAddress);
    this.#familiar = new FamiliarAddresses(clock);
  }

  /** A new connection of this address (as `Connection.remoteAddress` has it). */
  connection(address: string): Verdict {
    const key = networkOf(address);
    return this.#verdict("connection", key, takeAll([{ table: this.#connections, key }]));
  }

  /**
   * A registration whose fields are right. A name that is free is about to cost a hash; one that is taken is a
   * failure of the address. Both must have been possible, so that being limited does not say which it is.
   */
  registration(address: string, isTaken = false): Verdict {
    const key = networkOf(address);
    const added: Charge = { table: this.#registrations, key };
    const failed: Charge = { table: this.#failuresOfAddress, key };
    const wait = longestWait([added, failed]);
    if (wait === 0) takeAll([isTaken ? failed : added]);
    return this.#verdict("registration", key, wait);
  }

  /** A password for the account of this folded name, whether there is one or not. */
  password(fold: string, address: string): AttemptVerdict {
    const network = networkOf(address);
    const account = accountKey(fold);
    const pair = `${network} ${account}`;
    const hash: Charge = { table: this.#passwords, key: network };
    const failure: Charge[] = [{ table: this.#failures, key: pair }];
    if (!this.#familiar.has(account, network)) {
      const hasFree = this.#freeFailures.wait(pair) === 0;
      failure.push(
        { table: this.#failuresOfAddress, key: network },
        hasFree ? { table: this.#freeFailures, key: pair } : { table: this.#failuresOfAccount, key: account },
      );
    }
    const verdict = this.#verdict("password", network, takeAll([hash, ...failure]));
    if (verdict.name === "limited") return verdict;
    let isSettled = false;
    const settle = (charges: readonly Charge[]): boolean => {
      if (isSettled) return false;
      isSettled = true;
      giveBackAll(charges);
      return true;
    };
    return {
      name: "passes",
      attempt: {
        succeeded: () => {
          if (settle(failure)) this.#familiar.add(account, network);
        },
        abandoned: () => {
          settle([hash, ...failure]);
        },
      },
    };
  }

  /** A session token that was wrong: it costs the address what a wrong password does. A right one costs nothing. */
  failedResume(address: string): Verdict {
    const key = networkOf(address);
    return this.#verdict("resume", key, takeAll([{ table: this.#failuresOfAddress, key }]));
  }

  /** A lookup of a logged-in user; `cost` in tokens, at least 1. */
  lookup(userId: number, address: string, cost: number): Verdict {
    const network = networkOf(address);
    const wait = takeAll([
      { table: this.#lookups, key: String(userId), cost },
      { table: this.#lookupsOfAddress, key: network, cost },
    ]);
    return this.#verdict("lookup", network, wait);
  }

  #verdict(what: Limited, network: string, wait: number): Verdict {
    if (wait === 0) return PASSES;
    this.#options.onLimited?.(what, network);
    return { name: "limited", retryAfter: retryAfter(wait) };
  }
}

function accountKey(fold: string): string {
  // No name holds a space at its start.
  return fold.length <= MAX_NAME ? fold : ` ${createHash("sha256").update(fold).digest("base64")}`;
}
