/**
 * How often an address or an account may do what costs something. Times come from a clock that never goes
 * back, so that a wall clock that jumps lets nobody in and shuts nobody out.
 */
import type { Limits } from "./limits.ts";

/** `retryAfter` in whole seconds, at least 1. */
export type Verdict = { readonly name: "passes" } | { readonly name: "limited"; readonly retryAfter: number };

/** A password is about to be compared: what it takes is given back unless it was wrong. */
export type PasswordAttempt = {
  /** It was right. */
  succeeded(): void;
  /** It was never compared: the connection has gone, or the server is busy or closing. */
  abandoned(): void;
};

export type AttemptVerdict =
  | { readonly name: "passes"; readonly attempt: PasswordAttempt }
  | { readonly name: "limited"; readonly retryAfter: number };

const PASSES: Verdict = { name: "passes" };

export class Throttle {
  /** @param clock ms that never go back. */
  constructor(_limits: Limits, _clock: () => number) {}

  /** A new connection of this address (as `Connection.remoteAddress` has it). */
  connection(_address: string): Verdict {
    return PASSES;
  }

  /** A registration whose fields are right: it is about to cost a hash. */
  registration(_address: string): Verdict {
    return PASSES;
  }

  /** A password for the account of this folded name, whether there is one or not. */
  password(_fold: string, _address: string): AttemptVerdict {
    return { name: "passes", attempt: { succeeded: () => undefined, abandoned: () => undefined } };
  }

  /** A lookup of a logged-in user; `cost` in tokens, at least 1. */
  lookup(_userId: number, _address: string, _cost: number): Verdict {
    return PASSES;
  }
}
